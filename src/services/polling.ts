import type { Clock } from '../ports.ts';

/** Milliseconds that a node waits at most between two looks at a remote that does not answer. */
const LONGEST = 120_000;

/**
 * How long to wait until the remote is asked again, in milliseconds. Polls are spread over a fifth of the interval, so that
 * many nodes do not ask at the same moment. While the remote does not answer they come ever more rarely and spread over half
 * of the time, so that it is not overrun when it returns. `failures` counts the looks in vain since the last good one;
 * `chance` lies between 0 and 1.
 */
export function pollDelay(interval: number, failures: number, chance: number): number {
  if (failures === 0) return interval * (0.9 + 0.2 * chance);
  const longest = Math.max(interval, LONGEST);
  return Math.min(longest, interval * 2 ** failures) * (0.5 + 0.5 * chance);
}

/** Between 0 and 1, another one each time: nodes that were woken by the same thing must not all begin at once. */
export function chanceOf(clock: Pick<Clock, 'hex'>): number {
  return Number.parseInt(clock.hex(2), 16) / 0xffff;
}
