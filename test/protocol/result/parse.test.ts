import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseResult } from '../../../src/protocol/result/parse.ts';
import { MAX_HEAD } from '../../../src/protocol/result/structure.ts';

const folder = new URL('../../../fixtures/result/', import.meta.url);
const documents = readdirSync(folder).filter((name) => name.endsWith('.md'));

describe('parseResult', () => {
  test.each(documents)('reads %s as its fixture says', (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const expected: unknown = JSON.parse(readFileSync(new URL(name.replace(/\.md$/, '.json'), folder), 'utf8'));

    expect(parseResult(text)).toEqual(expected);
  });

  test('takes a whole item for the path when such a file is there', () => {
    const path = 'shared/tasks/a/x - y.md';
    const text = `STATUS: SUCCESS\nSUMMARY: s\nDELIVERABLES:\n- ${path}\n`;

    expect(parseResult(text).result?.deliverables).toEqual(['shared/tasks/a/x']);
    expect(parseResult(text, { exists: (asked) => asked === path }).result?.deliverables).toEqual([path]);
  });

  test.each([
    ['success', 'SUCCESS'],
    ['Blocked.', 'BLOCKED'],
    ['INTERRUPTED !', 'INTERRUPTED'],
    ['revision_needed。', 'REVISION_NEEDED'],
  ])('reads the status %j as %s', (written, status) => {
    expect(parseResult(`STATUS: ${written}\nSUMMARY: s\n`).result?.status).toBe(status);
  });

  test.each(['FAILED', 'PARTIAL', 'SUCCESS | BLOCKED', 'SUCCESS because', '`SUCCESS`'])(
    'refuses the status %j',
    (written) => {
      expect(parseResult(`STATUS: ${written}\nSUMMARY: s\n`).problem).toBe(`invalid result status: ${written}`);
    },
  );

  test('cuts an endless status in its message', () => {
    expect(parseResult(`STATUS: ${'!'.repeat(50_000)}\nSUMMARY: s\n`).problem).toBe(
      `invalid result status: ${'!'.repeat(80)}…`,
    );
  });

  test('a repeated status that says the same is no conflict', () => {
    expect(parseResult('STATUS: SUCCESS\nSUMMARY: s\nStatus: success.\n')).toEqual({
      format: 'strict',
      diagnostics: [],
      result: { status: 'SUCCESS', summary: 's', deliverables: [], notes: [] },
    });
  });

  test('reads the head of an overlong text and says so', () => {
    const parsed = parseResult(`STATUS: SUCCESS\nSUMMARY: s\n---\n${'word '.repeat(MAX_HEAD)}`);

    expect(parsed).toEqual({
      format: 'strict',
      diagnostics: [
        {
          rule: 'result-too-long',
          severity: 'warning',
          message: 'only the first part of this result was read',
          line: 4,
          column: 1,
        },
      ],
      result: { status: 'SUCCESS', summary: 's', deliverables: [], notes: [] },
    });
  });

  test.each([
    ['quotes', '>'.repeat(300_000)],
    ['list markers', '- '.repeat(150_000)],
    ['numbers', '1. '.repeat(100_000)],
    ['brackets', '['.repeat(300_000)],
    ['punctuation', `STATUS: ${'.'.repeat(300_000)}a`],
    ['backticks', `STATUS: SUCCESS\nSUMMARY: s\nDELIVERABLES:\n- ${'` `` '.repeat(50_000)}`],
    ['link parts', `STATUS: SUCCESS\nSUMMARY: s\nDELIVERABLES:\n- [](${'(a)'.repeat(50_000)}`],
    ['open comments', '<!--\n'.repeat(50_000)],
    ['NUL', '\0'.repeat(300_000)],
  ])('survives hostile %s', (_, text) => {
    const parsed = parseResult(text);

    expect(parsed.result === undefined).toBe(parsed.problem !== undefined);
  });

  test.each([
    ['closed', '```\nSTATUS: SUCCESS\nSUMMARY: in a fence\n```\n'],
    ['closed with tildes, indented', '  ~~~~\n  STATUS: SUCCESS\n  SUMMARY: in a fence\n  ~~~~  \n'],
    ['left open', '```text\nSTATUS: SUCCESS\nSUMMARY: in a fence\n'],
  ])('a fence around an envelope is no part of it: %s', (_, text) => {
    expect(parseResult(text)).toMatchObject({
      format: 'strict',
      result: { status: 'SUCCESS', summary: 'in a fence', deliverables: [], notes: [] },
    });
  });

  test('any text gives a result or a problem, and every diagnostic has a place in the text', () => {
    const piece = fc.constantFrom(
      'STATUS: SUCCESS',
      'SUMMARY: s',
      '**Status**:',
      '## Summary',
      '- a',
      '```',
      '---',
      '<!--',
      '-->',
      '\n',
      '> ',
      '    ',
      '|',
      '\r',
      '\uFEFF',
      'NOTES:',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(piece, fc.string({ maxLength: 5 }))).map((parts) => parts.join('\n')),
    );

    fc.assert(
      fc.property(texts, (text) => {
        const { result, problem, diagnostics } = parseResult(text);
        const lines = text.split(/\r\n?|\n/).length;
        expect(problem === undefined).toBe(result !== undefined);
        expect(problem).toBe(diagnostics.find(({ severity }) => severity === 'error')?.message);
        for (const { line, column } of diagnostics) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});
