import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowError } from '../../src/protocol/errors.ts';
import {
  isReadableId,
  MAX_ID,
  requireNewId,
  requireReadableId,
  slugOf,
  nodeOfSubtask,
  subtaskOfNode,
} from '../../src/protocol/ids.ts';

function refusal(act: () => unknown): readonly [string, string] | undefined {
  try {
    act();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof FlowError)) throw thrown;
    return [thrown.code, thrown.message];
  }
}

describe('ids of what exists', () => {
  test.each(['st-01', '_x', '-x', 'a.b', 'a..b', 'task-20260101-000000', 'A', 'a.'])('%j can be read', (id) => {
    expect(isReadableId(id)).toBe(true);
  });

  test.each(['', '.', '..', '.a', 'a/b', 'a b', 'é', 'a:b', 'a\n', 'a\\b', 'x'.repeat(256), 7, undefined])(
    '%j cannot be read',
    (id) => {
      expect(isReadableId(id)).toBe(false);
    },
  );

  test('are trimmed when asked for, and refused with field and value', () => {
    expect(requireReadableId('  _x ', 'taskId')).toBe('_x');
    expect(refusal(() => requireReadableId('../x', 'taskId'))).toEqual([
      'invalid-argument',
      'invalid id: taskId must be a safe id: ../x',
    ]);
  });
});

describe('ids that are given out', () => {
  test.each([
    ['st-01', 'st-01'],
    ['  a_b ', 'a_b'],
    ['v1.2', 'v1.2'],
    ['x'.repeat(MAX_ID), 'x'.repeat(MAX_ID)],
  ])('%j is taken', (given, id) => {
    expect(requireNewId(given, 'projectId')).toBe(id);
  });

  test.each([
    '',
    ' ',
    '-a',
    '_a',
    '.a',
    'a.',
    'a..b',
    'a/b',
    'con',
    'NUL.txt',
    'x'.repeat(MAX_ID + 1),
    'ä',
    'a\u0000',
    7,
  ])('%j is refused', (given) => {
    expect(refusal(() => requireNewId(given, 'projectId'))?.[0]).toBe('invalid-argument');
  });

  test('a refusal names the field and shows the value on one line', () => {
    expect(refusal(() => requireNewId('a\nb', 'projectId'))?.[1]).toBe(
      'invalid id: projectId must be a safe id: a\u{FFFD}b',
    );
  });

  test('whatever is given out can be read back', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (refusal(() => requireNewId(text, 'taskId')) === undefined) expect(isReadableId(text.trim())).toBe(true);
        else expect(refusal(() => requireNewId(text, 'taskId'))?.[0]).toBe('invalid-argument');
      }),
    );
  });
});

describe('slugs', () => {
  test.each([
    ['Quarterly Report: EU (v2)', 'quarterly-report-eu-v2'],
    ['季度报告', 'project'],
    ['---', 'project'],
    ['Größe 3', 'gr-e-3'],
  ])('%j becomes %j', (title, slug) => {
    expect(slugOf(title)).toBe(slug);
  });

  test('any title gives an id that may be given out, with room behind it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: 'binary' }), (title) => {
        expect(requireNewId(`${slugOf(title)}-20260101-000000-999-i001-01`, 'projectId')).toMatch(/^[a-z0-9-]+$/);
      }),
    );
  });
});

test('a subtask is shown by the short name only where that name finds its node again', () => {
  expect(subtaskOfNode('TASK-001', 'TASK-001-01')).toBe('subtask_01');
  for (const id of ['TASK-001-01', 'TASK-001-1', 'TASK-001-001', 'TASK-001-120', 'TASK-001-x', 'big'])
    expect(nodeOfSubtask('TASK-001', subtaskOfNode('TASK-001', id))).toBe(id);
});
