import { setImmediate } from 'node:timers/promises';
import type { Execute } from '../flows/operation.ts';
import { isNews } from '../flows/time-flow/raise.ts';
import type { Clock, Heartbeats, Log, WorkTree } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import type { Actor } from '../protocol/records/types.ts';
import { leads } from '../protocol/roles.ts';
import { parseDuration } from '../protocol/timestamps.ts';
import { lateInProject, lateInTeam } from '../rules/lateness/lateness.ts';
import type { LatenessFacts } from '../rules/lateness/lateness.ts';
import { createStuckBlocker } from './block-stuck.ts';

/** Between ticks; milliseconds (features.md S001-44). */
const TICK = 60_000;

/** Milliseconds for which a tick lets nobody else go on. */
const PIECE = 15;

/** So many projects are raised by one commit. */
const BATCH = 20;

export interface SchedulerDependencies {
  readonly identity: Actor;
  readonly execute: Execute;
  readonly workTree: WorkTree;
  readonly heartbeats: Heartbeats;
  readonly clock: Clock;
  readonly log: Log;
}

/** The one place where time passes for a team: on a node of a Leader, since it raises what is late. */
export interface Scheduler {
  /** Counts a heartbeat when one is due, and has raised and cleared what the time calls for. */
  tick(): Promise<void>;
}

export function createScheduler(dependencies: SchedulerDependencies): Scheduler {
  const { identity, execute, workTree, heartbeats, clock, log } = dependencies;
  const blockStuck = createStuckBlocker(dependencies);
  /** What was refused last; told once for as long as it stays so. */
  let refused: string | undefined;

  /** A `check` that somebody runs counts as well, so that a cron job beside a node does not halve the patience. */
  function beatWhenDue(): void {
    const { beatEvery, heartbeats: areCounted } = workTree.view().team.policies;
    if (!areCounted) return;
    const every = parseDuration(beatEvery) ?? Infinity;
    const last = heartbeats.lastAt();
    const now = clock.millis();
    // A clock that was set back must not keep hearts from beating.
    if (last === undefined || now - last >= every || last > now) heartbeats.beat();
  }

  /** Looks in pieces, so that whoever asks something meanwhile need not wait for all of it. */
  async function projectsWithNews(facts: LatenessFacts): Promise<readonly string[]> {
    const found: string[] = [];
    let present = facts;
    let begun = clock.elapsed();
    for (const id of facts.view.projectIds()) {
      if (lateInProject(present, id).some(isNews)) found.push(id);
      if (clock.elapsed() - begun < PIECE) continue;
      await setImmediate();
      present = { ...facts, view: workTree.view() };
      begun = clock.elapsed();
    }
    return found;
  }

  return {
    async tick() {
      if (!leads(identity)) return;
      beatWhenDue();
      await blockStuck();
      const facts: LatenessFacts = { view: workTree.view(), now: clock.millis(), beats: heartbeats.seen() };
      const due = await projectsWithNews(facts);
      const batches = Array.from({ length: Math.ceil(due.length / BATCH) }, (_, index) =>
        due.slice(index * BATCH, (index + 1) * BATCH),
      );
      if (batches.length === 0 && lateInTeam(facts).some(isNews)) batches.push([]);
      try {
        for (const projects of batches) await execute('lateness.raise', { projects }, { actor: identity });
        refused = undefined;
      } catch (error) {
        if (!(error instanceof FlowError)) throw error;
        if (refused !== error.message) log.warn({ reason: error.message }, 'what is late could not be raised');
        refused = error.message;
      }
    },
  };
}

/** Ticks every minute until it is disposed; what is under way then is waited for. */
export function startScheduler(dependencies: SchedulerDependencies & { readonly interval?: number }): AsyncDisposable {
  const { clock, log, interval = TICK } = dependencies;
  const scheduler = createScheduler(dependencies);
  const ending = new AbortController();
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await clock.sleep(interval, ending.signal);
      if (ending.signal.aborted) return;
      await scheduler.tick().catch((error: unknown) => log.error({ reason: String(error) }, 'a tick failed'));
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
