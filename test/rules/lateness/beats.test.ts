import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterBeat, betweenBeats } from '../../../src/rules/lateness/beats.ts';
import type { Beats } from '../../../src/rules/lateness/beats.ts';

const sight = (context: string, progress = 0) => new Map([['t', { context, progress }]]);

const seen = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 12 });

function beaten(contexts: readonly string[]): Beats {
  let beats: Beats = new Map();
  for (const context of contexts) beats = afterBeat(beats, sight(context));
  return beats;
}

describe('heartbeats', () => {
  test('count how often in a row a task was found the same', () => {
    fc.assert(
      fc.property(seen, (contexts) => {
        const last = contexts.at(-1) ?? '';
        const same = contexts.length - 1 - contexts.findLastIndex((context) => context !== last);
        expect(beaten(contexts).get('t')).toMatchObject({ context: last, count: same });
      }),
    );
  });

  test('forget tasks that are not in progress any more', () => {
    expect(afterBeat(beaten(['a', 'a']), new Map()).size).toBe(0);
  });

  test('show a task that has changed since as one that was never seen', () => {
    expect(betweenBeats(beaten(['a', 'a']), sight('b')).get('t')).toMatchObject({ context: 'b', count: 0 });
    expect(betweenBeats(beaten(['a', 'a']), sight('a')).get('t')).toMatchObject({ context: 'a', count: 2 });
  });

  test('tell how much was gained since the one before, and at once what has been gained since', () => {
    const first = afterBeat(new Map(), sight('a', 10));
    expect(first.get('t')).toEqual({ context: 'a', count: 1, progress: 10 });
    const second = afterBeat(first, sight('b', 12));
    expect(second.get('t')).toEqual({ context: 'b', count: 1, progress: 12, gained: 2 });
    expect(betweenBeats(second, sight('b', 12)).get('t')?.gained).toBe(2);
    expect(betweenBeats(second, sight('c', 30)).get('t')).toEqual({ context: 'c', count: 0, progress: 12, gained: 18 });
    expect(afterBeat(second, sight('c', 30)).get('t')?.gained).toBe(18);
  });

  test('know nothing of what was gained from a file of an earlier version', () => {
    const old: Beats = new Map([['t', { context: 'a', count: 2 }]]);
    expect(betweenBeats(old, sight('a', 5)).get('t')).toEqual({ context: 'a', count: 2 });
    expect(afterBeat(old, sight('a', 5)).get('t')).toEqual({ context: 'a', count: 3, progress: 5 });
  });
});
