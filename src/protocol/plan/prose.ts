import { trimBlankLines } from '../lines.ts';
import { readWhole } from './document.ts';
import { readDocument } from './recent.ts';
import { dagSection } from './render.ts';
import { introduction } from './rewrite.ts';

/** What somebody wrote of the plan above its first task, without the plan's own fields; `''` when there is nothing. */
export function planProse(text: string): string {
  const document = readDocument(text);
  return introduction(document, document.areas[0]).join('\n');
}

/**
 * Anybody's text as lines that may stand above the tasks of a plan: as they are, or as a quotation when they would be
 * read as something else (a task, a heading, a field, a fence that is left open).
 */
export function proseLines(text: string): readonly string[] {
  const lines = trimBlankLines(text.split(/\r\n|\n|\r/).map((line) => line.trimEnd()));
  const probe = readWhole(dagSection(lines, ['- [ ] probe — Probe (assigned: -)']).join('\n'));
  const read = introduction(probe, probe.areas[0]);
  const isProse =
    probe.tasks.length === 1 &&
    probe.sections.length === 1 &&
    probe.diagnostics.length === 0 &&
    read.length === lines.length &&
    read.every((line, index) => line === lines[index]);
  return isProse ? lines : lines.map((line) => `> ${line}`.trimEnd());
}
