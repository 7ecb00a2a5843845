import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { cloneBare, filesBetween } from './bare.ts';
import type { Files } from './bare.ts';
import { against } from './figure.ts';
import type { Figure } from './figure.ts';
import { ownProcessor, startNode } from './node.ts';
import type { BenchNode } from './node.ts';
import { percentile, shown, spreadOf, timed } from './numbers.ts';
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
  readonly notes: readonly string[];
}

/** P1: one `delegate_task` through the running node, with 100 tasks in the tree. */
export async function measureP1(bench: Bench): Promise<readonly Figure[]> {
  const tasks = fewTasks(bench);
  const { baton, floor, notes } = await delegationsAmong(bench, tasks);
  const what = `one delegation, ${tasks} tasks in the tree`;
  return [against({ id: 'P1', what, unit: 'ms', limit: 1.5, notes }, baton, floor)];
}

/** P3: the same with 10,000, against its own floor and against P1. */
export async function measureP3(bench: Bench): Promise<readonly Figure[]> {
  const tasks = manyTasks(bench);
  const few = await delegationsAmong(bench, fewTasks(bench));
  const many = await delegationsAmong(bench, tasks);
  const what = `one delegation, ${tasks} tasks in the tree`;
  return [
    against({ id: 'P3', what, unit: 'ms', limit: 0.6, notes: many.notes }, many.baton, many.floor),
    against({ id: 'P3', what: `${what}; floor: P1`, unit: 'ms', limit: 3 }, many.baton, few.baton),
  ];
}

/** Delegations of both kinds in turns, so that whatever else the machine does meets both. */
function delegationsAmong(bench: Bench, tasks: number): Promise<Delegations> {
  return bench.once(`delegations among ${tasks}`, async () => {
    const [blocks, each] = bench.small ? [1, 2] : [6, 5];
    const remote = await remoteWith(bench, tasks);
    const lead = await startLeader(bench, remote);
    const ids = [...(await planProject(lead, 'bench', blocks * each + 6))];
    const copy = copyOf(bench, remote);
    const bare = await cloneBare(bench, copy, 'pat');
    const next = (): string => ids.shift() ?? '';
    const delegate = async (): Promise<{ readonly ms: number; readonly files: Files }> => {
      const before = tipOf(remote);
      const taskId = next();
      const ms = await timed(() => lead.must('taskflow', 'delegate_task', delegation('bench', taskId)));
      return { ms, files: await filesBetween(bench, remote, before, tipOf(remote)) };
    };
    bench.say(`  delegations with ${tasks} tasks in the tree`);
    await bare.publish((await delegate()).files, 'warm-up');
    const [baton, floor]: [number[], number[]] = [[], []];
    let spent = { own: 0, children: 0, bare: 0 };
    for (let block = 0; block < blocks; block += 1) {
      await lead.quiet();
      const before = lead.processor();
      const done: Files[] = [];
      for (let count = 0; count < each; count += 1) {
        const { ms, files } = await delegate();
        baton.push(ms);
        done.push(files);
      }
      await lead.quiet();
      const after = lead.processor();
      const idle = ownProcessor();
      for (const files of done) floor.push(await timed(() => bare.publish(files, 'taskflow(delegate_task)')));
      spent = {
        own: spent.own + after.own - before.own,
        children: spent.children + after.children - before.children,
        bare: spent.bare + ownProcessor().children - idle.children,
      };
    }
    const many = baton.length;
    const notes = [
      `processor time for each: ${shown(spent.own / many)} ms of the node and ${shown(spent.children / many)} ms of its git; of the floor ${shown(spent.bare / many)} ms`,
      await processesOf(bench, lead, next),
    ];
    await lead.stop();
    return { baton: spreadOf(baton), floor: spreadOf(floor), notes };
  });
}

/** The git calls that one delegation waits for, or causes afterwards. */
async function processesOf(bench: Bench, lead: BenchNode, next: () => string): Promise<string> {
  await lead.stop();
  const file = `${lead.root}.processes`;
  const counted = await startNode(bench, lead.root, { processes: file });
  await counted.must('taskflow', 'delegate_task', delegation('bench', next()));
  await counted.quiet();
  const before = linesOf(file);
  await counted.must('taskflow', 'delegate_task', delegation('bench', next()));
  await counted.quiet();
  const calls = linesOf(file).slice(before.length);
  await counted.stop();
  const words = calls.map((line) => {
    const call = JSON.parse(line) as { readonly words: readonly string[]; readonly ms: number };
    return `${call.words[0] ?? ''} ${shown(call.ms)}`;
  });
  return `${calls.length} git processes: ${words.join(', ')} ms`;
}

const linesOf = (file: string): readonly string[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];

/** Bursts are repeated for so long at most; milliseconds. */
const PATIENCE = 60_000;

/** P2: many delegations at once, each answered only once it is on the remote. */
export async function measureP2(bench: Bench): Promise<readonly Figure[]> {
  const { floor } = await delegationsAmong(bench, fewTasks(bench));
  const remote = await remoteWith(bench, fewTasks(bench));
  const lead = await startLeader(bench, remote);
  const figures: Figure[] = [];
  const sizes = bench.small ? [[10, 0.08, 1] as const] : [[100, 0.08, 5] as const, [1000, 0.03, 3] as const];
  for (const [many, limit, rounds] of sizes) {
    bench.say(`  ${many} delegations at once`);
    const bursts: Burst[] = [];
    const begun = performance.now();
    for (let round = 1; round <= rounds && (round === 1 || performance.now() - begun < PATIENCE); round += 1) {
      const projectId = `burst-${many}-${round}`;
      const ids = await planProject(lead, projectId, many);
      await lead.quiet();
      bursts.push(await burst(bench, { lead, remote, projectId, ids }));
    }
    const lost = bursts.reduce((sum, one) => sum + one.lost, 0);
    const early = bursts.reduce((sum, one) => sum + one.early, 0);
    const firsts = bursts.map(({ first }) => first);
    figures.push(
      against(
        {
          id: 'P2',
          what: `${many} delegations at once; floor: ${many} × one`,
          unit: 'ms',
          limit,
          sound: lost === 0 && early === 0,
          notes: [
            `${lost} lost, ${early} answered before they were on the remote; commits for a burst: ${bursts.map(({ commits }) => commits).join(', ')}; first answer after ${shown(percentile(firsts, 0.5))} ms`,
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
  readonly first: number;
  /** Answered ok and not in the tree of the remote, or not answered ok. */
  readonly lost: number;
  /** Answered while the remote did not hold it yet. */
  readonly early: number;
  readonly commits: number;
}

interface BurstPlace {
  readonly lead: BenchNode;
  readonly remote: string;
  readonly projectId: string;
  readonly ids: readonly string[];
}

async function burst(bench: Bench, { lead, remote, projectId, ids }: BurstPlace): Promise<Burst> {
  const tips = new Map<string, string[]>();
  let first = 0;
  let failed = 0;
  const start = performance.now();
  await Promise.all(
    ids.map(async (taskId) => {
      const answer = await lead.call('taskflow', 'delegate_task', delegation(projectId, taskId));
      first = first === 0 ? performance.now() - start : first;
      if (!answer.ok) failed += 1;
      const tip = tipOf(remote);
      tips.set(tip, [...(tips.get(tip) ?? []), taskId]);
    }),
  );
  const ms = performance.now() - start;
  const paths = (tasks: readonly string[]): readonly string[] =>
    tasks.map((taskId) => join('shared/tasks', taskId, 'meta.json'));
  let early = 0;
  for (const [tip, tasks] of tips) early += tasks.length - (await heldBy(bench, remote, tip, paths(tasks))).size;
  const held = await heldBy(bench, remote, tipOf(remote), paths(ids));
  return { ms, first, early, lost: Math.max(failed, ids.length - held.size), commits: tips.size };
}
