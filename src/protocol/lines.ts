/** One line of a text by its offsets; the terminator lies between `end` and `next`. */
export interface SourceLine {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

/** A range of line indexes, the end not included. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The lines of a text as CommonMark counts them (LF, CRLF, lone CR), so that line numbers agree with the Markdown
 * parser. A text that ends in a line break has no empty line after it.
 */
export function splitLines(text: string): readonly SourceLine[] {
  const lines: SourceLine[] = [];
  const breaks = /\r\n|\n|\r/g;
  let start = 0;
  for (let found = breaks.exec(text); found !== null; found = breaks.exec(text)) {
    lines.push({ text: text.slice(start, found.index), start, end: found.index, next: breaks.lastIndex });
    start = breaks.lastIndex;
  }
  if (start < text.length) lines.push({ text: text.slice(start), start, end: text.length, next: text.length });
  return lines;
}

/** The column at which a line's text begins, 0-based, tabs to the next multiple of four as in CommonMark. */
export function indentOf(line: string): number {
  let columns = 0;
  for (const char of line) {
    if (char === '\t') columns += 4 - (columns % 4);
    else if (char === ' ') columns += 1;
    else break;
  }
  return columns;
}

/** Takes up to so many columns of white space off the front of a line. */
export function dedent(line: string, columns: number): string {
  let taken = 0;
  let left = columns;
  for (; left > 0 && (line[taken] === ' ' || line[taken] === '\t'); taken += 1) left -= line[taken] === '\t' ? 4 : 1;
  return line.slice(taken);
}

const isText = (line: string): boolean => line.trim() !== '';

/** Without the blank lines at both ends. */
export function trimBlankLines(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex(isText);
  return first === -1 ? [] : lines.slice(first, lines.findLastIndex(isText) + 1);
}
