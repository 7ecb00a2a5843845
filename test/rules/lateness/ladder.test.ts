import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RaisedFinding } from '../../../src/protocol/records/types.ts';
import { LADDERS, LATE_KINDS, climbs, cured, levelOf, raisedAfter } from '../../../src/rules/lateness/ladder.ts';
import type { Late, LateKind } from '../../../src/rules/lateness/ladder.ts';

const late = (kind: LateKind, level: number, occasion = 'a'): Late => ({
  key: `${kind}:t:${occasion}`,
  kind,
  level,
  subject: { kind: 'task', id: 't' },
  since: '2026-09-01T00:00:00Z',
  message: 'late',
  command: 'baton status t',
});

const kinds = fc.constantFrom(...LATE_KINDS);
/** Looks at growing times: how long something has been waiting at each. */
const looks = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1 }).map((times) => times.sort((a, b) => a - b));
const ALLOWED = 10;

/** Looks again and again, and keeps what was raised as a record does. */
function play(
  kind: LateKind,
  times: readonly number[],
): { readonly told: readonly string[]; readonly levels: number[] } {
  let raised: readonly RaisedFinding[] = [];
  const told: string[] = [];
  const levels: number[] = [];
  for (const time of times) {
    const level = levelOf(kind, time, ALLOWED);
    const standing = level === 0 ? [] : [late(kind, level)];
    for (const climb of climbs(standing, raised)) {
      told.push(...climb.tells);
      levels.push(climb.late.level);
    }
    raised = raisedAfter(standing, raised, 'now');
  }
  return { told, levels };
}

describe('a ladder', () => {
  test('is never climbed backwards', () => {
    for (const kind of LATE_KINDS) {
      const rungs = LADDERS[kind].map(({ after }) => after);
      expect(rungs).toEqual(rungs.toSorted((a, b) => a - b));
    }
  });

  test('tells everybody up to the rung reached once, however often and whenever it is looked at', () => {
    fc.assert(
      fc.property(kinds, looks, (kind, times) => {
        const reached = levelOf(kind, times.at(-1) ?? 0, ALLOWED);
        expect(play(kind, times).told).toEqual(LADDERS[kind].slice(0, reached).map(({ tells }) => tells));
      }),
    );
  });

  test('raises a level once, and a higher one later', () => {
    fc.assert(
      fc.property(kinds, looks, (kind, times) => {
        const { levels } = play(kind, times);
        expect(levels).toEqual([...new Set(levels)].toSorted((a, b) => a - b));
      }),
    );
  });

  test('reaches no rung before its time is over', () => {
    expect([10, 11, 20, 21, 40, 41].map((time) => levelOf('unacknowledged', time, ALLOWED))).toEqual([
      0, 1, 1, 2, 2, 3,
    ]);
  });

  test('sends an assignment once more before it tells the Leader, and the admin last', () => {
    const [climb] = climbs([late('unacknowledged', 3)], [{ key: 'unacknowledged:t:a', level: 1, at: 'then' }]);
    expect(climb).toMatchObject({ from: 1, tells: ['leader', 'admin'] });
    expect(climbs([late('unacknowledged', 1)], [])).toMatchObject([{ from: 0, tells: ['assignee'] }]);
  });
});

describe('what was raised', () => {
  test('is cured when it does not stand any more, and raised anew for another reason', () => {
    const raised = [{ key: 'overdue:t:a', level: 1, at: 'then' }];
    const standing = [late('overdue', 1, 'b')];
    expect(cured(standing, raised)).toEqual(raised);
    expect(climbs(standing, raised)).toMatchObject([{ from: 0 }]);
    expect(raisedAfter(standing, raised, 'now')).toEqual([{ key: 'overdue:t:b', level: 1, at: 'now' }]);
  });

  test('keeps its highest level and its time while it stands', () => {
    const raised = [{ key: 'stuck:t:a', level: 2, at: 'then' }];
    expect(raisedAfter([late('stuck', 1)], raised, 'now')).toEqual(raised);
  });
});
