import type { Nodes, Root } from 'mdast';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

/**
 * How much of a result.md is read. The envelope stands at the top, the report below it is free text of any length;
 * the limit keeps a hostile file from holding the node.
 */
export const MAX_HEAD = 65_536;

/** Deeper nesting means nothing to us, and costs the Markdown parser quadratic time. */
const DEEP_NESTING = /^[ \t]*(?:(?:[>*+-]|\d{1,9}[.)])[ \t]*){33,}/gm;

/**
 * Blocks only. Emphasis, links and code spans are left as written because items are read from their source; indented
 * code and underlined headings are off because envelopes may be indented and end with `---`.
 */
const DISABLED = [
  'attention',
  'autolink',
  'characterEscape',
  'characterReference',
  'codeIndented',
  'codeText',
  'definition',
  'hardBreakEscape',
  'htmlText',
  'labelEnd',
  'labelStartImage',
  'labelStartLink',
  'setextUnderline',
];

const blocks = unified()
  .use(remarkParse)
  .data('micromarkExtensions', [{ disable: { null: DISABLED } }])
  .freeze();

export interface Line {
  /** 1-based. */
  readonly number: number;
  readonly text: string;
}

/** The part of a text that is read, without BOM and CR, and whether something was left out. */
export function headOf(text: string): { readonly head: string; readonly cut: boolean } {
  const clean = normaliseText(text);
  if (clean.length <= MAX_HEAD) return { head: clean, cut: false };
  const end = clean.lastIndexOf('\n', MAX_HEAD);
  return { head: clean.slice(0, end > 0 ? end + 1 : MAX_HEAD), cut: true };
}

/** Text as it is stored: no BOM, LF line ends. */
export function normaliseText(text: string): string {
  return text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n');
}

export function linesOf(text: string): readonly Line[] {
  return text.split('\n').map((line, index) => ({ number: index + 1, text: line }));
}

/** The block structure of `head`; positions are those of `head`. */
export function parseBlocks(head: string): Root {
  return blocks.parse(head.replaceAll(DEEP_NESTING, (run) => 'x'.repeat(run.length)));
}

export interface HiddenLines {
  readonly hidden: ReadonlySet<number>;
  /** Per fenced block, the numbers of the lines between its fences. */
  readonly fences: readonly (readonly number[])[];
}

/** Lines that only show something: fenced code and HTML comments. */
export function hiddenLines(head: string, lines: readonly Line[]): HiddenLines {
  if (!/```|~~~|<!--/.test(head)) return { hidden: new Set(), fences: [] };
  const hidden = new Set<number>();
  const fences: number[][] = [];
  visit(parseBlocks(head), (node) => {
    const isComment = node.type === 'html' && node.value.startsWith('<!--');
    if ((node.type !== 'code' && !isComment) || node.position === undefined) return;
    const { start } = node.position;
    // A fence that its list item cuts short ends before the first character of the next line.
    const last = node.position.end.column === 1 ? node.position.end.line - 1 : node.position.end.line;
    // `- ~~~` is an item that says "~~~", whatever a fence in a list item may be elsewhere.
    const opensLine = /^\s*(?:```|~~~|<!--)/.test(lines[start.line - 1]?.text ?? '');
    const numbers = range(opensLine ? start.line : start.line + 1, last);
    for (const number of numbers) hidden.add(number);
    const isClosed = last > start.line && /^[\s>]*(?:`{3,}|~{3,})\s*$/.test(lines[last - 1]?.text ?? '');
    if (node.type === 'code') fences.push(range(start.line + 1, isClosed ? last - 1 : last));
  });
  return { hidden, fences };
}

/** Depth first, in document order. */
export function visit(node: Nodes, enter: (node: Nodes) => void): void {
  enter(node);
  if ('children' in node) for (const child of node.children) visit(child, enter);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
