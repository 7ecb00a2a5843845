import { FlowError } from '../errors.ts';
import { dedent, trimBlankLines } from '../lines.ts';
import type { Loop, NodeStatus, PlannedNode } from '../plan-types.ts';
import { isSubLine, lineOwners } from './blocks.ts';
import { CURRENT, FIELD, HISTORY, isReadable, LOOP_PLAN, within } from './document.ts';
import { readDocument } from './recent.ts';
import type { PlanDocument, Section, TaskLine } from './document.ts';
import { historyIndexes, planOf } from './parse.ts';
import { dagSection, fieldLine, historyLine, loopFields, loopSections, renderNodeLine } from './render.ts';

/** A node of the graph to keep. What is left out of a node that survives keeps its value in the text; a new one is pending. */
export type NodeToKeep = PlannedNode & { readonly status?: NodeStatus; readonly cancelled?: string };

/**
 * The text with its execution region replaced by a DAG of exactly these nodes, in this order (protocol.md §6.4). Kept:
 * everything outside the region byte for byte, the prose before the first task, and what stands below the tasks that
 * survive. A loop's sections go, its template and history with them. Throws `broken-file` for a text beyond all limits
 * and for one that would hide the tasks behind code or a comment that it leaves open.
 */
export function replaceDag(text: string, nodes: readonly NodeToKeep[]): string {
  const document = readDocument(text);
  const prose = document.kind === 'dag' && document.regions.length > 0 ? introduction(document, document.areas[0]) : [];
  const sections = dagSection(prose, taskLines(document, nodes));
  return shown(replaceRegion(document, sections, new Map([['Plan Type', 'dag']])), nodes);
}

/** The same for a loop: its four sections, with these nodes as the current iteration (protocol.md §6.3, §6.4). */
export function replaceLoop(text: string, loop: Loop, nodes: readonly NodeToKeep[]): string {
  const document = readDocument(text);
  const section = (title: string): Section | undefined =>
    document.kind === 'loop' ? document.sections.find((candidate) => candidate.title === title) : undefined;
  const parts = {
    prose: introduction(document, section(LOOP_PLAN)),
    current: introduction(document, section(CURRENT)),
    tasks: taskLines(document, nodes),
  };
  const sections = loopSections(loop, parts, historyBody(document, section(HISTORY), loop));
  return shown(replaceRegion(document, sections, loopFields(loop)), nodes);
}

/** The lines of an area before its first task, without its heading and field lines. */
export function introduction(
  document: PlanDocument,
  area: { start: number; end: number } | undefined,
): readonly string[] {
  if (area === undefined) return [];
  const firstTask = document.tasks.find(({ index }) => within(area, index));
  const lines = document.lines.slice(area.start, firstTask?.index ?? area.end).map(({ text }) => text);
  const kept = lines.filter((line, offset) => {
    const index = area.start + offset;
    const isHeading = document.sections.some(({ start }) => start === index);
    return !isHeading && (document.hidden[index] === 1 || !FIELD.test(line));
  });
  return trimBlankLines(kept);
}

/** An unchanged history stands as it was written, so that a hand's additions below its entries stay. */
function historyBody(document: PlanDocument, section: Section | undefined, loop: Loop): readonly string[] {
  const before = planOf(document).loop?.history ?? [];
  const unchanged = before.length === loop.history.length && before.every((entry, at) => entry === loop.history[at]);
  if (section === undefined || !unchanged || historyIndexes(document).length === 0)
    return loop.history.map(historyLine);
  return trimBlankLines(document.lines.slice(section.start + 1, section.end).map(({ text }) => text));
}

/** The task lines in their new order, each followed by what stood below it. */
function taskLines(document: PlanDocument, nodes: readonly NodeToKeep[]): readonly string[] {
  const before = new Map<string, TaskLine>();
  for (const task of document.tasks) if (!task.duplicate) before.set(task.node.id, task);
  const below = new Map<string, string[]>();
  for (const [index, owner] of lineOwners(document)) {
    if (!goesWithTask(document, index, owner)) continue;
    const lines = below.get(owner.node.id) ?? [];
    lines.push(dedent(document.lines[index]?.text ?? '', owner.columns));
    below.set(owner.node.id, lines);
  }
  const lines = nodes.flatMap((node) => {
    const line = renderNodeLine(inherit(node, before.get(node.id)));
    return [line, ...(below.get(node.id) ?? [])];
  });
  return trimBlankLines(lines);
}

/** Without an execution heading the text around the tasks is the header and stays where it is. */
function goesWithTask(document: PlanDocument, index: number, owner: TaskLine): boolean {
  return document.regions.length > 0 || isSubLine(document, index, owner);
}

function inherit(node: NodeToKeep, before: TaskLine | undefined): Parameters<typeof renderNodeLine>[0] {
  const type = node.type ?? before?.node.type;
  const cancelled = node.cancelled ?? before?.node.cancelled;
  return {
    id: node.id,
    title: node.title,
    assignee: node.assignee === '-' ? '' : node.assignee,
    dependsOn: node.dependsOn,
    status: node.status ?? before?.node.status ?? 'pending',
    ...(type === undefined ? {} : { type }),
    ...(cancelled === undefined ? {} : { cancelled }),
  };
}

/** What was kept may leave a fence or a comment open in front of tasks; then nothing is written. Throws `broken-file`. */
export function shown(text: string, nodes: readonly Pick<NodeToKeep, 'id'>[]): string {
  const read = new Set(planOf(readDocument(text)).nodes.map(({ id }) => id));
  const lost = nodes.filter(({ id }) => !read.has(id)).map(({ id }) => id);
  if (lost.length === 0) return text;
  throw new FlowError('broken-file', `plan.md would hide tasks: ${lost.slice(0, 10).join(', ')}`, {
    remedy: 'close every code fence and comment in plan.md',
  });
}

/** Puts the sections in the place of the first region, or at the end, and takes out the other regions. */
function replaceRegion(
  document: PlanDocument,
  sections: readonly string[],
  fields: ReadonlyMap<string, string>,
): string {
  if (!isReadable(document)) {
    const reason = document.diagnostics[0]?.message ?? 'unreadable';
    throw new FlowError('broken-file', `plan.md cannot be rewritten: ${reason}`, { remedy: 'shorten plan.md by hand' });
  }
  const [region, ...others] = document.regions;
  const body = `${sections.join('\n')}\n`;
  const header = headerLines(document, region?.start ?? document.lines.length, fields);
  if (region === undefined) {
    const kept = header.trimEnd();
    return kept === '' ? body : `${kept}\n\n${body}`;
  }
  const replaced = new Uint8Array(document.lines.length);
  for (const other of others) replaced.fill(1, other.start, other.end);
  const suffix = document.lines
    .slice(region.end)
    .filter((_, offset) => replaced[region.end + offset] !== 1)
    .map(({ start, next }) => document.text.slice(start, next))
    .join('')
    .trimEnd();
  return suffix === '' ? `${header}${body}` : `${header}${body}\n${suffix}\n`;
}

/**
 * What stands before the region. A field line there is the document's (the first occurrence wins), so it follows the
 * new value; tasks that stood under no heading move into the region.
 */
function headerLines(document: PlanDocument, end: number, fields: ReadonlyMap<string, string>): string {
  const values = new Map<number, string>();
  for (const [name, value] of fields) {
    const field = document.fields.get(name);
    if (field !== undefined) values.set(field.index, fieldLine(name, value));
  }
  const moved = new Set<number>();
  if (document.regions.length === 0) {
    for (const { index } of document.tasks) moved.add(index);
    for (const [index, owner] of lineOwners(document)) if (isSubLine(document, index, owner)) moved.add(index);
  }
  return document.lines
    .slice(0, end)
    .map(({ start, next, end: textEnd }, index) => {
      if (moved.has(index)) return '';
      const value = values.get(index);
      return value === undefined ? document.text.slice(start, next) : value + document.text.slice(textEnd, next);
    })
    .join('');
}
