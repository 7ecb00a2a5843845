import type { Diagnostic } from '../diagnostic.ts';
import { trimBlankLines } from '../lines.ts';
import { LOOP_STATUSES } from '../plan-types.ts';
import type { Loop, LoopStatus, Plan, PlanNode } from '../plan-types.ts';
import { HISTORY, place, TEMPLATE } from './document.ts';
import { readDocument } from './recent.ts';
import type { PlanDocument } from './document.ts';

/**
 * What a plan's text says (protocol.md §6). Never throws; what could not be read is in `diagnostics`, with line and
 * column.
 */
export function parsePlan(text: string): Plan {
  return planOf(readDocument(text));
}

export function planOf(document: PlanDocument): Plan {
  const nodes: PlanNode[] = [];
  for (const { node, duplicate } of document.tasks) if (!duplicate) nodes.push(node);
  const found: Diagnostic[] = [];
  const loop = document.kind === 'loop' ? readLoop(document, found) : undefined;
  const diagnostics = [...document.diagnostics, ...found].toSorted((a, b) => a.line - b.line);
  return { kind: document.kind, nodes, ...(loop === undefined ? {} : { loop }), diagnostics };
}

function readLoop(document: PlanDocument, diagnostics: Diagnostic[]): Loop {
  const field = (name: string): string => document.fields.get(name)?.value ?? '';
  const { current, max } = readIteration(document, diagnostics);
  return {
    goal: field('Goal'),
    stopCondition: field('Stop Condition'),
    iterationTemplate: readTemplate(document),
    maxIterations: max,
    currentIteration: current,
    status: readLoopStatus(document, diagnostics),
    history: historyIndexes(document).map((index) => historyEntry(document.lines[index]?.text ?? '')),
  };
}

function readIteration(document: PlanDocument, diagnostics: Diagnostic[]): { current: number; max: number } {
  const field = document.fields.get('Iteration');
  if (field === undefined) return { current: 0, max: 1 };
  const [, current, max] = /^(\d{1,9})\s*\/\s*(\d{1,9})$/.exec(field.value) ?? [];
  if (current !== undefined && max !== undefined) return { current: Number(current), max: Number(max) };
  diagnostics.push({
    ...place(field.index),
    rule: 'plan-loop-iteration',
    severity: 'error',
    message: `invalid loop iteration: ${field.value}`,
    expected: '<current> / <max>',
  });
  return { current: 0, max: 1 };
}

/** An unreadable status stops the loop rather than starting work that nobody asked for. */
function readLoopStatus(document: PlanDocument, diagnostics: Diagnostic[]): LoopStatus {
  const field = document.fields.get('Loop Status');
  if (field === undefined) return 'running';
  const status = LOOP_STATUSES.find((known) => known === field.value);
  if (status !== undefined) return status;
  diagnostics.push({
    ...place(field.index),
    rule: 'plan-loop-status',
    severity: 'error',
    message: `invalid loop status: ${field.value}`,
    expected: LOOP_STATUSES.join(', '),
  });
  return 'blocked';
}

function readTemplate(document: PlanDocument): string {
  const section = document.sections.find(({ title }) => title === TEMPLATE);
  if (section === undefined) return '';
  const lines = document.lines.slice(section.start + 1, section.end).map(({ text }) => text);
  return trimBlankLines(lines).join('\n');
}

/** The lines of the history section that are entries. */
export function historyIndexes(document: PlanDocument): readonly number[] {
  const section = document.sections.find(({ title }) => title === HISTORY);
  if (section === undefined) return [];
  const indexes = Array.from({ length: section.end - section.start - 1 }, (_, offset) => section.start + 1 + offset);
  return indexes.filter(
    (index) => document.hidden[index] !== 1 && /^-\s/.test(document.lines[index]?.text.trimStart() ?? ''),
  );
}

function historyEntry(line: string): string {
  return line.trim().slice(1).trim();
}
