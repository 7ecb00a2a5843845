import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { absolute } from './figure.ts';
import type { Figure } from './figure.ts';
import { joinTeam, startNode } from './node.ts';
import { shown, spreadOf } from './numbers.ts';
import { manyTasks, remoteWith } from './team.ts';

/** P5: a Leader's node on a large tree: until it is up, what it holds, what it uses when nothing happens. */
export async function measureP5(bench: Bench): Promise<readonly Figure[]> {
  const tasks = manyTasks(bench);
  const remote = await remoteWith(bench, tasks);
  const root = await joinTeam(bench, bench.fresh('lead'), { name: 'lead', role: 'leader', remote });
  const seen: number[] = [];
  const resident: number[] = [];
  const fresh = await startNode(bench, root);
  await fresh.quiet();
  await fresh.stop();
  for (let round = 0; round < (bench.small ? 1 : 5); round += 1) {
    const node = await startNode(bench, root);
    seen.push(node.startedIn);
    await node.quiet();
    resident.push(node.memory().now);
    await node.stop();
  }
  const idle = bench.small ? 500 : 30_000;
  bench.say(`  watching an idle node for ${idle / 1000} s`);
  const node = await startNode(bench, root);
  await node.quiet();
  const before = node.processor();
  await wait(idle);
  const after = node.processor();
  const share = (part: 'own' | 'children'): number => (100 * (after[part] - before[part])) / idle;
  const memory = node.memory();
  await node.stop();
  return [
    absolute(
      {
        id: 'P5',
        what: `start of a node on ${tasks} tasks, until it is up`,
        unit: 's',
        limit: 3,
        notes: [`in a clone that was just made: ${shown(fresh.startedIn / 1000)} s`],
      },
      spreadOf(seen.map((ms) => ms / 1000)),
    ),
    absolute(
      {
        id: 'P5',
        what: 'resident memory once it is quiet',
        unit: 'MB',
        limit: 300,
        notes: [`highest so far: ${shown(memory.peak)} MB`],
      },
      spreadOf([...resident, memory.now]),
    ),
    absolute(
      {
        id: 'P5',
        what: 'processor when idle, git calls included',
        unit: '%',
        limit: 1,
        notes: [`the node itself ${shown(share('own'))} %, its git ${shown(share('children'))} %`],
      },
      share('own') + share('children'),
    ),
  ];
}
