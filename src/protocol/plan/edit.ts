import { FlowError } from '../errors.ts';
import type { LoopStatus, NodeStatus, PlannedNode } from '../plan-types.ts';
import { HISTORY, within } from './document.ts';
import { foresee, readDocument } from './recent.ts';
import type { PlanDocument, Section } from './document.ts';
import type { NodeContent } from './line.ts';
import { historyIndexes, planOf } from './parse.ts';
import { cancelSlug, fieldLine, historyLine, renderNodeLine } from './render.ts';
import { replaceDag, replaceLoop, shown } from './rewrite.ts';

export { replaceDag, replaceLoop };

/** Text to put in the place of a range of the source, by offsets. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The text with one task's line in a new state: that line becomes canonical but keeps its indentation and line end,
 * every other byte stays (protocol.md §6.4.1). `cancelled` is the reason, as a slug or as a sentence. Throws
 * `not-found` when the plan has no such task.
 */
export function setMarker(
  text: string,
  id: string,
  status: NodeStatus,
  options: { readonly cancelled?: string; readonly assignee?: string; readonly dependsOn?: readonly string[] } = {},
): string {
  const document = readDocument(text);
  const task = document.tasks.find(({ node }) => node.id === id);
  const line = task === undefined ? undefined : document.lines[task.index];
  if (task === undefined || line === undefined) {
    throw new FlowError('not-found', `task not found in project plan: ${id}`, {
      remedy: 'name a task that stands in plan.md',
      data: { taskId: id },
    });
  }
  const { cancelled: before, ...kept } = task.node;
  const cancelled = options.cancelled === undefined ? before : cancelSlug(options.cancelled);
  const node: NodeContent = {
    ...kept,
    status,
    assignee: options.assignee ?? kept.assignee,
    dependsOn: options.dependsOn ?? kept.dependsOn,
    ...(status === 'cancelled' && cancelled !== undefined ? { cancelled } : {}),
  };
  const written = task.indent + renderNodeLine(node);
  const edited = spliceAll(text, [{ start: line.start, end: line.end, text: written }]);
  foresee(document, edited, [task.index, written]);
  return edited;
}

/**
 * The text with one more pending task behind the last one, every other byte as it was (protocol.md §6.4.1). The id must
 * be new to the plan. Throws `broken-file` for a text in which the task would not be seen.
 */
export function appendNode(text: string, node: PlannedNode): string {
  const document = readDocument(text);
  const area = document.areas.at(-1);
  const isBare = document.regions.length === 0 && document.tasks.length === 0;
  if (area === undefined || isBare) return replaceDag(text, [...planOf(document).nodes, node]);
  const line = renderNodeLine({ ...node, status: 'pending' });
  const last = lastTextLine(document, area.start - 1, area.end);
  // Below anything but a task a blank line keeps the task a block of its own.
  const gap = document.tasks.some(({ index }) => index === last) ? [] : [''];
  return shown(spliceAll(text, [insertAfter(document, last, [...gap, line])]), [node]);
}

/**
 * The text with these fields of its loop changed in place; `history` is the whole list, oldest first, and lines that
 * stand already are not touched (protocol.md §6.3, §8.5). Throws `invalid-argument` when the plan is no loop.
 */
export function setLoopFields(
  text: string,
  changes: { readonly status?: LoopStatus; readonly currentIteration?: number; readonly history?: readonly string[] },
): string {
  const document = readDocument(text);
  const { loop } = planOf(document);
  if (loop === undefined) {
    throw new FlowError('invalid-argument', 'project has no loop plan', { remedy: 'make one with plan_loop' });
  }
  const { status, currentIteration, history } = changes;
  return spliceAll(text, [
    ...(status === undefined ? [] : [setField(document, 'Loop Status', status)]),
    ...(currentIteration === undefined
      ? []
      : [setField(document, 'Iteration', `${currentIteration} / ${loop.maxIterations}`)]),
    ...(history === undefined ? [] : setHistory(document, loop.history, history)),
  ]);
}

/** Changes in the order of the text; what is inserted at one place stays in the order given. */
function spliceAll(text: string, splices: readonly Splice[]): string {
  let result = '';
  let from = 0;
  for (const { start, end, text: added } of splices.toSorted((a, b) => a.start - b.start)) {
    result += text.slice(from, start) + added;
    from = end;
  }
  return result + text.slice(from);
}

function setField(document: PlanDocument, name: string, value: string): Splice {
  const field = document.fields.get(name);
  const line = field === undefined ? undefined : document.lines[field.index];
  if (line !== undefined) return { start: line.start, end: line.end, text: fieldLine(name, value) };
  // The type's line is there, or the plan would not be a loop.
  return insertAfter(document, document.fields.get('Plan Type')?.index ?? 0, [fieldLine(name, value)]);
}

function setHistory(document: PlanDocument, before: readonly string[], after: readonly string[]): readonly Splice[] {
  const section = document.sections.find(({ title }) => title === HISTORY);
  if (section === undefined) {
    const end = document.regions.find((region) => within(region, document.sections.at(-1)?.start ?? 0))?.end;
    const added = ['', `## ${HISTORY}`, ...(after.length === 0 ? [] : ['', ...after.map(historyLine)])];
    return [insertAfter(document, lastTextLine(document, 0, end ?? document.lines.length), added)];
  }
  if (before.every((entry, at) => entry === after[at])) {
    const added = after.slice(before.length).map(historyLine);
    return added.length === 0 ? [] : [appendTo(document, section, added)];
  }
  const [first, ...others] = historyIndexes(document);
  const removed = others.flatMap((index) => replaceLine(document, index, []));
  return [...(first === undefined ? [] : replaceLine(document, first, after.map(historyLine))), ...removed];
}

/** Below the last line of a section; in an empty one with a blank line above, and below where the text goes on. */
function appendTo(document: PlanDocument, { start, end }: Section, lines: readonly string[]): Splice {
  const last = lastTextLine(document, start, end);
  if (last !== start) return insertAfter(document, last, lines);
  const blank = Math.min(start + 1, end - 1);
  const goesOn = blank === end - 1 && end < document.lines.length;
  return insertAfter(document, blank, [...(blank === start ? [''] : []), ...lines, ...(goesOn ? [''] : [])]);
}

function lastTextLine(document: PlanDocument, start: number, end: number): number {
  for (let index = end - 1; index > start; index -= 1) {
    if (document.lines[index]?.text.trim() !== '') return index;
  }
  return start;
}

function replaceLine(document: PlanDocument, index: number, lines: readonly string[]): readonly Splice[] {
  const line = document.lines[index];
  return line === undefined
    ? []
    : [{ start: line.start, end: line.next, text: lines.map((added) => `${added}\n`).join('') }];
}

function insertAfter(document: PlanDocument, index: number, lines: readonly string[]): Splice {
  const line = document.lines[index];
  const at = line?.next ?? document.text.length;
  const isOpenEnd = line !== undefined && line.end === line.next;
  return { start: at, end: at, text: lines.map((added) => (isOpenEnd ? `\n${added}` : `${added}\n`)).join('') };
}
