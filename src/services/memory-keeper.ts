import { once } from 'node:events';
import type { Clock, Log, ProcessMemory, Sync } from '../ports.ts';
import type { Reconciler } from './reconciler.ts';

/** Times in milliseconds, memory in bytes. */
export interface MemoryLimits {
  /** Between looks. */
  readonly interval: number;
  /** So long nothing must have happened. */
  readonly quiet: number;
  /** Between two collections: what a node does once a minute when nothing happens leaves garbage as well. */
  readonly between: number;
  /** Less than this, and less growth than a part of it, is not worth a collection. */
  readonly worth: number;
}

/** A poll is a turn of the sync as well, so that a node is never quiet for ten seconds. */
const LIMITS: MemoryLimits = { interval: 4_000, quiet: 3_000, between: 600_000, worth: 48_000_000 };

export interface MemoryKeeperDependencies {
  readonly memory: ProcessMemory;
  readonly sync: Pick<Sync, 'quietFor'>;
  readonly reconciler: Pick<Reconciler, 'settled'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: MemoryLimits;
}

/**
 * Gives back what a burst of work has left behind, once things are calm: the first look at a tree of ten thousand tasks leaves
 * twice as much garbage as all that the node holds, and a process that then waits never collects it.
 */
export function keepMemory(dependencies: MemoryKeeperDependencies): AsyncDisposable {
  const ending = new AbortController();
  const running = run(dependencies, ending.signal);
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}

async function run(
  { memory, sync, reconciler, clock, log, limits = LIMITS }: MemoryKeeperDependencies,
  signal: AbortSignal,
): Promise<void> {
  /** What was held after the last collection. */
  let kept = 0;
  let last = -Infinity;
  const giveBack = (): void => {
    const before = memory.held();
    // The engine may have given something back by itself.
    kept = Math.min(kept, before);
    const began = clock.elapsed();
    if (before - kept < limits.worth || before < kept * GROWN || began - last < limits.between) return;
    last = began;
    memory.giveBack();
    kept = memory.held();
    const megabytes = Math.round((before - kept) / 1e6);
    log.debug({ megabytes, milliseconds: Math.round(clock.elapsed() - began) }, 'memory was given back');
  };
  // The first look is the largest burst of all, and over when the reconciler rests.
  await Promise.race([reconciler.settled(), once(signal, 'abort')]);
  while (!signal.aborted) {
    try {
      giveBack();
    } catch (error) {
      log.warn({ error: String(error) }, 'memory could not be given back');
    }
    do await clock.sleep(limits.interval, signal);
    while (!signal.aborted && sync.quietFor() < limits.quiet);
  }
}

/** So many times what is needed. */
const GROWN = 1.3;
