import type { Clock } from '../ports.ts';

/** Where the time of the last push outlives the process, in milliseconds since the epoch. */
export interface PushMemory {
  /** `undefined` when nothing was pushed yet, or when what is kept cannot be read. */
  read(): number | undefined;
  write(millis: number): void;
}

export interface QuotaSettings {
  /** Milliseconds that lie at least between the starts of two pushes; 0: they are not held back. */
  readonly interval: number;
  readonly memory: PushMemory;
}

/** When this clone may push (`git.minPushInterval`). Refused pushes count: the remote was asked all the same. */
export interface Quota {
  /** Milliseconds between the starts of two pushes; 0 when pushes are not held back. */
  readonly interval: number;
  /** Milliseconds until the next push may start; 0 when it may now. */
  wait(): number;
  /** Notes that a push starts now. */
  started(): void;
}

const UNLIMITED: Quota = { interval: 0, wait: () => 0, started: () => undefined };

/**
 * Within a process the time between two pushes is measured by a clock that nobody can set. After a restart only the time
 * of day tells of the last one; whatever was done to that clock meanwhile, at most one interval is waited for.
 */
export function createQuota(settings: QuotaSettings | undefined, clock: Pick<Clock, 'millis' | 'elapsed'>): Quota {
  if (settings === undefined || settings.interval === 0) return UNLIMITED;
  const { interval, memory } = settings;
  const last = memory.read();
  const left = last === undefined ? 0 : last + interval - clock.millis();
  let due = clock.elapsed() + Math.min(interval, Math.max(0, left));
  return {
    interval,
    wait: () => Math.max(0, due - clock.elapsed()),
    started() {
      due = clock.elapsed() + interval;
      memory.write(clock.millis());
    },
  };
}
