import { setTimeout as wait } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { expect, test, vi } from 'vitest';
import { giveBackWhenQuiet } from '../../../src/doors/cli/quiet-memory.ts';

const MEGABYTE = 2 ** 20;
const held = (): number => getHeapStatistics().total_heap_size / MEGABYTE;

/** Uses some 100 MB at one moment, of which nothing stays. */
function burst(): number {
  const kept = Array.from({ length: 100 }, () => Array.from({ length: MEGABYTE / 8 }, (_, index) => index + 0.5));
  return kept.length + held();
}

test('the memory of a burst goes back to the system once it is over', async () => {
  using _ = giveBackWhenQuiet({ quiet: 20, worth: 16 * MEGABYTE });
  const before = held();
  expect(burst()).toBeGreaterThan(before + 100);
  await vi.waitFor(() => expect(held()).toBeLessThan(before + 50), { timeout: 10_000, interval: 50 });
});

test('while work comes and goes, what was fetched for it is kept', async () => {
  using _ = giveBackWhenQuiet({ quiet: 20, worth: 16 * MEGABYTE });
  burst();
  await vi.waitFor(() => expect(held()).toBeLessThan(100), { timeout: 10_000, interval: 50 });
  const before = held();
  burst();
  await wait(500);
  expect(held()).toBeGreaterThan(before + 50);
});
