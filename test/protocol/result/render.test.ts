import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RESULT_STATUSES } from '../../../src/protocol/records/types.ts';
import type { TaskResult } from '../../../src/protocol/records/types.ts';
import { parseResult } from '../../../src/protocol/result/parse.ts';
import { mergeIntoReport, renderResult } from '../../../src/protocol/result/render.ts';

const folder = new URL('../../../fixtures/result/', import.meta.url);
const documents = readdirSync(folder).filter((name) => name.endsWith('.md'));

const SAYS_NOTHING = /^(?:|-|\(none\)|none\.?|n\/a\.?)$/i;
const phrase = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc
      .array(
        fc.constantFrom(
          'STATUS:',
          'a',
          '`',
          '```',
          '~~~',
          '---',
          '- x',
          '<!--',
          '# h',
          '|',
          '**',
          ' — ',
          '数据',
          '✅',
          '1. y',
          '[l](u)',
          '@a:b',
        ),
      )
      .map((parts) => parts.join(' ')),
  )
  .map((text) => text.replaceAll(/\s+/g, ' ').trim())
  .filter((text) => !SAYS_NOTHING.test(text));
const path = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc
      .array(fc.constantFrom('a', ' ', ' - ', ' — ', '`', '``', '[', ']', '(', ')', '~~~', '- ', '1. ', 'none', '[x] '))
      .map((parts) => parts.join('')),
  )
  .map((text) => `shared/tasks/t/${text.replaceAll(/[\r\n]/g, '')}`);
const oddPath = fc.oneof(
  path,
  path.map((text) => text.slice('shared/tasks/t/'.length)).filter((text) => text.trim() !== ''),
);
const results: fc.Arbitrary<TaskResult> = fc.record({
  status: fc.constantFrom(...RESULT_STATUSES),
  summary: phrase,
  deliverables: fc.array(oddPath, { maxLength: 4 }),
  notes: fc.array(phrase, { maxLength: 4 }),
});

const report: TaskResult = {
  status: 'SUCCESS',
  summary: 'New summary.',
  deliverables: ['shared/tasks/t/a.md'],
  notes: [],
};

describe('renderResult', () => {
  test('gives the exact bytes of the protocol', () => {
    expect(
      renderResult({
        status: 'SUCCESS',
        summary: 'API design completed.',
        deliverables: ['shared/tasks/st-01/workspace/api-design.md'],
        notes: [],
      }),
    ).toBe(
      'STATUS: SUCCESS\nSUMMARY: API design completed.\n\nDELIVERABLES:\n- shared/tasks/st-01/workspace/api-design.md\n',
    );
  });

  test('collapses lines, keeps an empty DELIVERABLES header, and adds NOTES only when there are any', () => {
    expect(renderResult({ status: 'BLOCKED', summary: ' a\n b ', deliverables: [], notes: ['c\n- d', 'none'] })).toBe(
      'STATUS: BLOCKED\nSUMMARY: a b\n\nDELIVERABLES:\n\nNOTES:\n- c - d\n',
    );
  });

  test('puts a path in a code span where its plain form would read otherwise', () => {
    expect(renderResult({ ...report, deliverables: ['shared/tasks/t/x - y.md', 'shared/tasks/t/a`b - c'] })).toBe(
      'STATUS: SUCCESS\nSUMMARY: New summary.\n\nDELIVERABLES:\n- `shared/tasks/t/x - y.md`\n- ``shared/tasks/t/a`b - c``\n',
    );
  });

  test('parse(render(r)) is r', () => {
    fc.assert(
      fc.property(results, (result) => {
        expect(parseResult(renderResult(result))).toEqual({ format: 'strict', diagnostics: [], result });
      }),
      { numRuns: 500 },
    );
  });
});

describe('mergeIntoReport', () => {
  test('an empty file becomes the envelope', () => {
    expect(mergeIntoReport(' \n', report)).toBe(renderResult(report));
  });

  test('keeps a hand-written report below the envelope', () => {
    expect(mergeIntoReport('\uFEFF\r\n# Report\r\n\r\n- a bullet\r\n', report)).toBe(
      'STATUS: SUCCESS\nSUMMARY: New summary.\n\nDELIVERABLES:\n- shared/tasks/t/a.md\n\nNOTES:\n\n---\n\n# Report\n\n- a bullet\n',
    );
  });

  test('replaces a valid envelope and nothing else', () => {
    const existing = '# Title\n\nSTATUS: BLOCKED\nSUMMARY: Old.\n\nprose\n\nNOTES:\n- old\n\n---\nBody\n\n\n';

    expect(mergeIntoReport(existing, report)).toBe(
      '# Title\n\nSTATUS: SUCCESS\nSUMMARY: New summary.\n\nDELIVERABLES:\n- shared/tasks/t/a.md\n\nNOTES:\n\n---\nBody\n\n\n',
    );
  });

  test('keeps what a person wrote between the parts of the envelope', () => {
    const existing =
      'STATUS: BLOCKED\nSUMMARY: Old.\nDELIVERABLES:\nthese files:\n- a\n\n~~~\nlog\n~~~\n\nNOTES:\n- old\n';

    expect(mergeIntoReport(existing, report)).toBe(
      'STATUS: SUCCESS\nSUMMARY: New summary.\n\nDELIVERABLES:\n- shared/tasks/t/a.md\n\nNOTES:\n\n---\n\nthese files:\n~~~\nlog\n~~~\n',
    );
  });

  test.each(documents)('loses no report text of %s and is settled after one merge', (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const merged = mergeIntoReport(text, report);

    expect(parseResult(merged)).toEqual({ format: 'strict', diagnostics: [], result: report });
    expect(mergeIntoReport(merged, report)).toBe(merged);
  });

  test('whatever stood there, the new result reads back and a second merge changes nothing', () => {
    const piece = fc.constantFrom(
      'STATUS: SUCCESS',
      'SUMMARY: s',
      '**Status**: BLOCKED',
      '## Summary',
      '- a',
      '- ```',
      '```',
      '~~~',
      '---',
      '<!--',
      '-->',
      '',
      '> q',
      '    x',
      'NOTES:',
      'DELIVERABLES:',
      '# h',
      '<div>',
      '\t- ',
    );
    const texts = fc
      .array(fc.oneof({ weight: 4, arbitrary: piece }, { weight: 1, arbitrary: fc.string() }), { maxLength: 12 })
      .map((parts) => parts.join('\n'));

    fc.assert(
      fc.property(texts, results, (text, result) => {
        const merged = mergeIntoReport(text, result);
        expect(parseResult(merged).result).toEqual(result);
        expect(mergeIntoReport(merged, result)).toBe(merged);
      }),
      { numRuns: 1000 },
    );
  });
});
