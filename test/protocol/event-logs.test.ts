import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FULL_LOG, byLog, goingOn, newestPart } from '../../src/protocol/event-logs.ts';
import { classifyPath, eventLogPath } from '../../src/protocol/paths.ts';

const NOW = '2026-06-06T00:00:00Z';

describe('the parts of an event log', () => {
  test('are counted from the one without a number, each in the name of its writer', () => {
    expect([1, 2, 12, 9999].map((part) => eventLogPath(NOW, 'ana', part))).toEqual([
      'shared/events/2026-06/ana.jsonl',
      'shared/events/2026-06/ana@0002.jsonl',
      'shared/events/2026-06/ana@0012.jsonl',
      'shared/events/2026-06/ana@9999.jsonl',
    ]);
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 9999 }), (writer, part) => {
        expect(classifyPath(eventLogPath(NOW, writer, part))).toEqual({ kind: 'events', month: '2026-06', writer });
      }),
    );
  });

  test('are told from those of others whose names begin alike', () => {
    const names = ['a.jsonl', 'a-b.jsonl', 'a-b@0007.jsonl', 'a.b.jsonl', 'a@0002.jsonl', 'a@0010.jsonl', 'notes.md'];
    expect(['a', 'a-b', 'a.b', 'b', 'a@'].map((writer) => newestPart(names, writer))).toEqual([10, 7, 1, 1, 1]);
    expect(newestPart(['a@0001.jsonl', 'a@x@9998.jsonl', 'a@0003.jsonl/', 'a@00004.jsonl', 'a@5.jsonl'], 'a')).toBe(1);
    const logs = names.filter((name) => name.endsWith('.jsonl'));
    expect(byLog(logs.toReversed())).toEqual([
      ['a.jsonl', 'a@0002.jsonl', 'a@0010.jsonl'],
      ['a.b.jsonl'],
      ['a-b.jsonl', 'a-b@0007.jsonl'],
    ]);
  });

  test('follow one another as soon as one is full, and the last is never full', () => {
    const [short, full] = ['x'.repeat(FULL_LOG - 1), 'x'.repeat(FULL_LOG)];
    expect([
      goingOn({ part: 1, text: '' }),
      goingOn({ part: 1, text: short }),
      goingOn({ part: 1, text: full }),
      goingOn({ part: 9999, text: full }),
    ]).toEqual([
      { part: 1, text: '' },
      { part: 1, text: short },
      { part: 2, text: '' },
      { part: 9999, text: full },
    ]);
  });
});
