import type { SourceLine } from '../lines.ts';
import type { PlanDocument, TaskLine } from './document.ts';
import { readTaskLine } from './line.ts';

/** What may begin or end a block that reaches over lines; a line with any of it is left to the parser. */
const MAY_REACH_FURTHER = /[<>`~]{2}|[<>`]/;

/**
 * The document of `text`, taken from one that differs by a single task line, as every delegation and every acceptance
 * leaves it. A task line in the place of another with the same indentation and id changes nothing around it, so no
 * other line is read again. `undefined` when the two differ by anything else.
 */
export function reread(before: PlanDocument, text: string): PlanDocument | undefined {
  if (before.lines.length === 0) return undefined;
  const index = differingLine(before, text);
  const line = before.lines[index];
  const task = before.tasks.find((candidate) => candidate.index === index);
  if (line === undefined || task === undefined || task.duplicate) return undefined;
  const delta = text.length - before.text.length;
  const written = text.slice(line.start, line.end + delta);
  const replaced = readReplacement(written, task, line);
  if (replaced === undefined || before.diagnostics.some((found) => found.line === index + 1)) return undefined;
  return {
    ...before,
    text,
    lines: withLine(before.lines, index, written, delta),
    tasks: before.tasks.map((candidate) => (candidate === task ? replaced : candidate)),
  };
}

/** The index of the one line in which the texts differ; -1 when they differ elsewhere too, or not at all. */
function differingLine({ text: old, lines }: PlanDocument, text: string): number {
  const shorter = Math.min(old.length, text.length);
  let start = 0;
  while (start < shorter && old.charCodeAt(start) === text.charCodeAt(start)) start += 1;
  const index = lineAt(lines, start);
  const line = lines[index];
  const end = line === undefined ? -1 : line.end + text.length - old.length;
  if (line === undefined || end < line.start || old.slice(line.end) !== text.slice(end)) return -1;
  return index;
}

/** The last line that begins at or before an offset. */
function lineAt(lines: readonly SourceLine[], offset: number): number {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lines[middle]?.start ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function readReplacement(written: string, task: TaskLine, { text: old }: SourceLine): TaskLine | undefined {
  if (/[\r\n]/.test(written) || MAY_REACH_FURTHER.test(written) || MAY_REACH_FURTHER.test(old)) return undefined;
  const reading = readTaskLine(written);
  if (reading?.kind !== 'task' || reading.findings.length > 0) return undefined;
  if (reading.indent !== task.indent || reading.node.id !== task.node.id) return undefined;
  return { ...task, node: { ...reading.node, line: task.node.line } };
}

function withLine(lines: readonly SourceLine[], at: number, text: string, delta: number): readonly SourceLine[] {
  const moved = (line: SourceLine, index: number): SourceLine => {
    if (index === at) return { ...line, text, end: line.end + delta, next: line.next + delta };
    return index < at || delta === 0
      ? line
      : { ...line, start: line.start + delta, end: line.end + delta, next: line.next + delta };
  };
  return lines.map(moved);
}
