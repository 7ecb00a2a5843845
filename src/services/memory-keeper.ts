import { once } from 'node:events';
import type { Clock, Log, ProcessMemory, Sync } from '../ports.ts';
import type { Reconciler } from './reconciler.ts';

/** Times in milliseconds, memory in bytes. */
export interface MemoryLimits {
  /** Between looks. */
  readonly interval: number;
  /** So long nothing must have happened. */
  readonly quiet: number;
  /** Less than this, and less growth than a part of it, is not worth a collection. */
  readonly worth: number;
}

const LIMITS: MemoryLimits = { interval: 5_000, quiet: 10_000, worth: 48_000_000 };

export interface MemoryKeeperDependencies {
  readonly memory: ProcessMemory;
  readonly sync: Pick<Sync, 'quietFor'>;
  readonly reconciler: Pick<Reconciler, 'idle'>;
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
  const giveBack = (): void => {
    const before = memory.held();
    if (before - kept < limits.worth || before < kept * GROWN) return;
    const began = clock.elapsed();
    memory.giveBack();
    kept = memory.held();
    const megabytes = Math.round((before - kept) / 1e6);
    log.debug({ megabytes, milliseconds: Math.round(clock.elapsed() - began) }, 'memory was given back');
  };
  // The first look is the largest burst of all, and over when the reconciler rests.
  await Promise.race([reconciler.idle(), once(signal, 'abort')]);
  while (!signal.aborted) {
    giveBack();
    do await clock.sleep(limits.interval, signal);
    while (!signal.aborted && sync.quietFor() < limits.quiet);
  }
}

/** So many times what is needed. */
const GROWN = 1.3;
