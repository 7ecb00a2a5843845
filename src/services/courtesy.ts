import type { Clock, Sync } from '../ports.ts';

/** When a node does what nobody waits for: not while somebody waits for a step. */
export interface Courtesy {
  /**
   * Resolves once no step has been under way for 200 ms, after one second all the same (three while fifty callers and more wait for a
   * step), and at once while somebody waits.
   */
  turn(): Promise<void>;
  /** Resolves once `present` tells of no work any more; until then nothing waits for its turn. */
  hurried(present: () => Promise<void> | undefined): Promise<void>;
  /** From now on nothing waits for its turn. */
  close(): void;
}

/**
 * Milliseconds without a step that make a turn, so that it takes no time from a step, nor from what other nodes of this machine do with
 * it in its first moment; and the longest wait for that, longer where many callers wait for a step.
 */
const QUIET = 200;
const LONGEST = { few: 1_000, many: 3_000 };
const MANY = 50;

export function createCourtesy({
  clock,
  sync,
}: {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  readonly sync: Pick<Sync, 'quietFor' | 'callers'>;
}): Courtesy {
  /** Aborted while somebody waits. */
  let hurry = new AbortController();
  let awaiting = 0;
  let closed = false;
  return {
    async turn() {
      const since = clock.elapsed();
      const longest = (): number => (sync.callers() < MANY ? LONGEST.few : LONGEST.many);
      for (;;) {
        const left = Math.min(QUIET - sync.quietFor(), since + longest() - clock.elapsed());
        if (hurry.signal.aborted || left <= 0) return;
        await clock.sleep(left, hurry.signal);
      }
    },
    async hurried(present) {
      awaiting += 1;
      hurry.abort();
      try {
        for (let work = present(); work !== undefined; work = present()) await work;
      } finally {
        awaiting -= 1;
        if (awaiting === 0 && !closed) hurry = new AbortController();
      }
    },
    close() {
      closed = true;
      hurry.abort();
    },
  };
}
