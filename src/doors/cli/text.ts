import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';

/** The few ways in which the terminal shows meaning; each is the identity when colour is off. */
export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
  readonly cyan: Paint;
  readonly magenta: Paint;
}

export type Paint = (text: string) => string;

export function createPalette(color: boolean): Palette {
  return picocolors.createColors(color);
}

/** Which colour stands for which state, by the state's word. */
export type Paints = Readonly<Record<string, keyof Palette>>;

/** How a state is painted; one that is in no table stays as it is. */
export function paintOf(paints: Paints, status: string, palette: Palette): Paint {
  const name = paints[status];
  return name === undefined ? (text) => text : palette[name];
}

const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{1f000}-\u{1faff}]|[\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})/u;

/** Made at first use: it costs more than all the rest of a short command's start. */
let graphemes: Intl.Segmenter | undefined;

function segmentsOf(text: string): readonly string[] {
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

function segmentWidth(segment: string): number {
  if (/^[\p{Mark}\u200b-\u200d\ufeff]+$/u.test(segment)) return 0;
  return WIDE.test(segment) || segment.includes('\ufe0f') ? 2 : 1;
}

/** Columns that a text takes on a terminal; colour codes take none, CJK and emoji take two. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  return segmentsOf(stripVTControlCharacters(text)).reduce((sum, segment) => sum + segmentWidth(segment), 0);
}

/** Texts come from files that others wrote: what could steer the terminal is taken out, white space becomes one blank. */
export function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\s+/gu, ' ')
    .replace(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
}

/** As `printable`, but keeps the line breaks. */
export function printableLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.match(/^\s*/u)?.[0].replace(/\t/g, '  ') + printable(line))
    .join('\n')
    .trimEnd();
}

/** Cuts to at most `width` columns, with `…` where something is missing. */
export function clip(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let taken = '';
  let used = 0;
  for (const segment of segmentsOf(text)) {
    const next = segmentWidth(segment);
    if (used + next > width - 1) break;
    taken += segment;
    used += next;
  }
  return `${taken}…`;
}

/** Fills with blanks to `width` columns. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Columns aligned under each other, two blanks apart, no trailing blanks. Cells may hold colour. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => displayWidth(row[column] ?? ''))),
  );
  return rows
    .map(
      (row) =>
        indent +
        row
          .map((cell, column) => pad(cell, widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
    )
    .join('\n');
}

/** `1 task`, `2 tasks`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
