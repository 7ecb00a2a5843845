import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { absolute } from './figure.ts';
import type { Figure } from './figure.ts';
import type { BenchNode } from './node.ts';
import { percentile, shown } from './numbers.ts';
import { delegation, fewTasks, planProject, remoteWith, startLeader, startWorkers } from './team.ts';
import { workerName } from './tree.ts';

/** P6: Workers submit at once, each in its own clone; how long until the Leader's node has it in its tree. */
export async function measureP6(bench: Bench): Promise<readonly Figure[]> {
  const [many, rounds] = bench.small ? [3, 1] : [20, 6];
  const remote = await remoteWith(bench, fewTasks(bench));
  const lead = await startLeader(bench, remote);
  const workers = await startWorkers(bench, remote, many);
  const [known, answered, after]: [number[], number[], number[]] = [[], [], []];
  for (let round = 1; round <= rounds; round += 1) {
    bench.say(`  ${many} Workers submit at once, round ${round} of ${rounds}`);
    const projectId = `submit-${round}`;
    const ids = await planProject(lead, projectId, many, (index) => workerName(index + 1));
    await Promise.all(ids.map((id) => lead.must('taskflow', 'delegate_task', delegation(projectId, id))));
    const given = workers.map((worker, index) => ({ worker, taskId: ids[index] ?? '' }));
    await Promise.all(given.map(({ worker, taskId }) => worker.must('taskflow', 'ack_task', { taskId })));
    await allQuiet([lead, ...workers]);
    const samples = await Promise.all(given.map(({ worker, taskId }) => submission(lead, worker, taskId)));
    // The first round meets programs that have not run this way before.
    if (round === 1 && rounds > 1) continue;
    known.push(...samples.map((one) => one.known));
    answered.push(...samples.map((one) => one.answered));
    after.push(...samples.map((one) => Math.max(0, one.known - one.answered)));
  }
  await Promise.all([lead, ...workers].map((node) => node.stop()));
  const spread = {
    median: percentile(known, 0.95),
    min: percentile(known, 0.5),
    p90: percentile(known, 1),
    runs: known.length,
  };
  const notes = [
    `in brackets: median and highest of ${known.length} submissions`,
    `the Worker is answered after ${shown(percentile(answered, 0.5))} ms (median), ${shown(percentile(answered, 0.95))} ms (95 %); the Leader's node knows ${shown(percentile(after, 0.5))} ms (median), ${shown(percentile(after, 0.95))} ms (95 %) after that answer`,
    'seen by a watch on the files of the Leader’s clone; both nodes poll every 10 s and wake by the refs of the remote',
  ];
  const what = `submit in one clone → the Leader's node knows, ${many} Workers at once, 95th percentile`;
  return [absolute({ id: 'P6', what, unit: 'ms', limit: 300, notes }, spread)];
}

async function allQuiet(nodes: readonly BenchNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.quiet()));
}

/** Milliseconds from the call until the Worker is answered, and until the record is in the Leader's tree. */
async function submission(
  lead: BenchNode,
  worker: BenchNode,
  taskId: string,
): Promise<{ readonly answered: number; readonly known: number }> {
  const folder = join(lead.root, 'shared/tasks', taskId);
  const submitted = (): boolean => readFileSync(join(folder, 'meta.json'), 'utf8').includes('"status": "submitted"');
  const seen = Promise.withResolvers<number>();
  const start = performance.now();
  const look = (): void => {
    if (submitted()) seen.resolve(performance.now() - start);
  };
  const watcher = watch(folder, look);
  try {
    await worker.must('taskflow', 'submit_task', { taskId, status: 'SUCCESS', summary: 'Written, and checked.' });
    const answered = performance.now() - start;
    look();
    return { answered, known: await seen.promise };
  } finally {
    watcher.close();
  }
}
