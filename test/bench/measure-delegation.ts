import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { cloneBare } from './bare.ts';
import { against, unmeasured } from './figure.ts';
import type { Figure } from './figure.ts';
import { inTurns } from './in-turns.ts';
import { within } from './limit.ts';
import type { Limit } from './limit.ts';
import { startNode } from './node.ts';
import type { BenchNode } from './node.ts';
import { percentile, shown, spreadOf } from './numbers.ts';
import type { Spread } from './numbers.ts';
import {
  copyOf,
  delegation,
  fewTasks,
  heldBy,
  manyTasks,
  planProject,
  remoteWith,
  startLeader,
  tipOf,
} from './team.ts';

interface Delegations {
  readonly baton: Spread;
  readonly floor: Spread;
  /** Whether every answer came when the remote held the task. */
  readonly sound: boolean;
  readonly cut: string | undefined;
  readonly notes: readonly string[];
}

/** P1: one `delegate_task` through the running node, with 100 tasks in the tree. */
export async function measureP1(bench: Bench, limit: Limit): Promise<readonly Figure[]> {
  const tasks = fewTasks(bench);
  const { baton, floor, ...seen } = await delegationsAmong(bench, tasks, limit);
  const what = `one delegation, ${tasks} tasks in the tree`;
  return [against({ id: 'P1', what, unit: 'ms', limit: 1.5, ...seen }, baton, floor)];
}

/** P3: the same with 10,000, against its own floor and against P1. */
export async function measureP3(bench: Bench, limit: Limit): Promise<readonly Figure[]> {
  const tasks = manyTasks(bench);
  const few = await delegationsAmong(bench, fewTasks(bench), limit);
  const { baton, floor, notes, ...seen } = await delegationsAmong(bench, tasks, limit);
  const what = `one delegation, ${tasks} tasks in the tree`;
  return [
    against({ id: 'P3', what, unit: 'ms', limit: 0.6, notes, ...seen }, baton, floor),
    against({ id: 'P3', what: `${what}; floor: P1`, unit: 'ms', limit: 3, ...seen }, baton, few.baton),
  ];
}

/** Measured once in a run for each size of tree, since several figures ask for it. */
function delegationsAmong(bench: Bench, tasks: number, limit: Limit): Promise<Delegations> {
  return bench.once(`delegations among ${tasks}`, async () => {
    const [blocks, each] = bench.small ? [1, 2] : [6, 5];
    const remote = await remoteWith(bench, tasks);
    const lead = await startLeader(bench, remote);
    const ids = [...(await planProject(lead, 'bench', blocks * each + 6))];
    const bare = await cloneBare(bench, copyOf(bench, remote), 'pat');
    bench.say(`  delegations with ${tasks} tasks in the tree`);
    const turns = await inTurns(bench, { lead, remote, bare, projectId: 'bench', ids }, { blocks, each }, limit);
    const { baton, floor, spent, early } = turns;
    const many = baton.length;
    const notes = [
      `${early} of ${many} answered before the remote held the task`,
      `processor time for each: ${shown(spent.node / many)} ms of the node and ${shown(spent.git / many)} ms of its git; of the floor ${shown(spent.floor / many)} ms`,
      await processesOf(bench, lead, ids),
    ];
    await lead.stop();
    const cut = many < blocks * each ? `${many} of ${blocks * each} delegations` : undefined;
    return { baton: spreadOf(baton), floor: spreadOf(floor), sound: early === 0, cut, notes };
  });
}

/** The git calls that one delegation waits for, or causes afterwards, and that end. */
async function processesOf(bench: Bench, lead: BenchNode, ids: string[]): Promise<string> {
  await lead.stop();
  const counted = await startNode(bench, lead.root, { processes: true });
  const delegate = async (): Promise<void> => {
    await counted.must('taskflow', 'delegate_task', delegation('bench', ids.shift() ?? ''));
    await counted.quiet();
  };
  await delegate();
  const before = counted.processes().length;
  await delegate();
  const calls = counted.processes().slice(before);
  await counted.stop();
  if (calls.length === 0) return 'no git process for one more';
  const words = calls.map(({ words: [first = ''], ms }) => `${first} ${shown(ms)}`);
  return `${calls.length} git processes for one more: ${words.join(', ')} ms`;
}

/** P2: many delegations at once, each answered only once it is on the remote. */
export async function measureP2(bench: Bench, limit: Limit): Promise<readonly Figure[]> {
  const { floor } = await delegationsAmong(bench, fewTasks(bench), limit);
  const remote = await remoteWith(bench, fewTasks(bench));
  const lead = await startLeader(bench, remote);
  const figures: Figure[] = [];
  const sizes = bench.small ? [[10, 0.08, 1] as const] : [[100, 0.08, 5] as const, [1000, 0.03, 3] as const];
  for (const [many, most, rounds] of sizes) {
    const what = `${many} delegations at once; floor: ${many} × one`;
    if (limit.over()) {
      figures.push(unmeasured('P2', what, 'the bursts before it took all the time'));
      continue;
    }
    bench.say(`  ${many} delegations at once`);
    const bursts: Burst[] = [];
    for (let round = 1; round <= rounds && (round === 1 || !limit.over()); round += 1) {
      const projectId = `burst-${many}-${round}`;
      const ids = await planProject(lead, projectId, many);
      await lead.quiet();
      bursts.push(await burst(bench, { lead, remote, projectId, ids }, limit));
    }
    const lost = bursts.reduce((sum, one) => sum + one.lost, 0);
    const early = bursts.reduce((sum, one) => sum + one.early, 0);
    const firsts = bursts.flatMap(({ first }) => first ?? []);
    const unanswered = bursts.reduce((sum, one) => sum + one.unanswered, 0);
    const cut = `${bursts.length} of ${rounds} bursts, ${unanswered} calls without an answer`;
    figures.push(
      against(
        {
          id: 'P2',
          what,
          unit: 'ms',
          limit: most,
          sound: lost === 0 && early === 0,
          cut: bursts.length < rounds || unanswered > 0 ? cut : undefined,
          notes: [
            `${lost} lost, ${early} answered before they were on the remote; commits for a burst: ${bursts.map(({ commits }) => commits).join(', ')}`,
            ...(firsts.length === 0 ? [] : [`first answer after ${shown(percentile(firsts, 0.5))} ms`]),
          ],
        },
        spreadOf(bursts.map(({ ms }) => ms)),
        many * floor.median,
      ),
    );
  }
  await lead.stop();
  return figures;
}

interface Burst {
  readonly ms: number;
  /** Milliseconds until somebody was answered. */
  readonly first: number | undefined;
  /** Answered ok and not in the tree of the remote, or refused. */
  readonly lost: number;
  /** Answered while the remote did not hold it yet. */
  readonly early: number;
  /** Without an answer when the time was over. */
  readonly unanswered: number;
  readonly commits: number;
}

interface BurstPlace {
  readonly lead: BenchNode;
  readonly remote: string;
  readonly projectId: string;
  readonly ids: readonly string[];
}

async function burst(bench: Bench, { lead, remote, projectId, ids }: BurstPlace, limit: Limit): Promise<Burst> {
  const tips = new Map<string, string[]>();
  let first: number | undefined;
  let refused = 0;
  const start = performance.now();
  const calls = ids.map(async (taskId) => {
    const answer = await lead.call('taskflow', 'delegate_task', delegation(projectId, taskId));
    first ??= performance.now() - start;
    if (!answer.ok) {
      refused += 1;
      return;
    }
    const tip = tipOf(remote);
    tips.set(tip, [...(tips.get(tip) ?? []), taskId]);
  });
  await within(Promise.all(calls), limit.left());
  const ms = performance.now() - start;
  const answered = [...tips.values()].flat();
  const paths = (tasks: readonly string[]): readonly string[] =>
    tasks.map((taskId) => join('shared/tasks', taskId, 'meta.json'));
  let early = 0;
  for (const [tip, tasks] of tips) early += tasks.length - (await heldBy(bench, remote, tip, paths(tasks))).size;
  const held = await heldBy(bench, remote, tipOf(remote), paths(answered));
  return {
    ms,
    first,
    early,
    lost: refused + answered.length - held.size,
    unanswered: ids.length - answered.length - refused,
    commits: tips.size,
  };
}
