import { indentOf } from '../lines.ts';
import type { PlanDocument, TaskLine } from './document.ts';

/**
 * Which task each line of the task areas goes with: its sub-bullets, and what else stands below it up to the next
 * task. Task lines, what stands before the first one and blank lines at the end are not in it.
 *
 * A line goes with the nearest task above that is indented less (a parent's sub-bullet may follow a nested task), else
 * with the last task. Blank lines go with the text that follows them; fenced code and comments stay in one piece.
 */
export function lineOwners(document: PlanDocument): ReadonlyMap<number, TaskLine> {
  const owners = new Map<number, TaskLine>();
  const taskAt = new Map(document.tasks.map((task) => [task.index, task]));
  for (const { start, end } of document.areas) {
    /** The last task and those it is nested in, outermost first. */
    let open: readonly TaskLine[] = [];
    let blanks: number[] = [];
    const give = (indexes: readonly number[], owner: TaskLine | undefined): void => {
      for (const index of indexes) if (owner !== undefined) owners.set(index, owner);
    };
    for (let index = start; index < end; index += 1) {
      const task = taskAt.get(index);
      const text = document.lines[index]?.text ?? '';
      if (task !== undefined) {
        give(blanks, open.at(-1));
        blanks = [];
        open = [...open.filter(({ columns }) => columns < task.columns), task];
      } else if (text.trim() === '') {
        blanks.push(index);
      } else {
        const inOnePiece = document.hidden[index] === 1 ? owners.get(index - 1 - blanks.length) : undefined;
        const lessIndented = open.findLast(({ columns }) => columns < indentOf(text));
        const owner = document.hidden[index - 1] === 1 && inOnePiece !== undefined ? inOnePiece : lessIndented;
        give([...blanks, index], owner ?? open.at(-1));
        blanks = [];
      }
    }
  }
  return owners;
}

/** Whether a line hangs below its task in the list, rather than standing between two tasks. */
export function isSubLine(document: PlanDocument, index: number, owner: TaskLine): boolean {
  const text = document.lines[index]?.text ?? '';
  return text.trim() !== '' && indentOf(text) > owner.columns;
}
