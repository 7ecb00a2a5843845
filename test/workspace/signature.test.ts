import type { BigIntStats } from 'node:fs';
import { expect, test } from 'vitest';
import { isSettled } from '../../src/workspace/signature.ts';

const SECOND = 1_000_000_000n;

/** A file whose time stamps are these nanoseconds. */
const changedAt = (ns: bigint): BigIntStats =>
  ({ mtimeMs: ns / 1_000_000n, ctimeMs: ns / 1_000_000n, ctimeNs: ns }) as BigIntStats;

test('time stamps of whole seconds are trusted later than finer ones', () => {
  const after = (ns: bigint, ms: number): boolean => isSettled(changedAt(ns), Number(ns / 1_000_000n) + ms);
  const fine = 7n * SECOND + 5_000_000n;
  expect([after(fine, 90), after(fine, 110)]).toEqual([false, true]);
  expect([after(7n * SECOND, 1_990), after(7n * SECOND, 2_010)]).toEqual([false, true]);
});
