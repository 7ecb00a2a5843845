import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { absolute } from './figure.ts';
import type { Figure } from './figure.ts';
import type { Limit } from './limit.ts';
import { joinTeam, startNode } from './node.ts';
import type { BenchNode } from './node.ts';
import { percentile, shown, spreadOf, timed } from './numbers.ts';
import type { Spread } from './numbers.ts';
import type { Memory, ProcessorTime } from './processor.ts';
import { manyTasks, remoteWith } from './team.ts';

/** So far apart the whole tree is looked at; milliseconds. */
const WHOLE_LOOK_EVERY = 600_000;

/** How long an idle node is watched; seconds: for one of each of the things that it does once a minute, the first a minute after its start. */
const IDLE = 65;

/** Milliseconds without work, longer than a node has to rest before it gives back the memory of what it did (docs/decisions/0036). */
const AT_REST = 2_500;

/** The tree's lateness is raised once, ever; it is counted as if as much came due in every hour. Milliseconds. */
const RAISING_EVERY = 3_600_000;

/** P5: a Leader's node on a large tree: until it is up, what it holds, what it uses when nothing happens. */
export async function measureP5(bench: Bench, limit: Limit): Promise<readonly Figure[]> {
  const tasks = manyTasks(bench);
  const rounds = bench.small ? 1 : 5;
  const remote = await remoteWith(bench, tasks);
  const root = await joinTeam(bench, bench.fresh('lead'), { name: 'lead', role: 'leader', remote });
  const fresh = await start(bench, root);
  await fresh.node.quiet();
  const raising = await raiseLateness(bench, fresh.node, limit);
  await fresh.node.stop();
  const [ready, resident]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds && (round === 0 || limit.left() > IDLE * 1000); round += 1) {
    const { node, answered } = await start(bench, root);
    ready.push(answered);
    await node.quiet(AT_REST);
    resident.push(node.memory().now);
    await node.stop();
  }
  const { node } = await start(bench, root);
  await node.quiet(AT_REST);
  const idle = await watchIdle(bench, node, limit);
  const memory = node.memory();
  await node.stop();
  const cut = ready.length < rounds ? `${ready.length} of ${rounds} starts` : undefined;
  return [
    absolute(
      {
        id: 'P5',
        what: `start of a node on ${tasks} tasks, until it has answered a question about a project`,
        unit: 's',
        limit: 3,
        cut,
        notes: [`in a clone that was just made: ${shown(fresh.answered / 1000)} s`],
      },
      spreadOf(ready.map((ms) => ms / 1000)),
    ),
    absolute(
      {
        id: 'P5',
        what: 'resident memory once it is quiet',
        unit: 'MB',
        limit: 300,
        cut,
        notes: [
          `after ${shown(idle.seconds)} s more: ${shown(memory.now)} MB; highest so far: ${shown(memory.peak)} MB`,
          `once it had raised what was late: ${shown(raising.memory.now)} MB; highest so far: ${shown(raising.memory.peak)} MB`,
          `the git processes that it keeps: ${shown(memory.children)} MB, with what they share`,
        ],
      },
      spreadOf([...resident, memory.now]),
    ),
    absolute(
      {
        id: 'P5',
        what: 'processor when idle, git calls included',
        unit: '%',
        limit: 1,
        cut: raising.cut ?? idle.cut,
        notes: [
          `watched for ${shown(idle.seconds)} s: the node itself ${shown(idle.own)} %, its git ${shown(idle.children)} %`,
          `a look at the whole tree takes ${shown(idle.look.median)} ms of processor, once in ten minutes: ${shown(idle.lookShare)} %`,
          `what was late in the tree was raised before, once: ${shown(raising.spent)} ms of processor, and counted once an hour: ${shown(raising.share)} %`,
        ],
      },
      idle.own + idle.children + idle.lookShare + raising.share,
    ),
  ];
}

async function start(bench: Bench, root: string): Promise<{ readonly node: BenchNode; readonly answered: number }> {
  const begun = performance.now();
  const node = await startNode(bench, root);
  await node.must('projectflow', 'ready_nodes', { projectId: 'project-0001' });
  return { node, answered: performance.now() - begun };
}

/**
 * A tree that was just made holds what came due in a year and nobody was told of. The node's first look at what is late, a
 * minute after its start, raises all of that, which is work and happens once; later nodes find nothing new.
 */
async function raiseLateness(
  bench: Bench,
  node: BenchNode,
  limit: Limit,
): Promise<{
  readonly spent: number;
  readonly share: number;
  readonly memory: Memory;
  readonly cut: string | undefined;
}> {
  const wanted = limit.part(bench.small ? 0.5 : IDLE);
  bench.say('  waiting until what is late in the tree was raised');
  const first = sum(node.processor());
  const commits = (): number => node.logged('"operation":"lateness.raise"');
  while (commits() === 0 && !wanted.over()) await wait(100);
  for (let before = 0; before < commits();) {
    before = commits();
    await node.quiet();
    await wait(1000);
  }
  const spent = sum(node.processor()) - first;
  const cut = commits() === 0 && !bench.small ? `nothing was raised within ${shown(wanted.seconds)} s` : undefined;
  return { cut, spent, share: (100 * spent) / RAISING_EVERY, memory: node.memory() };
}

/** Shares in percent of one processor. The window is too short for the look at the whole tree, which is asked for. */
async function watchIdle(
  bench: Bench,
  node: BenchNode,
  limit: Limit,
): Promise<{
  readonly seconds: number;
  readonly own: number;
  readonly children: number;
  readonly look: Spread;
  readonly lookShare: number;
  readonly cut: string | undefined;
}> {
  const wanted = bench.small ? 500 : IDLE * 1000;
  bench.say(`  watching an idle node for ${wanted / 1000} s`);
  const before = node.processor();
  const ms = await timed(() => wait(Math.min(wanted, limit.left())));
  const after = node.processor();
  const looks: number[] = [];
  for (let count = 0; count < (bench.small ? 1 : 3); count += 1) {
    const first = sum(node.processor());
    await node.sync();
    await node.quiet();
    looks.push(sum(node.processor()) - first);
  }
  const share = (part: keyof ProcessorTime): number => (100 * (after[part] - before[part])) / ms;
  return {
    seconds: ms / 1000,
    own: share('own'),
    children: share('children'),
    look: spreadOf(looks),
    lookShare: (100 * percentile(looks, 0.5)) / WHOLE_LOOK_EVERY,
    cut: ms < wanted ? `an idle node was watched for ${shown(ms / 1000)} of ${shown(wanted / 1000)} s` : undefined,
  };
}

const sum = ({ own, children }: ProcessorTime): number => own + children;
