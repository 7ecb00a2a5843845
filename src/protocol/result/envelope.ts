import { deliverablePath, itemText, saysNothing } from './items.ts';
import type { Line } from './structure.ts';
import { inOneLine } from '../one-line.ts';

type Section = 'status' | 'summary' | 'deliverables' | 'notes';

interface StatusLine {
  /** As written, without surrounding blanks. */
  readonly value: string;
  readonly line: number;
  readonly column: number;
  /** Written `STATUS`, not `Status`: no loose document does that. */
  readonly canonical: boolean;
}

export interface Envelope {
  /** In document order; the first one counts. */
  readonly statuses: readonly StatusLine[];
  /** `undefined` when there is no SUMMARY header. */
  readonly summary: { readonly text: string; readonly line: number } | undefined;
  readonly deliverables: readonly string[];
  readonly notes: readonly string[];
  /** Numbers of the lines that the envelope is made of. */
  readonly consumed: ReadonlySet<number>;
}

const HEADER = /^(?:\*\*)?(STATUS|SUMMARY|DELIVERABLES|NOTES)(?:\*\*)?[ \t]*[:：](?:\*\*)?[ \t]*(.*)$/is;

interface Draft {
  readonly statuses: StatusLine[];
  readonly summary: string[];
  readonly deliverables: string[];
  readonly notes: string[];
  readonly consumed: Set<number>;
  summaryLine: number | undefined;
  open: Section | undefined;
}

/** Reads the header lines of protocol.md §7.2 and what belongs to them, up to a lone `---`. */
export function readEnvelope(lines: readonly Line[], exists?: (path: string) => boolean): Envelope {
  const draft: Draft = {
    statuses: [],
    summary: [],
    deliverables: [],
    notes: [],
    consumed: new Set(),
    summaryLine: undefined,
    open: undefined,
  };
  for (const line of lines) {
    const trimmed = line.text.trim();
    if (trimmed === '---' && draft.consumed.size > 0) break;
    const header = HEADER.exec(trimmed);
    if (header !== null) readHeader(draft, line, header[1] ?? '', header[2] ?? '');
    else readContent(draft, line.number, trimmed);
  }
  const { statuses, summary, summaryLine, deliverables, notes, consumed } = draft;
  return {
    statuses,
    summary: summaryLine === undefined ? undefined : { text: inOneLine(summary.join(' ')), line: summaryLine },
    deliverables: deliverables.map((item) => deliverablePath(item, exists)),
    notes,
    consumed,
  };
}

function readHeader(draft: Draft, { number, text }: Line, word: string, rest: string): void {
  const section = word.toLowerCase() as Section;
  draft.open = section;
  draft.consumed.add(number);
  if (section === 'status') {
    const column = text.trimEnd().length - rest.length + 1;
    draft.statuses.push({ value: rest.trim(), line: number, column, canonical: word === 'STATUS' });
  } else if (section === 'summary') {
    // A second summary belongs to no one: the first counts, as with STATUS.
    if (draft.summaryLine === undefined) draft.summary.push(rest);
    else draft.open = undefined;
    draft.summaryLine ??= number;
  } else if (!saysNothing(rest)) {
    draft[section].push(rest);
  }
}

function readContent(draft: Draft, number: number, trimmed: string): void {
  if (/^#{1,6}[ \t]/.test(trimmed)) {
    draft.open = undefined;
  } else if (draft.open === 'summary') {
    if (trimmed !== '') draft.consumed.add(number);
    draft.summary.push(trimmed);
  } else if (draft.open === 'deliverables' || draft.open === 'notes') {
    const item = itemText(trimmed);
    if (item === undefined) return;
    draft.consumed.add(number);
    if (!saysNothing(item)) draft[draft.open].push(item);
  }
}
