import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { serveGit } from '../support/git-server.ts';
import { partOf } from './bench.ts';
import type { Bench } from './bench.ts';
import { cloneBare } from './bare.ts';
import type { BareClone } from './bare.ts';
import type { Costs, Growth, GrowthRow } from './growth-shape.ts';
import { inTurns } from './in-turns.ts';
import { limitOf, within } from './limit.ts';
import type { Limit } from './limit.ts';
import { submitAtOnce } from './measure-submit.ts';
import type { Submission } from './measure-submit.ts';
import { spreadOf } from './numbers.ts';
import { prepareScript, takeDown } from './script.ts';
import { slowWire } from './slow-wire.ts';
import { copyOf, planProject, remoteWith, startLeader, startWorkers, stopAll } from './team.ts';
import { workerName } from './tree.ts';

/** One place at which everything is measured; each axis changes one of these. */
interface Point {
  readonly tasks: number;
  readonly workers: number;
  readonly plan: number;
  /** Milliseconds to the remote and back, behind a server; absent: a remote on the same disk. */
  readonly roundTrip?: number;
}

interface Axis {
  readonly name: string;
  readonly what: string;
  readonly scale: Growth['scale'];
  readonly sizes: readonly number[];
  readonly small: readonly number[];
  readonly at: (base: Point, size: number) => Point;
}

const BASE: Point = { tasks: 100, workers: 5, plan: 50 };
const SMALL: Point = { tasks: 20, workers: 1, plan: 12 };

const AXES: readonly Axis[] = [
  {
    name: 'tasks',
    what: 'tasks in the tree',
    scale: 'ratio',
    sizes: [100, 1000, 10_000, 20_000],
    small: [20, 40],
    at: (base, tasks) => ({ ...base, tasks }),
  },
  {
    name: 'workers',
    what: 'Workers, each with a node',
    scale: 'ratio',
    sizes: [1, 5, 10, 20],
    small: [1, 2],
    at: (base, workers) => ({ ...base, workers }),
  },
  {
    name: 'plan',
    what: 'nodes in the plan',
    scale: 'ratio',
    sizes: [50, 500, 5000],
    small: [12, 24],
    at: (base, plan) => ({ ...base, plan }),
  },
  {
    name: 'round-trip',
    what: 'round trip to the remote (ms)',
    scale: 'difference',
    sizes: [0, 20, 100],
    small: [10],
    at: (base, roundTrip) => ({ ...base, roundTrip }),
  },
];

export const AXIS_NAMES = AXES.map(({ name }) => name);

/** The whole of it ends by then, with what was reached; seconds. */
const WHOLE = 900;

/** What a place may take: so much, and more for a large tree, which has to be cloned many times; seconds. */
const secondsFor = ({ tasks, workers }: Point): number => 45 + tasks / 125 + workers * 1.5;

/** How the cost of a step grows, along every axis that is asked for. */
export async function measureGrowth(bench: Bench, names: ReadonlySet<string>): Promise<readonly Growth[]> {
  const whole = limitOf(WHOLE);
  const growths: Growth[] = [];
  for (const { name, what, scale, sizes, small, at } of AXES) {
    if (!names.has(name)) continue;
    const rows: GrowthRow[] = [];
    for (const size of bench.small ? small : sizes) {
      const point = at(bench.small ? SMALL : BASE, size);
      const { costs, notes } = await bench.once(JSON.stringify(point), () => atPoint(bench, point, whole));
      rows.push({ at: size, label: size.toLocaleString('en'), costs, notes });
    }
    growths.push({ axis: name, what, scale, rows });
  }
  return growths;
}

/** Describes what stays the same while something grows. */
export const growthBase = ({ small }: Bench): string => {
  const { tasks, workers, plan } = small ? SMALL : BASE;
  return `where nothing else is said: ${tasks} tasks in the tree, ${workers} Workers, ${plan} nodes in the plan, a remote on the same disk`;
};

type Measured = Pick<GrowthRow, 'costs' | 'notes'>;

async function atPoint(bench: Bench, point: Point, whole: Limit): Promise<Measured> {
  if (whole.over()) return { costs: {}, notes: ['not measured, since the time of the run was over'] };
  const limit = whole.part(secondsFor(point));
  bench.say(`${JSON.stringify(point)} …`);
  const found: { -readonly [key in keyof Costs]: Costs[key] } = {};
  const notes: string[] = [];
  const { part, close } = partOf(bench);
  try {
    const end = await within(measureAt(part, point, { limit, found, notes }), limit.left() + 30_000);
    if (end !== undefined) return { costs: found, notes };
    notes.push(`not all was measured within ${Math.round(limit.seconds)} s`);
  } catch (error) {
    notes.push(`not all was measured: ${(error as Error).message.split('\n')[0]}`);
  }
  close();
  return { costs: { ...found }, notes };
}

interface Findings {
  readonly limit: Limit;
  readonly found: { -readonly [key in keyof Costs]: Costs[key] };
  readonly notes: string[];
}

/** Delegations and their floor in turns, then submissions, then the shared branch; what is found is kept at once. */
async function measureAt(bench: Bench, point: Point, { limit, found, notes }: Findings): Promise<true> {
  const { workers: many, plan } = point;
  await using stack = new AsyncDisposableStack();
  const addressOf = await addresses(bench, stack, point.roundTrip);
  const remote = await remoteWith(bench, point.tasks, 100);
  const lead = await startLeader(bench, addressOf(remote));
  const workers = await startWorkers(bench, addressOf(remote), many);
  stack.defer(() => stopAll([lead, ...workers]));
  const ids = [...(await planProject(lead, 'growth', plan, (index) => workerName((index % many) + 1)))];
  const copy = copyOf(bench, remote);
  const bare = await cloneBare(bench, addressOf(copy), 'pat');

  const [blocks, each] = bench.small ? [1, 1] : [3, 3];
  const turns = await inTurns(bench, { lead, remote, bare, projectId: 'growth', ids }, { blocks, each }, limit);
  found.delegation = spreadOf(turns.baton);
  found.script = spreadOf(turns.floor);
  const wanted = blocks * each;
  if (turns.baton.length < wanted) notes.push(`the time was over after ${turns.baton.length} of ${wanted} delegations`);
  if (turns.early > 0) notes.push(`${turns.early} answers came before the remote held the task`);

  const rounds = bench.small ? 1 : Math.ceil(12 / many) + 1;
  const [first, others]: [Submission[], Submission[]] = [[], []];
  let done = 0;
  for (; done < rounds && (done === 0 || !limit.over()); done += 1) {
    // Tasks follow each other as their Workers do.
    const mine = inOrderOf(workers.length, ids.splice(0, many), plan - ids.length - many);
    const seen = await submitAtOnce({ lead, workers, projectId: 'growth', ids: mine }, limit);
    (done === 0 ? first : others).push(...seen);
  }
  // The first round is a warm-up: it counts only where there is no other.
  const samples = others.length > 0 ? others : first;
  const answered = samples.flatMap((one) => one.answered ?? []);
  const known = samples.flatMap((one) => one.known ?? []);
  const missing = samples.length - known.length;
  if (answered.length > 0) found.answered = spreadOf(answered);
  if (known.length > 0) found.known = spreadOf(known);
  if (missing > 0) notes.push(`${missing} submissions were not known of in time`);
  if (done < rounds) notes.push(`the time was over after ${done} of ${rounds} rounds of submissions`);
  await stopAll([lead, ...workers]);

  const steps = await onSharedBranch(bench, { bare, address: addressOf(copy), many, limit });
  if (steps.length > 0) found.shared = spreadOf(steps);
  return true;
}

/** `ids` begin with the task of some Worker; the first one's is put first. */
function inOrderOf(many: number, ids: readonly string[], before: number): readonly string[] {
  const shift = (many - (before % many)) % many;
  return [...ids.slice(shift), ...ids.slice(0, shift)];
}

/** How a remote is reached: by its path, or over a server at the end of a wire of the wanted length. */
async function addresses(
  bench: Bench,
  stack: AsyncDisposableStack,
  roundTrip: number | undefined,
): Promise<(remote: string) => string> {
  if (roundTrip === undefined) return (remote) => remote;
  const server = await serveGit(bench.folder);
  bench.own(server.child);
  const wire = await slowWire(server.port, roundTrip);
  stack.defer(() => {
    wire.close();
    server.child.kill();
  });
  return (remote) => `git://127.0.0.1:${wire.port}/${relative(bench.folder, remote)}`;
}

/** Milliseconds of each step by as many scripts as there are Workers, all at once on one branch. */
async function onSharedBranch(
  bench: Bench,
  {
    bare,
    address,
    many,
    limit,
  }: { readonly bare: BareClone; readonly address: string; readonly many: number; readonly limit: Limit },
): Promise<readonly number[]> {
  const pattern = await bench.once('pattern', () => takeDown(bench));
  const names = Array.from({ length: many }, (_, index) => workerName(index + 1));
  const projectOf = (worker: string): string => `team-${worker}`;
  // Each has a plan of its own, as large as the one that the node had to do with.
  const text = readFileSync(join(bare.dir, 'shared/projects/growth/plan.md'), 'utf8').replaceAll(
    /^- \[.\] /gmu,
    '- [ ] ',
  );
  const plans = names.map((name) => {
    const projectId = projectOf(name);
    return [`shared/projects/${projectId}/plan.md`, text.replaceAll('growth', projectId)] as const;
  });
  await bare.publish(new Map(plans), 'plans');
  const scripts: Awaited<ReturnType<typeof prepareScript>>[] = [];
  for (const worker of names) {
    const projectId = projectOf(worker);
    const taskIds = Array.from({ length: bench.small ? 1 : 3 }, (_, index) => `${projectId}-000${index + 1}`);
    scripts.push(await prepareScript(bench, pattern, { remote: address, worker, projectId, taskIds }));
  }
  const own = limitOf(Math.max(5, Math.min(12, limit.left() / 1000)));
  const runs = await Promise.all(scripts.map((script) => script(() => !own.over())));
  return runs.flatMap(({ times }) => times);
}
