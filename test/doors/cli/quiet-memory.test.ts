import { setTimeout as wait } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { expect, test, vi } from 'vitest';
import { giveBackWhenQuiet } from '../../../src/doors/cli/quiet-memory.ts';

const MEGABYTE = 2 ** 20;
const held = (): number => getHeapStatistics().total_heap_size / MEGABYTE;

/** Some 100 MB, for as long as somebody holds it. */
function much(): readonly (readonly number[])[] {
  return Array.from({ length: 100 }, () => Array.from({ length: MEGABYTE / 8 }, (_, index) => index + 0.5));
}

/** Uses them at one moment; tells how much is held then. */
function burst(): number {
  const kept = much();
  return kept.length > 0 ? held() : 0;
}

const falls = (below: number): Promise<void> =>
  vi.waitFor(() => expect(held()).toBeLessThan(below), { timeout: 10_000, interval: 50 });

test('the memory of a burst goes back to the system once it is over', async () => {
  using _ = giveBackWhenQuiet({ quiet: 20, worth: 16 * MEGABYTE });
  const before = held();
  expect(burst()).toBeGreaterThan(before + 80);
  await falls(before + 50);
});

test('while work comes and goes, what was fetched for it is kept', async () => {
  using _ = giveBackWhenQuiet({ quiet: 20, worth: 16 * MEGABYTE });
  const before = held();
  burst();
  await falls(before + 50);
  const between = held();
  burst();
  await wait(500);
  expect(held()).toBeGreaterThan(between + 50);
});

test('what a burst still holds in a pause goes back later', async () => {
  using _ = giveBackWhenQuiet({ quiet: 20, pause: 3_000, worth: 16 * MEGABYTE });
  const before = held();
  burst();
  await falls(before + 50);
  let kept: ReturnType<typeof much> | undefined = much();
  // Behind the second look, which is in the middle of the burst, and before the third.
  await wait(3_300);
  const during = held();
  expect([kept.length, during > 100]).toEqual([100, true]);
  kept = undefined;
  await falls(during - 60);
});

test('a node that gets no processor in the middle of a step is not taken for a quiet one', async () => {
  let resting = 0;
  using _ = giveBackWhenQuiet({ quiet: 20, rest: 500, worth: 16 * MEGABYTE, restingFor: () => resting });
  const before = held();
  burst();
  await wait(600);
  expect(held()).toBeGreaterThan(before + 50);
  resting = 500;
  await falls(before + 50);
});

test('a node that never rests for long gives its memory back in a moment between two steps', async () => {
  const begun = performance.now();
  // Somebody waits for half of each second.
  const restingFor = (): number => Math.max(0, ((performance.now() - begun) % 1_000) - 500);
  using _ = giveBackWhenQuiet({ quiet: 20, rest: 2_000, patience: 1_500, worth: 16 * MEGABYTE, restingFor });
  const before = held();
  burst();
  await falls(before + 50);
  expect(performance.now() - begun).toBeGreaterThan(1_500);
});

test('a node that rests between two bursts gives its memory back after each', async () => {
  const begun = performance.now();
  using _ = giveBackWhenQuiet({
    quiet: 20,
    pause: 200,
    rest: 20,
    patience: 60_000,
    worth: 16 * MEGABYTE,
    restingFor: () => performance.now() - begun,
  });
  const before = held();
  for (let time = 0; time < 3; time += 1) {
    burst();
    await falls(before + 50);
  }
});
