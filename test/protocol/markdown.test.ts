import * as fc from 'fast-check';
import type { Nodes } from 'mdast';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { describe, expect, test } from 'vitest';
import { readStructure } from '../../src/protocol/markdown.ts';

/** The same question put to the parser about the whole text at once. */
function reference(text: string): { readonly hidden: readonly number[]; readonly headings: readonly number[] } {
  const lines = text.split('\n');
  const hidden = new Set<number>();
  const root = unified().use(remarkParse).parse(text);
  const visit = (node: Nodes): void => {
    if (node.type === 'list' || node.type === 'listItem') node.children.forEach(visit);
    else for (const line of hiddenBy(node, lines)) hidden.add(line);
  };
  root.children.forEach(visit);
  const headings = root.children.map((node) => (node.type === 'heading' ? rangeOf(node).start : -1));
  return {
    hidden: [...hidden].toSorted((a, b) => a - b),
    headings: headings.filter((line) => lines[line]?.trimStart().startsWith('#')),
  };
}

function hiddenBy(node: Nodes, lines: readonly string[]): readonly number[] {
  const { start, end } = rangeOf(node);
  const column = (node.position?.start.column ?? 1) - 1;
  const source = lines.slice(start, end);
  if (hidesAll(node, source[0]?.slice(column).trimStart() ?? '')) {
    // The line of an item is an item, even if a block begins behind its dash.
    const isInItem = source[0]?.slice(0, column).trim() !== '';
    return source.map((_, offset) => start + offset).slice(isInItem ? 1 : 0);
  }
  if (node.type !== 'html' && node.type !== 'paragraph') return [];
  const inside = commented(source.join('\n')).map((line) => start + line);
  return inside.filter((line) => node.type === 'html' || /^\s*-/.test(lines[line] ?? ''));
}

/** An end in column 1 is the end of the line before. */
function rangeOf({ position }: Nodes): { readonly start: number; readonly end: number } {
  if (position === undefined) return { start: 0, end: 0 };
  const { start, end } = position;
  return { start: start.line - 1, end: end.line - (end.column === 1 && start.line < end.line ? 1 : 0) };
}

function hidesAll({ type }: Nodes, first: string): boolean {
  if (type === 'code') return /^(?:```|~~~)/.test(first);
  return type === 'blockquote' || (type === 'html' && first.startsWith('<!--'));
}

/** The lines that begin inside a comment. */
function commented(source: string): readonly number[] {
  const lineOf = (offset: number): number => source.slice(0, offset).split('\n').length - 1;
  return [...source.matchAll(/<!--[^]*?-->/g)].flatMap(({ 0: comment, index }) => {
    const [from, to] = [lineOf(index), lineOf(index + comment.length)];
    return Array.from({ length: to - from }, (_, offset) => from + 1 + offset);
  });
}

const LINES = [
  '',
  '',
  'text',
  '- item',
  '- [ ] a — x',
  '  - nested',
  '    more text',
  '      deep text',
  '1. one',
  '* star',
  '# One',
  '## Two',
  '  ## Indented',
  '```',
  '```js',
  '````',
  '~~~',
  '  ```',
  '<!--',
  '-->',
  '<!-- one line -->',
  '<div>',
  '</div>',
  '<script>',
  'x </script>',
  '> quote',
  '> ```',
  '---',
  '===',
  '***',
  '\ttab',
  'a very long line with ![marks](x) and `code` and <b>tags</b> and *stars* and _more_ &amp; [links]',
  '```js``` is inline code, though it begins like a fence',
];

describe('readStructure', () => {
  test('hides fenced code, comments and quotes, and lists the headings of the document', () => {
    const text =
      '# A\n\n```\n# no\n```\n\n> # no\n\n<!--\n# no\n-->\n\n- item\n\n  # no\n\nUnder\n---\n\n##   B `c`  ##\n';

    const { hidden, headings, diagnostics } = readStructure(text);

    expect([...hidden].flatMap((flag, line) => (flag === 1 ? [line] : []))).toEqual([2, 3, 4, 6, 8, 9, 10]);
    expect(headings).toEqual([
      { line: 0, depth: 1, text: 'A' },
      { line: 19, depth: 2, text: 'B `c`' },
    ]);
    expect(diagnostics).toEqual([]);
  });

  test('hides nothing behind a quote that ends in code', () => {
    expect([...readStructure('> ```\n> - [ ] a — x\n- [ ] b — x\n').hidden]).toEqual([1, 1, 0]);
  });

  test('does not hide the line of an item that begins with a block', () => {
    expect([...readStructure('- ```\n  x\n  ```\n- <!-- x\n- > x\n').hidden]).toEqual([0, 1, 1, 0, 0]);
  });

  test('counts lines as editors do, whatever ends them', () => {
    expect(readStructure('a\r\nb\nc\r## D').headings).toEqual([{ line: 3, depth: 2, text: 'D' }]);
  });

  test('reads past opaque lines', () => {
    const text = '## A\n```\n## B\n';

    expect(readStructure(text).headings.map(({ text: title }) => title)).toEqual(['A']);
    expect(readStructure(text, { start: 1, end: 2 }).headings.map(({ text: title }) => title)).toEqual(['A', 'B']);
  });

  test('reads a long document piece by piece as it would be read whole', () => {
    const line = fc.constantFrom(...LINES);
    // Long enough for several pieces, and repeated in parts so that lists and fences lie across their borders.
    const document = fc
      .array(fc.tuple(fc.array(line, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 60 })), {
        maxLength: 12,
      })
      .map((parts) => parts.flatMap(([lines, times]) => Array.from({ length: times }, () => lines).flat()).join('\n'))
      .map((text) => `${text}\nend`);
    fc.assert(
      fc.property(document, (text) => {
        const { hidden, headings } = readStructure(text);
        expect({
          hidden: [...hidden].flatMap((flag, at) => (flag === 1 ? [at] : [])),
          headings: headings.map((heading) => heading.line),
        }).toEqual(reference(text));
      }),
      { numRuns: 60 },
    );
  });

  test('reads a list item that goes on for thousands of lines to its end, with a warning', () => {
    const text = `- a\n${'  - b\n'.repeat(5000)}\n## After\n`;

    const { headings, diagnostics } = readStructure(text);

    expect(headings).toEqual([{ line: 5002, depth: 2, text: 'After' }]);
    expect(diagnostics.map(({ rule, line }) => [rule, line])).toEqual([['markdown-block-too-long', 1]]);
  });
});
