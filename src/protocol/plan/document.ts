import type { Diagnostic } from '../diagnostic.ts';
import { indentOf } from '../lines.ts';
import type { LineRange, SourceLine } from '../lines.ts';
import { readStructure } from '../markdown.ts';
import type { MarkdownStructure } from '../markdown.ts';
import type { PlanNode } from '../plan-types.ts';
import { readTaskLine } from './line.ts';

/** A task line where it stands. */
export interface TaskLine {
  readonly node: PlanNode;
  /** 0-based index into `lines`. */
  readonly index: number;
  /** The white space before the dash, and its width in columns. */
  readonly indent: string;
  readonly columns: number;
  /** Another task line above has the same id; that one counts. */
  readonly duplicate: boolean;
}

/** A `## ` section: `start` is its heading, `end` the line after its last one. */
export interface Section extends LineRange {
  readonly title: string;
}

export interface FieldLine {
  readonly value: string;
  readonly index: number;
}

/** A plan as a document: everything that the plan and its edits need to know of the text. Line numbers are indexes. */
export interface PlanDocument {
  readonly text: string;
  /** Empty when the text is beyond all limits; such a document must not be rewritten. */
  readonly lines: readonly SourceLine[];
  readonly hidden: Uint8Array;
  readonly kind: 'dag' | 'loop';
  /** The runs of execution sections, in order; empty when no heading names one (protocol.md §6.4). */
  readonly regions: readonly LineRange[];
  /** The execution sections in these regions. */
  readonly sections: readonly Section[];
  /** Where task lines count. */
  readonly areas: readonly LineRange[];
  readonly tasks: readonly TaskLine[];
  /** First occurrence of each `**Name**:` line outside the template (protocol.md §6.3). */
  readonly fields: ReadonlyMap<string, FieldLine>;
  readonly diagnostics: readonly Diagnostic[];
}

export const TEMPLATE = 'Iteration Template';
export const CURRENT = 'Current Iteration';
export const HISTORY = 'Iteration History';
export const LOOP_PLAN = 'Loop Plan';
const DAG_PLAN = 'DAG Task Plan';
/** What older tools wrote (protocol.md §6.3). */
const LEGACY_PLAN = 'Task Plan';

/** The lines that hold the plan's own fields (protocol.md §6.3); a person's other bold lines are prose. */
export const FIELD = /^\*\*(Plan Type|Loop Status|Iteration|Goal|Stop Condition)\*\*:(.*)$/;

export const MAX_FINDINGS = 200;

/** Reads a plan's text as a document (protocol.md §6). Never throws: what is wrong becomes a diagnostic. */
export function readWhole(text: string): PlanDocument {
  const structure = readWithOpaqueTemplate(text);
  const all = sectionsOf(structure);
  const dag = all.some(({ title }) => title === DAG_PLAN || title === LOOP_PLAN) ? DAG_PLAN : LEGACY_PLAN;
  const { regions, sections } = regionsOf(all, dag);
  const fields = readFields(structure, sections);
  const diagnostics: Diagnostic[] = [...structure.diagnostics];
  const kind = readKind(fields, diagnostics);
  const areas = areasOf(kind, dag, sections, structure.lines.length, diagnostics);
  const tasks = readTasks(structure, areas, diagnostics);
  diagnostics.push(...unclosed(structure), ...conflictMarkers(structure));
  return { text, ...structure, kind, regions, sections, areas, tasks, fields, diagnostics: bounded(diagnostics) };
}

/**
 * A template may open a fence or a comment and leave it open. It must not swallow the sections behind it, so where the
 * parser finds no `## Current Iteration` but the text has one, the template is read past.
 */
function readWithOpaqueTemplate(text: string): MarkdownStructure {
  const structure = readStructure(text);
  const template = structure.headings.find((heading) => heading.depth === 2 && heading.text === TEMPLATE);
  if (template === undefined) return structure;
  const after = structure.headings.filter(({ line, depth }) => line > template.line && depth === 2);
  if (after.some((heading) => heading.text === CURRENT)) return structure;
  const end = structure.lines.findIndex((line, index) => index > template.line && line.text.trim() === `## ${CURRENT}`);
  return end === -1 ? structure : readStructure(text, { start: template.line + 1, end });
}

function sectionsOf({ headings, lines }: MarkdownStructure): readonly Section[] {
  const tops = headings.filter(({ depth }) => depth === 2);
  return tops.map(({ text, line }, index) => ({
    title: text,
    start: line,
    end: tops[index + 1]?.line ?? lines.length,
  }));
}

/** A region begins at an execution heading and takes in the loop's other sections that follow it. */
function regionsOf(
  all: readonly Section[],
  dag: string,
): { regions: readonly LineRange[]; sections: readonly Section[] } {
  const openers = new Set([dag, LOOP_PLAN]);
  const names = new Set([...openers, TEMPLATE, CURRENT, HISTORY]);
  const regions: LineRange[] = [];
  const sections: Section[] = [];
  let open: LineRange | undefined;
  for (const section of all) {
    const belongs = (open === undefined ? openers : names).has(section.title);
    if (belongs) sections.push(section);
    else if (open !== undefined) regions.push(open);
    open = belongs ? { start: open?.start ?? section.start, end: section.end } : undefined;
  }
  return { regions: open === undefined ? regions : [...regions, open], sections };
}

function readFields(
  { lines, hidden }: MarkdownStructure,
  sections: readonly Section[],
): ReadonlyMap<string, FieldLine> {
  const templates = sections.filter(({ title }) => title === TEMPLATE);
  const fields = new Map<string, FieldLine>();
  for (const [index, { text }] of lines.entries()) {
    if (!text.startsWith('**') || hidden[index] === 1) continue;
    const [, name, value = ''] = FIELD.exec(text) ?? [];
    if (name === undefined || fields.has(name) || templates.some((range) => within(range, index))) continue;
    fields.set(name, { value: value.trim(), index });
  }
  return fields;
}

/** Whether the document could be taken apart at all. */
export function isReadable({ lines, text }: PlanDocument): boolean {
  return lines.length > 0 || text === '';
}

export function within({ start, end }: LineRange, index: number): boolean {
  return start <= index && index < end;
}

function readKind(fields: ReadonlyMap<string, FieldLine>, diagnostics: Diagnostic[]): 'dag' | 'loop' {
  const field = fields.get('Plan Type');
  const kind = field?.value.toLowerCase();
  if (kind === 'loop') return 'loop';
  if (field !== undefined && kind !== 'dag') {
    diagnostics.push({
      ...place(field.index),
      rule: 'plan-type',
      severity: 'warning',
      message: `unknown plan type: ${field.value}; read as dag`,
      expected: 'dag or loop',
    });
  }
  return 'dag';
}

function areasOf(
  kind: 'dag' | 'loop',
  dag: string,
  sections: readonly Section[],
  lineCount: number,
  diagnostics: Diagnostic[],
): readonly LineRange[] {
  const wanted = kind === 'loop' ? CURRENT : dag;
  const areas = sections.filter(({ title }) => title === wanted).map(({ start, end }) => ({ start: start + 1, end }));
  if (areas.length > 0) return areas;
  if (kind === 'dag' && sections.length === 0) return [{ start: 0, end: lineCount }];
  diagnostics.push({
    ...place(sections[0]?.start ?? 0),
    rule: 'plan-section',
    severity: 'warning',
    message: `a ${kind} plan has no "## ${wanted}" section, so it has no tasks`,
    expected: `## ${wanted}`,
  });
  return [];
}

function readTasks(
  { lines, hidden }: MarkdownStructure,
  areas: readonly LineRange[],
  diagnostics: Diagnostic[],
): readonly TaskLine[] {
  const tasks: TaskLine[] = [];
  const firstLines = new Map<string, { readonly id: string; readonly line: number }>();
  for (const { start, end } of areas) {
    for (let index = start; index < end; index += 1) {
      const text = lines[index]?.text ?? '';
      const reading = hidden[index] === 1 ? undefined : readTaskLine(text);
      if (reading === undefined) continue;
      for (const finding of reading.findings) diagnostics.push({ severity: 'warning', ...finding, line: index + 1 });
      if (reading.kind === 'suspect') continue;
      const node = { ...reading.node, line: index + 1 };
      const first = firstLines.get(node.id.toLowerCase());
      const duplicate = first?.id === node.id;
      if (first === undefined) firstLines.set(node.id.toLowerCase(), node);
      else diagnostics.push(clash(node, first));
      tasks.push({ node, index, indent: reading.indent, columns: indentOf(text), duplicate });
    }
  }
  return tasks;
}

/** Code or a comment that is never closed takes every task below it along, which nobody means. */
function unclosed({ lines, hidden, diagnostics }: MarkdownStructure): readonly Diagnostic[] {
  const last = lines.findLastIndex(({ text }) => text.trim() !== '');
  if (hidden[last] !== 1 || /(?:`{3}|~{3}|-->)\s*$/.test(lines[last]?.text ?? '')) return [];
  const start = hidden.lastIndexOf(0, last) + 1;
  const lost = lines.slice(start).filter(({ text }) => readTaskLine(text)?.kind === 'task').length;
  const isLeftOut = diagnostics.some(({ line }) => line === start + 1);
  if (lost === 0 || isLeftOut) return [];
  const message = `what begins here is never closed, so ${lost} task lines below it are not read`;
  return [{ ...place(start), rule: 'plan-unclosed', severity: 'warning', message, expected: 'a closing fence or -->' }];
}

function conflictMarkers({ lines }: MarkdownStructure): readonly Diagnostic[] {
  const index = lines.findIndex(({ text }) => text.startsWith('<<<<<<< '));
  if (index === -1) return [];
  const message = 'a merge of git was left unfinished here';
  return [
    { ...place(index), rule: 'plan-conflict-marker', severity: 'error', message, expected: 'one side or the other' },
  ];
}

function clash(node: PlanNode, first: { readonly id: string; readonly line: number }): Diagnostic {
  const same = first.id === node.id;
  return {
    ...place(node.line - 1),
    rule: same ? 'plan-duplicate-id' : 'plan-id-case',
    severity: 'error',
    message: same
      ? `duplicate task ids in graph: ${node.id} (first on line ${first.line})`
      : `task ids differ only by case: ${first.id} (line ${first.line}) and ${node.id}`,
    expected: 'an id of its own for every task',
  };
}

export function place(index: number): Pick<Diagnostic, 'line' | 'column'> {
  return { line: index + 1, column: 1 };
}

/** A broken file is worth some findings, not a hundred thousand; errors come first when some must go. */
function bounded(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (diagnostics.length <= MAX_FINDINGS) return diagnostics;
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning');
  const kept = [...errors, ...warnings].slice(0, MAX_FINDINGS);
  const left = diagnostics.length - kept.length;
  const message = `${left} more findings are not shown`;
  return [...kept, { ...place(0), rule: 'plan-findings', severity: 'warning', message }];
}
