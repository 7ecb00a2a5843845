import type { Diagnostic } from '../diagnostic.ts';
import { RESULT_STATUSES } from '../records/types.ts';
import type { ResultStatus, TaskResult } from '../records/types.ts';
import { readEnvelope } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import { readLoose } from './loose.ts';
import type { LooseResult } from './loose.ts';
import { headOf, hiddenLines, linesOf } from './structure.ts';

export interface ParsedResult {
  /** Absent when there is a problem. */
  readonly result?: TaskResult;
  readonly format: 'strict' | 'loose';
  readonly diagnostics: readonly Diagnostic[];
  /** The first error in the protocol's words, for instance `invalid result status: <missing>`. */
  readonly problem?: string;
}

export interface ResultOptions {
  /** Whether a workspace-relative file is there; settles deliverables whose name holds ` - `. */
  readonly exists?: (path: string) => boolean;
}

/**
 * Reads a result.md in any of its forms (protocol.md §7.2, §7.3): an envelope outside code fences, else the loose
 * legacy form, else an envelope inside a fence. Never throws; deliverables are not checked against a task here
 * (see `checkDeliverable`).
 */
export function parseResult(text: string, options: ResultOptions = {}): ParsedResult {
  const { head, cut } = headOf(text);
  const lines = linesOf(head);
  const { hidden, fences } = hiddenLines(head, lines);
  const notices: Diagnostic[] = cut
    ? [warning('result-too-long', 'only the first part of this result was read', lines.length)]
    : [];

  const outside = readEnvelope(
    lines.filter(({ number }) => !hidden.has(number)),
    options.exists,
  );
  if (isStrict(outside)) return finish('strict', outside, notices);

  const loose = readLoose(head, options.exists);
  if (loose.status !== undefined) {
    const notice = warning(
      'result-loose',
      'result is in the legacy form',
      loose.status.line,
      'STATUS: and SUMMARY: lines',
    );
    return finish('loose', fromLoose(loose), [...notices, notice]);
  }

  for (const fence of fences) {
    const numbers = new Set(fence);
    const inside = readEnvelope(
      lines.filter(({ number }) => numbers.has(number)),
      options.exists,
    );
    const [status] = inside.statuses;
    if (!isStrict(inside) || status === undefined) continue;
    const notice = warning(
      'result-fenced',
      'result envelope stands in a code fence',
      status.line,
      'an envelope outside code',
    );
    return finish('strict', inside, [...notices, notice]);
  }
  return finish('strict', { ...outside, statuses: [] }, notices);
}

/** Lines (1-based) of a valid envelope outside fences, or `undefined`: what a rewrite may replace. */
export function envelopeLines(text: string): ReadonlySet<number> | undefined {
  const { head } = headOf(text);
  const lines = linesOf(head);
  const { hidden } = hiddenLines(head, lines);
  const envelope = readEnvelope(lines.filter(({ number }) => !hidden.has(number)));
  return isStrict(envelope) && finish('strict', envelope, []).result !== undefined ? envelope.consumed : undefined;
}

/** `Status:` alone opens many a report; only with a SUMMARY header beside it does it make an envelope. */
function isStrict(envelope: Envelope): boolean {
  const [status] = envelope.statuses;
  return status !== undefined && (status.canonical || envelope.summary !== undefined);
}

type Found = Pick<Envelope, 'statuses' | 'summary' | 'deliverables' | 'notes'>;

function fromLoose(loose: LooseResult): Found {
  return {
    statuses: loose.status === undefined ? [] : [{ ...loose.status, canonical: false }],
    summary: loose.summary === '' ? undefined : { text: loose.summary, line: 1 },
    deliverables: loose.deliverables,
    notes: loose.notes,
  };
}

function finish(format: 'strict' | 'loose', found: Found, notices: readonly Diagnostic[]): ParsedResult {
  const [first] = found.statuses;
  const status = first === undefined ? undefined : statusToken(first.value);
  const summary = found.summary?.text ?? '';
  const errors = [...statusErrors(found.statuses, status), ...(summary === '' ? [missingSummary(found)] : [])];
  const diagnostics = [...notices, ...errors];
  const [problem] = errors;
  if (problem !== undefined) return { format, diagnostics, problem: problem.message };
  const { deliverables, notes } = found;
  return { format, diagnostics, ...(status === undefined ? {} : { result: { status, summary, deliverables, notes } }) };
}

function statusErrors(statuses: Found['statuses'], status: ResultStatus | undefined): readonly Diagnostic[] {
  const [first] = statuses;
  if (first === undefined || status === undefined) {
    return [
      {
        rule: first === undefined ? 'result-status-missing' : 'result-status-invalid',
        severity: 'error',
        message: `invalid result status: ${first === undefined ? '<missing>' : shown(first.value)}`,
        line: first?.line ?? 1,
        column: first?.column ?? 1,
        expected: RESULT_STATUSES.join(', '),
      },
    ];
  }
  const other = statuses.find(({ value }) => statusToken(value) !== status);
  if (other === undefined) return [];
  return [
    {
      rule: 'result-status-conflict',
      severity: 'error',
      message: `conflicting result status: ${status} and ${shown(other.value)}`,
      line: other.line,
      column: other.column,
      expected: 'one STATUS line',
    },
  ];
}

function missingSummary({ summary, statuses }: Found): Diagnostic {
  return {
    rule: 'result-summary-missing',
    severity: 'error',
    message: 'result summary is required',
    line: summary?.line ?? statuses[0]?.line ?? 1,
    column: 1,
    expected: 'SUMMARY: <text>',
  };
}

function statusToken(value: string): ResultStatus | undefined {
  if (value.length > 80) return undefined;
  const token = value
    .trim()
    .replace(/[\p{P}\s]+$/u, '')
    .toUpperCase();
  return RESULT_STATUSES.find((status) => status === token);
}

function shown(value: string): string {
  if (value === '') return '<missing>';
  return value.length > 80 ? `${value.slice(0, 80)}…` : value;
}

function warning(rule: string, message: string, line: number, expected?: string): Diagnostic {
  return { rule, severity: 'warning', message, line, column: 1, ...(expected === undefined ? {} : { expected }) };
}
