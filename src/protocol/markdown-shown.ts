import type { Diagnostic } from './diagnostic.ts';
import type { LineRange, SourceLine } from './lines.ts';

/** Beyond these the text is not a document that a person or an agent keeps. */
export const MAX_CHARACTERS = 4 * 1024 * 1024;
export const MAX_LINES = 100_000;
const MAX_LINE = 64 * 1024;
const MAX_DEPTH = 32;
const MAX_INDENT = 128;
/** What all lines together may cost in nesting: the parser pays for each container on each line. */
export const MAX_NESTING = 512 * 1024;

export interface Shown {
  readonly shown: readonly string[];
  /** To be held against `MAX_NESTING`. */
  readonly nesting: number;
  readonly diagnostics: Diagnostic[];
}

/**
 * The lines as the Markdown parser is given them, one for one: opaque ones blank, those beyond the limits blank and
 * marked as hidden with a diagnostic, all others without what only costs time.
 */
export function shownLines(lines: readonly SourceLine[], opaque: LineRange, hidden: Uint8Array): Shown {
  const diagnostics: Diagnostic[] = [];
  let nesting = 0;
  const shown = lines.map((line, index) => {
    if (index >= opaque.start && index < opaque.end) return '';
    const prefix = containerPrefix(line.text);
    const problem = beyondLimits(line.text, prefix);
    if (problem === undefined) {
      nesting += prefix.length + prefix.depth ** 2;
      return blockText(line.text, prefix.length);
    }
    hidden[index] = 1;
    const place = { line: index + 1, column: 1 };
    diagnostics.push({ rule: 'markdown-line-left-out', severity: 'error', message: problem, ...place });
    return '';
  });
  return { shown, nesting, diagnostics };
}

interface Prefix {
  readonly depth: number;
  readonly length: number;
}

function beyondLimits(line: string, { depth, length }: Prefix): string | undefined {
  if (line.length > MAX_LINE) return `the line is longer than ${MAX_LINE} characters`;
  if (depth <= MAX_DEPTH && length <= MAX_INDENT) return undefined;
  return `the line is nested deeper than ${MAX_DEPTH} levels or ${MAX_INDENT} columns`;
}

/** List and quote marks and white space before a line's text: how many marks, how many characters. */
function containerPrefix(line: string): Prefix {
  const mark = /[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))/y;
  let depth = 0;
  let length = 0;
  while (depth <= MAX_DEPTH && mark.test(line)) {
    depth += 1;
    length = mark.lastIndex;
  }
  while (length <= MAX_INDENT && (line[length] === ' ' || line[length] === '\t')) length += 1;
  return { depth, length };
}

/** What may begin or end a block in the middle of a line stays; every other inline mark becomes a letter. */
const INLINE_MARKS = /<!--|<\/(?:script|pre|style|textarea)>|\]\]>|[![\]<*_&`\\]/gi;

/**
 * A line with its beginning as it is and no inline marks behind it. The parser reads the same blocks from it, and a
 * paragraph of nothing but brackets costs no more than one of words.
 */
function blockText(line: string, prefix: number): string {
  const text = line.slice(prefix);
  if (/^[-*_=\s]*$/.test(text)) return line;
  const head = /^(?:`+|~+|#+)?.{0,16}/su.exec(text)?.[0] ?? '';
  // A backtick behind an opening fence makes it inline code, so those stay.
  const keepTicks = head.startsWith('`');
  const tail = text
    .slice(head.length)
    .replaceAll(INLINE_MARKS, (mark) => (mark.length > 1 || (keepTicks && mark === '`') ? mark : 'x'));
  return line.slice(0, prefix) + head + tail;
}
