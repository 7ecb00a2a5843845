import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePlan } from '../../../src/protocol/plan/parse.ts';

const folder = new URL('../../../fixtures/plan/', import.meta.url);
const documents = readdirSync(folder).filter((name) => name.endsWith('.md'));
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

const ids = (text: string): readonly string[] => parsePlan(text).nodes.map(({ id }) => id);
const rules = (text: string): readonly string[] => parsePlan(text).diagnostics.map(({ rule }) => rule);

describe('parsePlan', () => {
  test.each(documents)('reads %s as its fixture says', (name) => {
    expect(parsePlan(read(name))).toEqual(JSON.parse(read(name.replace(/\.md$/, '.json'))));
  });

  test.each(documents)('reads %s with CRLF line ends alike', (name) => {
    const text = read(name);

    expect(parsePlan(text.replaceAll('\n', '\r\n'))).toEqual(parsePlan(text));
  });

  test('reads a byte order mark past', () => {
    expect(parsePlan(`\uFEFF${read('dag.md')}`)).toEqual(parsePlan(read('dag.md')));
  });

  test('takes tasks only from the execution section when there is one', () => {
    expect(ids('- [ ] a — x\n\n## DAG Task Plan\n\n- [ ] b — x\n\n## More\n\n- [ ] c — x\n')).toEqual(['b']);
  });

  test('takes "## Task Plan" for an ordinary section beside "## DAG Task Plan"', () => {
    expect(ids('## Task Plan\n- [ ] a — x\n## DAG Task Plan\n- [ ] b — x\n')).toEqual(['b']);
  });

  test('matches headings on the trimmed line, but not underlined ones', () => {
    expect(ids('- [ ] a — x\n\ntext\n  ## DAG Task Plan  \n- [ ] b — x\n')).toEqual(['b']);
    expect(ids('DAG Task Plan\n---\n- [ ] a — x\n')).toEqual(['a']);
  });

  test('counts a task line however deep it is indented, also where Markdown sees code', () => {
    const text = '## DAG Task Plan\n\n- [ ] a — x\n        - [ ] b — x\n\n            - [ ] c — x\n\n    - [ ] d — x\n';

    expect(ids(text)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('keeps lines hidden in a fence that Markdown takes for indented code', () => {
    expect(ids('para\n\n        ```\n        - [ ] a — x\n        ```\n\n- [ ] b — x\n')).toEqual(['b']);
  });

  test.each([
    ['a longer closing fence', '```\n- [ ] a — x\n`````\n- [ ] b — x\n'],
    ['a shorter fence inside', '````\n```\n- [ ] a — x\n````\n- [ ] b — x\n'],
    ['the other character inside', '~~~\n```\n- [ ] a — x\n~~~\n- [ ] b — x\n'],
    ['inline code that begins like a fence', '```js``` is code\n\n- [ ] b — x\n'],
    ['a comment over several lines', '<!--\n\n- [ ] a — x\n\n-->\n- [ ] b — x\n'],
    ['a comment that opens behind text', 'text <!--\n      - [ ] a — x\n--> text\n\n- [ ] b — x\n'],
    ['a block quote', '> - [ ] a — x\n\n- [ ] b — x\n'],
  ])('knows %s', (_, text) => {
    expect(ids(text)).toEqual(['b']);
  });

  test('takes a comment mark in a title for text', () => {
    expect(ids('- [ ] a — about <!-- marks\n- [ ] b — and --> marks\n')).toEqual(['a', 'b']);
  });

  test('reads the plan type in any case and takes a missing one for dag', () => {
    expect(parsePlan('**Plan Type**: LOOP\n').kind).toBe('loop');
    expect(parsePlan('## Loop Plan\n').kind).toBe('dag');
    expect(rules('## Loop Plan\n')).toEqual(['plan-section']);
  });

  test('gives a loop without fields their defaults', () => {
    expect(parsePlan('## Loop Plan\n\n**Plan Type**: loop\n').loop).toEqual({
      goal: '',
      stopCondition: '',
      iterationTemplate: '',
      maxIterations: 1,
      currentIteration: 0,
      status: 'running',
      history: [],
    });
  });

  test('lets the first occurrence of a field win, wherever it stands', () => {
    const text = '**Goal**: first\n\n## Loop Plan\n\n**Plan Type**: loop\n**Goal**: second\n';

    expect(parsePlan(text).loop?.goal).toBe('first');
  });

  test('takes fields only at column 0, outside code', () => {
    const text = '```\n**Plan Type**: loop\n```\n **Plan Type**: loop\ntext **Plan Type**: loop\n';

    expect(parsePlan(text).kind).toBe('dag');
  });

  test('reports a duplicate id with the phrase that every refusal repeats, and keeps the first', () => {
    const plan = parsePlan('- [x] a — One\n- [ ] a — Two\n');

    expect(plan.nodes.map(({ title, line }) => [title, line])).toEqual([['One', 1]]);
    expect(plan.diagnostics).toEqual([
      {
        rule: 'plan-duplicate-id',
        severity: 'error',
        message: 'duplicate task ids in graph: a (first on line 1)',
        line: 2,
        column: 1,
        expected: 'an id of its own for every task',
      },
    ]);
  });

  test('reports the marks of an unfinished merge', () => {
    expect(rules('<<<<<<< HEAD\n- [ ] a — x\n=======\n>>>>>>> b\n')).toEqual(['plan-conflict-marker']);
  });

  test('reports at most some hundred findings, errors first', () => {
    const found = parsePlan(`${'- [?] a — x\n'.repeat(300)}- [ ] b — x\n- [ ] b — y\n`).diagnostics;

    expect(found).toHaveLength(201);
    expect(found.filter(({ severity }) => severity === 'error').map(({ rule }) => rule)).toEqual(['plan-duplicate-id']);
    expect(found.map(({ message }) => message)).toContain('101 more findings are not shown');
  });

  test('reads thousands of tasks with sub-bullets, fences and comments where they stand', () => {
    const parts = Array.from(
      { length: 1200 },
      (_, at) => `- [ ] t${at} — x\n  - Spec: y\n\n  \`\`\`\n  - [ ] no — x\n  \`\`\`\n`,
    );
    const text = `## DAG Task Plan\n\n${parts.join('')}<!--\n${'- [ ] no — x\n'.repeat(5000)}-->\n- [ ] last — x\n`;

    const plan = parsePlan(text);

    expect(plan.nodes.map(({ id, line }) => [id, line])).toEqual([
      ...Array.from({ length: 1200 }, (_, at) => [`t${at}`, 3 + 6 * at]),
      ['last', 3 + 6 * 1200 + 5002],
    ]);
    expect(plan.diagnostics).toEqual([]);
  });

  test.each([
    ['a text of 50 MB', () => `- [ ] a — ${'x'.repeat(50_000_000)}`, 'markdown-too-large'],
    ['a line of 1 MB', () => `- [ ] a — ${'('.repeat(1_000_000)}`, 'markdown-line-left-out'],
    ['two million lines', () => '\n'.repeat(2_000_000), 'markdown-too-large'],
    ['a hundred thousand quotes in quotes', () => '>'.repeat(50_000), 'markdown-line-left-out'],
    ['deep lists over and over', () => `${'- '.repeat(30)}a\n`.repeat(5000), 'markdown-too-large'],
    ['an indentation without end', () => `${' '.repeat(500)}- [ ] a — x`, 'markdown-line-left-out'],
  ])('says that %s is beyond its limits', (_, make, rule) => {
    expect(rules(make())).toEqual([rule]);
  });

  test.each([
    ['open comments', () => 'a <!--\n'.repeat(20_000)],
    ['marks of every kind', () => `${'<[*_`&!\\]'.repeat(100)}\n`.repeat(2000)],
    ['nested items', () => '- a\n  - b\n'.repeat(10_000)],
    ['underlined items', () => 'a\n-\n'.repeat(10_000)],
    ['sections', () => '## DAG Task Plan\n## x\n'.repeat(10_000)],
    ['open groups', () => `- [ ] a — ${'(assigned:'.repeat(6000)}\n`.repeat(20)],
    ['spaces', () => `- [ ] a${' '.repeat(60_000)}\n`.repeat(20)],
  ])('comes back from a document of nothing but %s', (_, make) => {
    expect(parsePlan(make()).kind).toBe('dag');
  });

  test('keeps reading what stands around a line beyond the limits', () => {
    const text = `## DAG Task Plan\n\n- [ ] a — x\n${'> '.repeat(2000)}deep\n- [ ] b — ${'y'.repeat(70_000)}\n- [ ] c — x\n`;

    expect(ids(text)).toEqual(['a', 'c']);
    expect(rules(text)).toEqual(['markdown-line-left-out', 'markdown-line-left-out']);
  });

  test('never throws, whatever it is given', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '- [ ] a — x\n',
        '```\n',
        '~~~',
        '<!--',
        '-->',
        '## Loop Plan\n',
        '**Plan Type**: loop\n',
        '\r',
        '\t',
        '> ',
        '    ',
      ),
      fc.constantFrom(
        '## Iteration Template\n',
        '## Current Iteration\n',
        '**Iteration**: 9 / x\n',
        '\0',
        '\uFEFF',
        '\uD800',
      ),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('');
        const lineCount = text.split(/\r\n|\n|\r/).length;
        const plan = parsePlan(text);
        expect(plan.nodes.every(({ line }) => line >= 1 && line <= lineCount)).toBe(true);
        expect(plan.diagnostics.every(({ line }) => line >= 1 && line <= lineCount)).toBe(true);
      }),
    );
  });
});
