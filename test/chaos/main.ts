import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Fault } from '../../src/chaos/faults.ts';
import { FAULTS } from '../../src/chaos/faults.ts';
import { runSeed, storyOf } from '../../src/chaos/seed.ts';
import type { SeedResult } from '../../src/chaos/seed.ts';
import { castOf } from '../../src/chaos/stage.ts';
import { asSentence, rowOf, tableOf } from '../../src/chaos/table.ts';
import type { Row } from '../../src/chaos/table.ts';
import { runContests } from './contests.ts';
import { BRANCHES, localGround } from './ground.ts';
import { runKills } from './kills.ts';
import { runOutages } from './outages.ts';
import { servedGround } from './served-ground.ts';
import { runSoak } from './soak.ts';

const USAGE = `npm run test:chaos -- [R1 R2 R3 R5 R6] [--seeds N] [--seed S] [--kills N] [--all-points] [--rounds N] [--tasks N]

  R1  kill -9 at points of every mutating action   --kills N points of each (3; 0: only its whole run), --all-points every one
  R2  random schedules with faults                 --seeds N schedules (12), --seed S that one alone
  R3  outages: everything is tried during each
  R5  64 callers want the same at once             --rounds N (30)
  R6  many tasks through their whole life          --tasks N (100), --soak 5000 of them
`;

const WORKERS = 5;
const TASKS = 6;
const STEPS = 24;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const fail = (what: string, sentences: readonly string[]): void => {
  for (const sentence of sentences) say(`${what}: ${sentence}`);
};

interface Options {
  readonly seed: number;
  readonly onlySeed: boolean;
  readonly seeds: number;
  readonly kills: number | undefined;
  readonly rounds: number;
  readonly tasks: number;
}

type Suite = (options: Options) => Promise<Row>;

const kills: Suite = async ({ seed, kills: each }) => {
  const ground = localGround();
  try {
    const results = await runKills({
      ground,
      seed,
      ...(each === undefined ? {} : { each }),
      onResult({ scene, points, killed, violations }) {
        say(`  R1 ${scene}: killed at ${killed} of ${points} points`);
        fail(
          `  R1 ${scene}, seed ${seed}`,
          violations.map((one) => `killed ${one.point}: ${asSentence(one)}`),
        );
      },
    });
    const sum = (of: (result: (typeof results)[number]) => number): number =>
      results.reduce((total, result) => total + of(result), 0);
    return {
      what: 'R1 kill -9 at points of every action',
      seeds: 1,
      steps: results.length,
      faults: 0,
      kills: sum(({ killed }) => killed),
      points: `${sum(({ killed }) => killed)} of ${sum(({ points }) => points)}`,
      violations: sum(({ violations }) => violations.length),
      seconds: sum(({ seconds }) => seconds),
    };
  } finally {
    ground.remove();
  }
};

/** Whose nodes are processes in which seeds: starting them takes time, so not in all. */
const KILLING = 4;

const schedules: Suite = async ({ seed, onlySeed, seeds }) => {
  const { leader, workers } = castOf(WORKERS, TASKS);
  await using stack = new AsyncDisposableStack();
  const local = localGround();
  stack.defer(() => local.remove());
  const served = await servedGround([leader, ...workers], stack);
  const results: SeedResult[] = [];
  for (let index = 0; index < (onlySeed ? 1 : seeds); index += 1) {
    const number = seed + index;
    const ground = number % 2 === 0 ? local : served;
    const mortal = number % KILLING === 0 ? ['lead', 'ana'] : [];
    const play = { seed: number, ground, branches: BRANCHES, workers: WORKERS, tasks: TASKS, steps: STEPS, mortal };
    const result = await runSeed(play);
    results.push(result);
    const { steps, faults, violations, seconds } = result;
    say(
      `  R2 seed ${number}: ${steps} steps, ${faults} faults, ${violations.length} violations, ${seconds.toFixed(1)} s`,
    );
    if (violations.length > 0) say(storyOf(result, `npm run test:chaos -- R2 --seed ${number}`));
  }
  return rowOf('R2 random schedules, 1 Leader, 5 Workers, a person', results);
};

const outages: Suite = async () => {
  const results = await runOutages(
    (result) => {
      say(
        `  R3 a node ${FAULTS[result.fault]}: ${result.violations.length} violations, ${result.seconds.toFixed(1)} s`,
      );
      if (result.violations.length > 0) say(storyOf(result, 'npm run test:chaos -- R3'));
    },
    (fault: Fault, why) => say(`  R3 a node ${FAULTS[fault]}: left out, since ${why}`),
  );
  return rowOf('R3 outages', results);
};

const contests: Suite = async ({ seed, rounds }) => {
  const result = await runContests(seed, rounds, (done) => say(`  R5 ${done} rounds`));
  fail('  R5', result.violations);
  return {
    what: 'R5 64 callers at once, a step is a call',
    seeds: result.rounds,
    steps: result.calls,
    faults: result.faults,
    kills: 0,
    violations: result.violations.length,
    seconds: result.seconds,
  };
};

const soak: Suite = async ({ tasks }) => {
  const result = await runSoak(tasks, (done, seconds) => say(`  R6 ${done} tasks after ${seconds.toFixed(0)} s`));
  say(`  R6 heap: ${result.warm} MB after a quarter, ${result.end} MB in the end`);
  fail('  R6', result.violations);
  return {
    what: `R6 ${tasks} tasks, heap ${result.warm} to ${result.end} MB`,
    seeds: 1,
    steps: tasks * 4,
    faults: 0,
    kills: 0,
    violations: result.violations.length,
    seconds: result.seconds,
  };
};

const SUITES: readonly (readonly [id: string, run: Suite])[] = [
  ['R1', kills],
  ['R2', schedules],
  ['R3', outages],
  ['R5', contests],
  ['R6', soak],
];

interface Wanted extends Options {
  readonly ids: ReadonlySet<string>;
}

function wanted(): Wanted {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: '12' },
      seed: { type: 'string' },
      kills: { type: 'string', default: '3' },
      'all-points': { type: 'boolean', default: false },
      rounds: { type: 'string', default: '30' },
      tasks: { type: 'string', default: '100' },
      soak: { type: 'boolean', default: false },
    },
  });
  const number = (name: string, text: string, least = 1): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least)
      throw new TypeError(`--${name} takes a whole number from ${least} on`);
    return value;
  };
  const ids = positionals.map((id) => id.toUpperCase());
  const unknown = ids.filter((id) => SUITES.every(([known]) => known !== id));
  if (unknown.length > 0) throw new TypeError(`nothing is called ${unknown.join(', ')}`);
  const some = values.soak ? ['R6'] : values.seed === undefined ? SUITES.map(([id]) => id) : ['R2'];
  return {
    ids: new Set(ids.length === 0 ? some : ids),
    seed: values.seed === undefined ? randomInt(1_000_000) : number('seed', values.seed),
    onlySeed: values.seed !== undefined,
    seeds: number('seeds', values.seeds),
    kills: values['all-points'] ? undefined : number('kills', values.kills, 0),
    rounds: number('rounds', values.rounds),
    tasks: values.soak ? 5_000 : number('tasks', values.tasks),
  };
}

async function main(): Promise<number> {
  let options: Wanted;
  try {
    options = wanted();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  say(`the first seed is ${options.seed}`);
  const rows: Row[] = [];
  for (const [id, run] of SUITES) if (options.ids.has(id)) rows.push(await run(options));
  process.stdout.write(`\n${tableOf(rows)}`);
  return rows.some(({ violations }) => violations > 0) ? 1 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main();
