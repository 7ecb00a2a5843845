import { expect, test } from 'vitest';
import type { Hint } from '../../src/adapters/hints.ts';
import { createTelling } from '../../src/telling.ts';
import type { Telling } from '../../src/telling.ts';

/** Where time goes on only when it is told to. */
function place(isWatched: boolean): { readonly telling: Telling; readonly told: Hint[]; later: () => Promise<void> } {
  const told: Hint[] = [];
  const sleeping: (() => void)[] = [];
  const telling = createTelling({
    hints: { tell: (hint) => void told.push(hint), listen: () => Promise.reject(new Error('nobody listens here')) },
    clock: { sleep: () => new Promise((wake) => sleeping.push(wake)) },
    isWatched: () => isWatched,
  });
  return {
    telling,
    told,
    later: async () => {
      for (const wake of sleeping.splice(0)) wake();
      await Promise.resolve();
    },
  };
}

const [main, lane] = ['refs/heads/main', 'refs/heads/lanes/ana'];

test('of a push to a remote that nobody can watch the others are told at once', () => {
  const { telling, told } = place(false);
  telling.pushed(main, 'a');
  telling.pushed(main, 'b');
  expect(told).toEqual([
    { ref: main, commit: 'a' },
    { ref: main, commit: 'b' },
  ]);
});

test('of pushes to a remote that all can watch they are told later, once for each branch', async () => {
  const { telling, told, later } = place(true);
  telling.pushed(main, 'a');
  telling.pushed(lane, 'x');
  telling.pushed(main, 'b');
  expect(told).toEqual([]);
  await later();
  const both = [
    { ref: main, commit: 'b' },
    { ref: lane, commit: 'x' },
  ];
  expect(told).toEqual(both);
  await later();
  telling.pushed(lane, 'y');
  await later();
  expect(told).toEqual([...both, { ref: lane, commit: 'y' }]);
});

test('what is still to be told when the node stops is told then, and what it pushes last at once', async () => {
  const { telling, told, later } = place(true);
  telling.pushed(main, 'a');
  telling[Symbol.dispose]();
  telling.pushed(main, 'b');
  await later();
  expect(told.map(({ commit }) => commit)).toEqual(['a', 'b']);
});
