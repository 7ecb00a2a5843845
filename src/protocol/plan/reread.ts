import type { SourceLine } from '../lines.ts';
import { MAX_FINDINGS } from './document.ts';
import type { PlanDocument, TaskLine } from './document.ts';
import { readTaskLine } from './line.ts';

/** What may begin or end a block that reaches over lines; a line with any of it is left to the parser. */
const MAY_REACH_FURTHER = /[<>`~]{2}|[<>`]/;

/**
 * The document of `text`, taken from one that differs in task lines only, as every delegation and every acceptance leaves
 * it. A task line in the place of another with the same indentation and id changes nothing around it, so no other line is
 * read again. `undefined` when the two differ by anything else, or not at all.
 */
export function reread(before: PlanDocument, text: string): PlanDocument | undefined {
  const written = changedLines(before, text);
  return written === undefined || written.size === 0 ? undefined : withTaskLines(before, text, written);
}

/**
 * The document of `text`, in which `written` stands in place of lines of `before` (by their index, in their order), and all
 * else is as it was. `undefined` when one of them is not the same task's line.
 */
export function withTaskLines(
  before: PlanDocument,
  text: string,
  written: ReadonlyMap<number, string>,
): PlanDocument | undefined {
  if (before.diagnostics.length >= MAX_FINDINGS) return undefined;
  if (before.diagnostics.some(({ line }) => written.has(line - 1))) return undefined;
  const tasks = [...before.tasks];
  let at = 0;
  // Both are in the order of lines.
  for (const [index, now] of written) {
    while (at < tasks.length && (tasks[at]?.index ?? 0) < index) at += 1;
    const [task, line] = [tasks[at], before.lines[index]];
    if (task?.index !== index || line === undefined || task.duplicate) return undefined;
    const replaced = readReplacement(now, task, line);
    if (replaced === undefined) return undefined;
    tasks[at] = replaced;
  }
  return { ...before, text, lines: withLines(before.lines, written), tasks };
}

/** So many lines are compared at once. */
const TOGETHER = 64;

/** What stands in place of the lines that changed, by their index; `undefined` when lines came or went. */
function changedLines({ text: old, lines }: PlanDocument, text: string): ReadonlyMap<number, string> | undefined {
  const changed = new Map<number, string>();
  // Where in `text` the next line begins.
  let at = 0;
  for (let first = 0; first < lines.length; first += TOGETHER) {
    const block = lines.slice(first, first + TOGETHER);
    const unchanged = wholeLines(old, block);
    // Two slices are compared at once, and `startsWith` goes from letter to letter.
    if (unchanged !== '' && text.slice(at, at + unchanged.length) === unchanged) {
      at += unchanged.length;
      continue;
    }
    for (const [offset, line] of block.entries()) {
      const lineBreak = old.slice(line.end, line.next);
      let end = at + line.text.length;
      if (!text.startsWith(line.text, at) || !endsAt(text, end, lineBreak)) {
        end = lineBreak === '' ? text.length : text.indexOf(lineBreak, at);
        if (end < 0) return undefined;
        // A slice holds the whole text it is of, which this line would keep until it changes again.
        changed.set(first + offset, structuredClone(text.slice(at, end)));
      }
      at = end + lineBreak.length;
    }
  }
  return at === text.length ? changed : undefined;
}

/** The text of lines that follow one another; `''` when the last of them has no end, so that more of it may follow. */
function wholeLines(text: string, lines: readonly SourceLine[]): string {
  const [head, last] = [lines[0], lines.at(-1)];
  return head === undefined || last === undefined || last.next === last.end ? '' : text.slice(head.start, last.next);
}

function endsAt(text: string, end: number, lineBreak: string): boolean {
  return lineBreak === '' ? end === text.length : text.startsWith(lineBreak, end);
}

/** The dash with the space around it, which says in which column the text of an item begins, and so what belongs to it. */
const openingOf = (line: string): string => line.slice(0, line.indexOf('['));

function readReplacement(written: string, task: TaskLine, { text: old }: SourceLine): TaskLine | undefined {
  if (openingOf(written) !== openingOf(old)) return undefined;
  if (/[\r\n]/.test(written) || MAY_REACH_FURTHER.test(written) || MAY_REACH_FURTHER.test(old)) return undefined;
  const reading = readTaskLine(written);
  if (reading?.kind !== 'task' || reading.findings.length > 0) return undefined;
  if (reading.indent !== task.indent || reading.node.id !== task.node.id) return undefined;
  return { ...task, node: { ...reading.node, line: task.node.line } };
}

/** Lines that stay where they are stay the same values, since most texts differ in a line of the same length. */
function withLines(lines: readonly SourceLine[], written: ReadonlyMap<number, string>): readonly SourceLine[] {
  const now = [...lines];
  const changed = [...written.keys()];
  let delta = 0;
  for (const [nth, first] of changed.entries()) {
    const end = changed[nth + 1] ?? lines.length;
    for (let index = first; index < end && (index === first || delta !== 0); index += 1) {
      const line = lines[index];
      if (line === undefined) continue;
      const text = index === first ? (written.get(index) ?? line.text) : line.text;
      const start = line.start + delta;
      if (index === first) delta += text.length - line.text.length;
      now[index] = { text, start, end: line.end + delta, next: line.next + delta };
    }
  }
  return now;
}
