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
  const headings: number[] = [];
  const visit = (node: Nodes, top: boolean): void => {
    const start = (node.position?.start.line ?? 1) - 1;
    // An end in column 1 is the end of the line before.
    const end =
      (node.position?.end.line ?? 0) - (node.position?.end.column === 1 && start + 1 < node.position.end.line ? 1 : 0);
    const first = lines[start]?.slice((node.position?.start.column ?? 1) - 1).trimStart() ?? '';
    const isCode = node.type === 'code' && /^(?:```|~~~)/.test(first);
    if (isCode || node.type === 'blockquote' || (node.type === 'html' && first.startsWith('<!--'))) {
      for (let line = start; line < end; line += 1) hidden.add(line);
    } else if (node.type === 'html' || node.type === 'paragraph') {
      const source = lines.slice(start, end).join('\n');
      const lineOf = (offset: number): number => start + source.slice(0, offset).split('\n').length - 1;
      for (const { 0: comment, index } of source.matchAll(/<!--[^]*?-->/g)) {
        for (let line = lineOf(index) + 1; line <= lineOf(index + comment.length); line += 1) {
          if (node.type === 'html' || /^\s*-/.test(lines[line] ?? '')) hidden.add(line);
        }
      }
    } else if (node.type === 'heading' && top && first.startsWith('#')) headings.push(start);
    else if (node.type === 'list' || node.type === 'listItem') for (const child of node.children) visit(child, false);
  };
  for (const child of unified().use(remarkParse).parse(text).children) visit(child, true);
  return { hidden: [...hidden].toSorted((a, b) => a - b), headings };
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
