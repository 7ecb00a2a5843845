import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must } from './bench.ts';
import type { Bench } from './bench.ts';
import { absolute, against } from './figure.ts';
import type { Figure } from './figure.ts';
import type { Limit } from './limit.ts';
import { startNode } from './node.ts';
import { percentile, shown, spreadOf, timed } from './numbers.ts';
import type { ReadySample } from './ready-nodes.ts';
import { fewTasks, planProject, remoteWith, startLeader } from './team.ts';

const SAMPLER = fileURLToPath(new URL('ready-nodes.ts', import.meta.url));

/** Tasks of the plan stand in chains of so many; the first of each is ready. */
const CHAIN = 50;

/** P4: what may start in a large plan, asked for the first time and again. */
export async function measureP4(bench: Bench, limit: Limit): Promise<readonly Figure[]> {
  const [nodes, rounds, asked] = bench.small ? [100, 1, 5] : [5000, 9, 50];
  const lead = await startLeader(bench, await remoteWith(bench, fewTasks(bench)));
  await planProject(lead, 'large', nodes, undefined, (index) => (index % CHAIN === 0 ? [] : [index - 1]));
  await lead.stop();
  const sample = async <Value>(...words: readonly string[]): Promise<Value> =>
    JSON.parse(await must(process.execPath, [SAMPLER, ...words], { cwd: lead.root, env: bench.env })) as Value;

  const [samples, floors]: [ReadySample[], number[]] = [[], []];
  for (let round = 0; round < rounds && (round === 0 || !limit.over()); round += 1) {
    samples.push(await sample<ReadySample>('baton', lead.root, 'large'));
    floors.push(await sample<number>('parser', join(lead.root, 'shared/projects/large/plan.md')));
  }
  // The first of both fills the disk's caches.
  const counted = samples.length > 1 ? 1 : 0;
  const opened = samples.slice(counted).flatMap((one) => one.opened);

  const node = await startNode(bench, lead.root);
  const running: number[] = [];
  const ask = async (): Promise<number> => {
    const { readyNodes } = await node.must('projectflow', 'ready_nodes', { projectId: 'large' });
    return (readyNodes as readonly unknown[]).length;
  };
  const ready = await ask();
  await node.quiet();
  for (let count = 0; count < asked && (count === 0 || !limit.over()); count += 1) running.push(await timed(ask));
  await node.stop();

  const plan = `a plan of ${nodes} nodes`;
  const first = `first ready_nodes on ${plan}; floor: its text through the Markdown parser`;
  const notes = [
    `${ready} of them are ready and named in the answer`,
    `without a node, in a process that has the workspace open: ${shown(percentile(opened, 0.5))} ms`,
  ];
  return [
    against(
      {
        id: 'P4',
        what: first,
        unit: 'ms',
        limit: 1.5,
        cut: samples.length < rounds ? `${samples.length} of ${rounds} processes` : undefined,
        notes: ['each in a process of its own that has just opened the workspace, or loaded the parser'],
      },
      spreadOf(samples.slice(counted).map((one) => one.first)),
      spreadOf(floors.slice(counted)),
    ),
    absolute(
      {
        id: 'P4',
        what: 'the same again, nothing changed, asked of a running node over its socket',
        unit: 'ms',
        limit: 5,
        cut: running.length < asked ? `${running.length} of ${asked} calls` : undefined,
        notes,
      },
      spreadOf(running),
    ),
  ];
}
