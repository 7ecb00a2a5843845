import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterBeat, betweenBeats } from '../../../src/rules/lateness/beats.ts';
import type { Beats } from '../../../src/rules/lateness/beats.ts';

const seen = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 12 });

function beaten(contexts: readonly string[]): Beats {
  let beats: Beats = new Map();
  for (const context of contexts) beats = afterBeat(beats, new Map([['t', context]]));
  return beats;
}

describe('heartbeats', () => {
  test('count how often in a row a task was found the same', () => {
    fc.assert(
      fc.property(seen, (contexts) => {
        const last = contexts.at(-1) ?? '';
        const same = contexts.length - 1 - contexts.findLastIndex((context) => context !== last);
        expect(beaten(contexts).get('t')).toEqual({ context: last, count: same });
      }),
    );
  });

  test('forget tasks that are not in progress any more', () => {
    expect(afterBeat(beaten(['a', 'a']), new Map()).size).toBe(0);
  });

  test('show a task that has changed since as one that was never seen', () => {
    expect(betweenBeats(beaten(['a', 'a']), new Map([['t', 'b']])).get('t')).toEqual({ context: 'b', count: 0 });
    expect(betweenBeats(beaten(['a', 'a']), new Map([['t', 'a']])).get('t')).toEqual({ context: 'a', count: 2 });
  });
});
