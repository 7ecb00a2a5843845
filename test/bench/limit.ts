import { setTimeout as wait } from 'node:timers/promises';

/** The time that one piece of work may take, so that a run ends also where the program is slow or stands still. */
export interface Limit {
  readonly seconds: number;
  /** Milliseconds until the time is over; 0 from then on. */
  left(): number;
  over(): boolean;
  /** A part of what is left, for work that must not use up all of it. */
  part(seconds: number): Limit;
}

export function limitOf(seconds: number): Limit {
  const end = performance.now() + seconds * 1000;
  const left = (): number => Math.max(0, end - performance.now());
  return {
    seconds,
    left,
    over: () => left() === 0,
    part: (wanted) => limitOf(Math.min(wanted, left() / 1000)),
  };
}

/** What the work brings, or `undefined` when it takes longer than `ms`; the work itself goes on. */
export async function within<Value>(work: Promise<Value>, ms: number): Promise<Value | undefined> {
  const ending = new AbortController();
  const late = wait(ms, undefined, { signal: ending.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    ending.abort();
  }
}
