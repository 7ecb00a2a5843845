import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must } from './bench.ts';
import type { Bench } from './bench.ts';
import { absolute, against } from './figure.ts';
import type { Figure } from './figure.ts';
import { percentile, shown, spreadOf } from './numbers.ts';
import type { ReadySample } from './ready-nodes.ts';
import { fewTasks, planProject, remoteWith, startLeader } from './team.ts';

const SAMPLER = fileURLToPath(new URL('ready-nodes.ts', import.meta.url));

/** P4: what may start in a large plan, asked for the first time and again. */
export async function measureP4(bench: Bench): Promise<readonly Figure[]> {
  const nodes = bench.small ? 50 : 5000;
  const lead = await startLeader(bench, await remoteWith(bench, fewTasks(bench)));
  await planProject(lead, 'large', nodes);
  await lead.stop();
  const sample = async <Value>(...words: readonly string[]): Promise<Value> =>
    JSON.parse(await must(process.execPath, [SAMPLER, ...words], { cwd: lead.root, env: bench.env })) as Value;

  const [samples, floors]: [ReadySample[], number[]] = [[], []];
  for (let round = 0; round < (bench.small ? 1 : 7); round += 1) {
    samples.push(await sample<ReadySample>('baton', bench.program, lead.root, 'large'));
    floors.push(await sample<number>('parser', join(lead.root, 'shared/projects/large/plan.md')));
  }
  const running = samples.flatMap((one) => one.running);
  const opened = samples.flatMap((one) => one.opened);
  const first = `first ready_nodes on a plan of ${nodes} nodes; floor: its text through the Markdown parser`;
  const notes = [`without a node, in a process that has the workspace open: ${shown(percentile(opened, 0.5))} ms`];
  return [
    against(
      { id: 'P4', what: first, unit: 'ms', limit: 1.5 },
      spreadOf(samples.map((one) => one.first)),
      spreadOf(floors),
    ),
    absolute(
      { id: 'P4', what: 'the same again, nothing changed, running node', unit: 'ms', limit: 5, notes },
      spreadOf(running),
    ),
  ];
}
