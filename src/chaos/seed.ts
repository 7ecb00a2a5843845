import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { check } from './check.ts';
import type { Violation } from './facts.ts';
import { createLedger } from './ledger.ts';
import { clearWeather, playStep } from './play.ts';
import type { Counts } from './play.ts';
import { plainGit } from './plain-git.ts';
import { readStage } from './read.ts';
import { scheduleOf } from './schedule.ts';
import { castOf, setUpStage } from './stage.ts';
import type { Branches, Ground, Stage } from './stage.ts';
import { inWords } from './steps.ts';
import type { Step } from './steps.ts';
import { createWitness } from './witness.ts';

export interface SeedOptions {
  readonly seed: number;
  readonly ground: Ground;
  readonly branches: Branches;
  readonly workers: number;
  readonly tasks: number;
  readonly steps: number;
  /** Whose nodes are processes that are killed; nobody's, unless given. */
  readonly mortal?: readonly string[];
  /** Played in place of the seed's own. */
  readonly schedule?: readonly Step[];
  /** Ends the seed between two steps: rejects with its reason, once all is closed. */
  readonly signal?: AbortSignal;
}

/** What one seed came to. */
export interface SeedResult extends Counts {
  readonly seed: number;
  readonly seconds: number;
  readonly schedule: readonly Step[];
  readonly violations: readonly Violation[];
  readonly acknowledged: number;
  readonly answers: ReadonlyMap<string, number>;
}

/** Plays the schedule of a seed, lets everything come to rest, and checks what is there. */
export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const { seed, ground, branches, workers, tasks, steps, mortal = [] } = options;
  const begun = performance.now();
  const cast = castOf(workers, tasks);
  await clearAll(ground);
  const stage = await setUpStage({ ground, branches, cast, mortal, signal: options.signal });
  const ledger = createLedger();
  const counts: Counts = { steps: 0, faults: 0, kills: 0 };
  const faults = [...ground.shim.faults, ...(ground.weather?.faults ?? [])];
  const schedule = options.schedule ?? scheduleOf(seed, { cast, steps, faults, mortal });
  const violations: Violation[] = [];
  try {
    const play = { stage, ledger, counts, owners: new Map<string, string>() };
    const witness = createWitness(stage);
    for (const step of schedule) {
      options.signal?.throwIfAborted();
      await playStep(play, step);
      violations.push(...(await witness.look()));
    }
    await clearWeather(stage);
    await settle(stage);
    violations.push(...(await witness.look()));
    violations.push(...ledger.troubles, ...check(await readStage(stage), ledger.acknowledged));
  } finally {
    await clearAll(ground);
    await stage.close();
  }
  return {
    seed,
    ...counts,
    seconds: (performance.now() - begun) / 1000,
    schedule,
    violations,
    acknowledged: ledger.acknowledged.length,
    answers: ledger.answers,
  };
}

async function clearAll({ shim, weather }: Ground): Promise<void> {
  await shim.clear();
  await weather?.clear();
}

/** So many rounds in which everybody syncs once more; more mean that two nodes never come to agree. */
const ROUNDS = 8;

/** Milliseconds between two looks at an index whose lock a killed node has left: another takes it away after three seconds. */
const LOCK_LOOK = 700;

/** What nodes do sooner or later by themselves: start again where they fell, push, integrate, pull, say what is owed. */
export async function settle({ seats, ground }: Stage): Promise<void> {
  for (const seat of seats) await seat.start();
  for (let round = 0, before = ''; round < ROUNDS; round += 1) {
    await Promise.all(seats.filter(({ role }) => role === 'worker').map((seat) => seat.sync()));
    for (const seat of seats) if (seat.role === 'leader') await seat.sync();
    const trees = await Promise.all(seats.map(({ root }) => plainGit(root, ground.env, 'rev-parse', 'HEAD^{tree}')));
    const now = trees.join(' ');
    const isLocked = seats.some(({ root }) => existsSync(join(root, '.git/index.lock')));
    if (now === before && new Set(trees).size === 1 && !isLocked) return;
    before = now;
    if (isLocked) await setTimeout(LOCK_LOOK);
  }
}

/** The story of a seed: its schedule in words, what did not hold, and how to play it again. */
export function storyOf({ seed, schedule, violations }: SeedResult, again: string): string {
  return [
    `Seed ${seed}:`,
    ...schedule.map((step, index) => `  ${String(index + 1).padStart(3)}. ${inWords(step)}`),
    'What did not hold:',
    ...violations.map(({ rule, message }) => `  ${rule}: ${message}`),
    `Again: ${again}`,
    '',
  ].join('\n');
}
