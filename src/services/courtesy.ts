import type { Clock, Sync } from '../ports.ts';

/** When a node does what nobody waits for: not while somebody waits for a step. */
export interface Courtesy {
  /**
   * Resolves once no step has been under way for 200 ms, after one second all the same (three while fifty callers and more wait for a
   * step), and at once while somebody waits. One at a time.
   */
  turn(): Promise<void>;
  /** For the turn that is waited for, or else the next one, the end of the steps that are under way is enough. */
  prompt(): void;
  /** Resolves once `present` tells of no work any more; until then nothing waits for its turn. */
  hurried(present: () => Promise<void> | undefined): Promise<void>;
  /** From now on nothing waits for its turn. */
  close(): void;
}

/**
 * Milliseconds without a step that make a turn, so that it takes no time from a step, nor from what other nodes of this machine do with
 * it in its first moment; and the longest wait for that, longer where many callers wait for a step.
 */
const QUIET = { usual: 200, prompted: 10 };
const LONGEST = { few: 1_000, many: 3_000 };
const MANY = 50;

export function createCourtesy({
  clock,
  sync,
}: {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  readonly sync: Pick<Sync, 'quietFor' | 'callers'>;
}): Courtesy {
  let awaiting = 0;
  let isPrompted = false;
  let closed = false;
  /** Aborted when the wait has to be reckoned anew. */
  let waiting = new AbortController();

  /** Milliseconds that are still to be waited after a wait that began at `since`. */
  function left(since: number): number {
    if (closed || awaiting > 0) return 0;
    const quiet = isPrompted ? QUIET.prompted : QUIET.usual;
    const longest = sync.callers() < MANY ? LONGEST.few : LONGEST.many;
    return Math.min(quiet - sync.quietFor(), since + longest - clock.elapsed());
  }

  return {
    async turn() {
      const since = clock.elapsed();
      for (let ms = left(since); ms > 0; ms = left(since)) {
        waiting = new AbortController();
        await clock.sleep(ms, waiting.signal);
      }
      isPrompted = false;
    },
    prompt() {
      isPrompted = true;
      waiting.abort();
    },
    async hurried(present) {
      awaiting += 1;
      waiting.abort();
      try {
        for (let work = present(); work !== undefined; work = present()) await work;
      } finally {
        awaiting -= 1;
      }
    },
    close() {
      closed = true;
      waiting.abort();
    },
  };
}
