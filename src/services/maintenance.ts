import type { Clock, Log, Sync } from '../ports.ts';
import type { MaintainedRepository, StoreState } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { chanceOf } from './polling.ts';

/** When what is to be done. Times in milliseconds. */
export interface MaintenanceLimits {
  /** Between looks. */
  readonly interval: number;
  /** So many loose objects, or packs, are packed. */
  readonly loose: number;
  readonly packs: number;
  /** So long nothing must have happened. */
  readonly quiet: number;
  /** Up to so many times as long, by chance: nodes of one machine that rest from the same work would all begin at once. */
  readonly spread: number;
  /** From so many loose objects on, the first moment is taken in which nothing happens. */
  readonly urgent: number;
  /** Between collections of garbage. */
  readonly collectAfter: number;
}

const LIMITS: MaintenanceLimits = {
  interval: 60_000,
  loose: 2_000,
  packs: 50,
  quiet: 3_000,
  spread: 10,
  urgent: 40_000,
  collectAfter: 7 * 24 * 3_600_000,
};

export interface MaintenanceDependencies {
  readonly repositories: readonly MaintainedRepository[];
  readonly sync: Pick<Sync, 'quietFor'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: MaintenanceLimits;
}

/**
 * Keeps repositories in order while the node runs: each step leaves a few loose objects behind, and a large tree is one
 * large object for each of them. Nothing is begun while the sync has a turn. Disposing ends what is under way.
 */
export function startMaintenance(dependencies: MaintenanceDependencies): AsyncDisposable {
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
  { repositories, sync, clock, log, limits = LIMITS }: MaintenanceDependencies,
  signal: AbortSignal,
): Promise<void> {
  /** What the last packing has left: that much is no reason to pack again. */
  const left = new Map<MaintainedRepository, StoreState>();
  while (!signal.aborted) {
    await clock.sleep(limits.interval, signal);
    for (const repository of repositories) {
      let task: Step['task'] | undefined;
      // A full disk, or a repository that may only be read, must not end the node.
      try {
        const step = due(repository, left.get(repository), clock.millis(), limits);
        if (step === undefined) continue;
        ({ task } = step);
        const quiet = step.quiet * (1 + (limits.spread - 1) * chanceOf(clock));
        // Where it never rests for so long, the next look draws another time, and sees whether there is no more waiting.
        const until = clock.elapsed() + limits.interval;
        while (!signal.aborted && sync.quietFor() <= quiet && clock.elapsed() < until)
          await clock.sleep(Math.max(50, step.quiet / 10), signal);
        if (signal.aborted) return;
        if (sync.quietFor() <= quiet) continue;
        const began = clock.elapsed();
        await repository[task](signal);
        if (signal.aborted) return;
        left.set(repository, repository.look());
        const milliseconds = Math.round(clock.elapsed() - began);
        log.info({ repository: repository.name, task, milliseconds }, 'git was put in order');
      } catch (error) {
        const reason = error instanceof FlowError ? error.message : String(error);
        log.warn({ repository: repository.name, task, reason }, 'git was not put in order');
      }
    }
  }
}

interface Step {
  readonly task: 'pack' | 'collect';
  readonly quiet: number;
}

function due(
  repository: MaintainedRepository,
  left: StoreState | undefined,
  now: number,
  limits: MaintenanceLimits,
): Step | undefined {
  const { loose, packs, collectedAt } = repository.look();
  // A new clone holds no garbage yet.
  if (collectedAt === undefined) repository.noteCollected();
  if (loose - (left?.loose ?? 0) >= limits.loose || packs - (left?.packs ?? 0) >= limits.packs) {
    return { task: 'pack', quiet: loose >= limits.urgent ? 0 : limits.quiet };
  }
  const isOld = collectedAt !== undefined && now - collectedAt >= limits.collectAfter;
  return isOld ? { task: 'collect', quiet: limits.quiet } : undefined;
}
