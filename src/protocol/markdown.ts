import type { Root, RootContent } from 'mdast';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import type { Processor } from 'unified';
import type { Diagnostic } from './diagnostic.ts';
import { splitLines } from './lines.ts';
import type { LineRange, SourceLine } from './lines.ts';
import { MAX_CHARACTERS, MAX_LINES, MAX_NESTING, shownLines } from './markdown-shown.ts';

/**
 * Which lines of a document are what. The Markdown tree tells the structure; everything else is read from the source
 * lines, and the tree is never printed back (architecture.md, "Reading and writing Markdown").
 */
export interface MarkdownStructure {
  readonly lines: readonly SourceLine[];
  /** Per line: 1 inside fenced code, an HTML comment or a block quote. */
  readonly hidden: Uint8Array;
  /** The `#` headings that stand in the document itself, not in lists or quotes, in order. */
  readonly headings: readonly Heading[];
  /** What could not be read because it is beyond sane limits. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface Heading {
  /** 0-based index into `lines`. */
  readonly line: number;
  readonly depth: number;
  readonly text: string;
}

/** The parser's time grows with the square of a long list, so it is given this many lines at once. */
const WINDOW = 256;
/** A block longer than this is read on as if it ended there; only code and HTML, which are cheap, may go on. */
const MAX_WINDOW = 4096;

const INLINE = [
  'attention',
  'autolink',
  'characterEscape',
  'characterReference',
  'codeText',
  'definition',
  'hardBreakEscape',
  'htmlText',
  'labelEnd',
  'labelStartImage',
  'labelStartLink',
];

/** Only blocks matter here; without the inline constructs hostile text costs no more than plain text. */
function blocksOnly(this: Processor): void {
  this.data({ micromarkExtensions: [{ disable: { null: INLINE } }] });
}

const parser = unified().use(remarkParse).use(blocksOnly).freeze();

/**
 * Reads the structure of a text. `opaque` names lines that are shown to the parser as blank, for content that must not
 * reach beyond its own section. Never throws; what is beyond the limits is left out with a diagnostic.
 */
export function readStructure(text: string, opaque: LineRange = { start: 0, end: 0 }): MarkdownStructure {
  if (text.length > MAX_CHARACTERS) return tooMuch(`the text is longer than ${MAX_CHARACTERS} characters`);
  const lines = splitLines(text);
  if (lines.length > MAX_LINES) return tooMuch(`the text has more than ${MAX_LINES} lines`);

  const hidden = new Uint8Array(lines.length);
  const { shown, nesting, diagnostics } = shownLines(lines, opaque, hidden);
  if (nesting > MAX_NESTING) return tooMuch('the text holds too much nesting');
  const structure = { lines, hidden, headings: [], diagnostics };
  readBlocks(shown, structure);
  return structure;
}

function tooMuch(message: string): MarkdownStructure {
  const diagnostic = { rule: 'markdown-too-large', severity: 'error', message, line: 1, column: 1 } as const;
  return { lines: [], hidden: new Uint8Array(0), headings: [], diagnostics: [diagnostic] };
}

/**
 * Parses window after window. The last block of a window (of a list: its last item) may go on below, so the next
 * window begins at its first line, which parses the same there as in the whole.
 */
function readBlocks(shown: readonly string[], structure: Structure): void {
  let start = 0;
  let size = WINDOW;
  while (start < shown.length) {
    const end = Math.min(start + size, shown.length);
    const tree = parser.parse(shown.slice(start, end).join('\n'));
    const resume = end === shown.length ? end : start + lastStart(tree, end - start);
    if (resume > start) {
      markLines(tree, { start, end: resume, shown }, structure);
      start = resume;
      size = WINDOW;
    } else if (size < MAX_WINDOW || isVerbatim(tree.children.at(-1))) {
      size *= 2;
    } else {
      structure.diagnostics.push({
        rule: 'markdown-block-too-long',
        severity: 'warning',
        message: `the block is longer than ${MAX_WINDOW} lines; what follows is read as if it ended there`,
        line: start + 1,
        column: 1,
      });
      markLines(tree, { start, end, shown }, structure);
      start = end;
      size = WINDOW;
    }
  }
}

function isVerbatim(block: Block | undefined): boolean {
  return block?.type === 'code' || block?.type === 'html';
}

/** 0-based line at which the last block of a window begins, or its end when all of it is blank. */
function lastStart(tree: Root, size: number): number {
  const block = tree.children.at(-1);
  if (block === undefined) return size;
  const last = block.type === 'list' ? (block.children.at(-1) ?? block) : block;
  return firstLine(last) - 1;
}

/** The result while it is being made. */
interface Structure extends MarkdownStructure {
  readonly headings: Heading[];
  readonly diagnostics: Diagnostic[];
}

interface Window {
  /** Index of the window's first line, and of the first line that no longer counts. */
  readonly start: number;
  readonly end: number;
  /** The lines as the parser saw them. */
  readonly shown: readonly string[];
}

type Block = Pick<RootContent, 'type' | 'position'> & { readonly children?: readonly RootContent[] };

const firstLine = (block: Block): number => block.position?.start.line ?? 1;

/** A quote that ends in code ends, for the parser, in front of the next line. */
function lastLine({ position }: Block): number {
  if (position === undefined) return 1;
  const { start, end } = position;
  return end.column === 1 && end.line > start.line ? end.line - 1 : end.line;
}

function markLines(tree: Root, window: Window, { lines, hidden, headings }: Structure): void {
  const waiting: Block[] = [...tree.children].toReversed();
  for (let block = waiting.pop(); block !== undefined; block = waiting.pop()) {
    const start = window.start + firstLine(block) - 1;
    const end = Math.min(window.start + lastLine(block), window.end);
    if (start >= end) continue;
    const source = window.shown.slice(start, end);
    if (block.type === 'list' || block.type === 'listItem') waiting.push(...(block.children ?? []).toReversed());
    else markLeaf(block, source, start, hidden);
  }
  for (const block of tree.children) {
    const line = window.start + firstLine(block) - 1;
    // An underlined heading, which has two lines and more, opens no section (protocol.md §6.3).
    if (block.type !== 'heading' || line >= window.end || lastLine(block) > firstLine(block)) continue;
    headings.push({ line, depth: block.depth, text: headingText(lines[line]?.text ?? '') });
  }
}

function markLeaf({ type, position }: Block, source: readonly string[], start: number, hidden: Uint8Array): void {
  const column = (position?.start.column ?? 1) - 1;
  const first = source[0]?.slice(column) ?? '';
  const isFence = type === 'code' && /^\s*(?:`{3}|~{3})/.test(first);
  const isComment = type === 'html' && first.startsWith('<!--');
  if (isFence || isComment || type === 'blockquote') {
    // Behind the dash of its item a block hides the lines below it; the line of the item itself is still an item.
    const isInItem = source[0]?.slice(0, column).trim() !== '';
    hidden.fill(1, start + (isInItem ? 1 : 0), start + source.length);
  } else if (type === 'code') markInnerFences(source, start, hidden);
  else if (type === 'html') markComments(source, start, hidden, () => true);
  // In a paragraph only what looks like an item is taken out; its other lines are text that somebody may have quoted.
  else if (type === 'paragraph' && source.length > 1) markComments(source, start, hidden, isItemLike);
}

function headingText(source: string): string {
  const text = source.trim().replace(/^#+/, '').trim();
  const closing = /^(?:#+|.*[ \t]#+)$/.test(text) ? text.replace(/#+$/, '') : text;
  return closing.trimEnd();
}

/** A fence that stands so deep that Markdown takes it for indented code still hides its lines (protocol.md Appendix A). */
function markInnerFences(source: readonly string[], start: number, hidden: Uint8Array): void {
  let open: string | undefined;
  for (const [index, line] of source.entries()) {
    const fence = /^(?:`{3,}|~{3,})/.exec(line.trim())?.[0];
    if (open !== undefined || fence !== undefined) hidden[start + index] = 1;
    if (fence === undefined) continue;
    if (open === undefined) open = fence;
    else if (fence[0] === open[0] && fence.length >= open.length) open = undefined;
  }
}

const isItemLike = (line: string): boolean => line.trimStart().startsWith('-');

/** Lines that begin inside a comment which opened further up in the same block; one that never closes hides nothing. */
function markComments(
  source: readonly string[],
  start: number,
  hidden: Uint8Array,
  hides: (line: string) => boolean,
): void {
  let opened: number | undefined;
  for (const [index, line] of source.entries()) {
    let from = 0;
    for (;;) {
      const mark = opened === undefined ? '<!--' : '-->';
      const found = line.indexOf(mark, from);
      if (found === -1) break;
      from = found + mark.length;
      for (let at = (opened ?? index) + 1; at <= index; at += 1) if (hides(source[at] ?? '')) hidden[start + at] = 1;
      opened = opened === undefined ? index : undefined;
    }
  }
}
