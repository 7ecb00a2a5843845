import type { Bench } from './bench.ts';
import { must } from './bench.ts';
import { against } from './figure.ts';
import type { Figure } from './figure.ts';
import type { BenchNode } from './node.ts';
import { percentile, shown } from './numbers.ts';
import { prepareScript, takeDown } from './script.ts';
import type { ScriptPlace, ScriptRun } from './script.ts';
import { copyOf, delegation, fewTasks, planProject, remoteWith, startLeader, startWorkers, tipOf } from './team.ts';
import { workerName } from './tree.ts';

/** How long the scripts go on at most, since their rate is seen long before they are done; milliseconds. */
const PATIENCE = 60_000;

/** Nothing that is fit for use takes as long; what is not done by then counts as lost. Milliseconds. */
const LONGEST = 300_000;

/** P7: a whole team's work by Baton, and by as many scripts with bare git on one shared branch. */
export async function measureP7(bench: Bench): Promise<readonly Figure[]> {
  const [many, each] = bench.small ? [2, 1] : [20, 25];
  const remote = await remoteWith(bench, fewTasks(bench));
  const lead = await startLeader(bench, remote);
  const places: Omit<ScriptPlace, 'remote'>[] = [];
  for (let index = 1; index <= many; index += 1) {
    const [worker, projectId] = [workerName(index), `team-${workerName(index)}`];
    places.push({ worker, projectId, taskIds: await planProject(lead, projectId, each, () => worker) });
  }
  const copy = copyOf(bench, remote);
  const workers = await startWorkers(bench, remote, many);
  await Promise.all([lead, ...workers].map((node) => node.quiet()));

  bench.say(`  ${many} Workers' nodes, ${each} tasks each`);
  const start = performance.now();
  const steps = await Promise.all(places.map((place, index) => workThrough(lead, workers[index], place)));
  const seconds = (performance.now() - start) / 1000;
  await Promise.all([lead, ...workers].map((node) => node.quiet()));
  const done = await completed(bench, remote, places);
  const rate = done / seconds;
  const refused = (nodes: readonly BenchNode[]): number =>
    nodes.flatMap((node) => node.logged()).filter((line) => line.includes('a push was refused')).length;
  const [lanes, mains] = [refused(workers), refused([lead])];
  await Promise.all([lead, ...workers].map((node) => node.stop()));

  bench.say(`  ${many} scripts on one branch, for ${PATIENCE / 1000} s at most`);
  const scripts = await runScripts(bench, copy, places);
  const notes = [
    `${done} of ${many * each} tasks completed on the remote after ${shown(seconds)} s; pushes refused: ${lanes} of lanes, ${mains} of main`,
    ...['delegate_task', 'ack_task', 'submit_task', 'accept_task_result'].map((step, index) => {
      const values = steps.flatMap((one) => one[index] ?? []);
      return `${step}: ${shown(percentile(values, 0.5))} ms (median), ${shown(percentile(values, 0.95))} ms (95 %)`;
    }),
    `the scripts did ${scripts.steps} steps in ${shown(scripts.seconds)} s (four make a task) and were refused ${scripts.refused} times`,
  ];
  const what = `${many} Workers × ${each} tasks, delegate to accept; floor: as many scripts on one branch`;
  const sound = done === many * each && lanes === 0;
  const measured = { id: 'P7', what, unit: 'tasks/s', limit: 3, bound: 'least', sound, notes } as const;
  return [against(measured, rate, scripts.steps / 4 / scripts.seconds)];
}

/** One Worker's tasks, one after the other, each from delegation to acceptance; milliseconds of each kind of step. */
async function workThrough(
  lead: BenchNode,
  worker: BenchNode | undefined,
  { projectId, taskIds }: Omit<ScriptPlace, 'remote'>,
): Promise<readonly (readonly number[])[]> {
  if (worker === undefined) throw new Error(`nobody works on ${projectId}`);
  const times: [number[], number[], number[], number[]] = [[], [], [], []];
  const begun = performance.now();
  for (const taskId of taskIds) {
    let last = performance.now();
    if (last - begun > LONGEST) break;
    const took = (): number => {
      const now = performance.now();
      const ms = now - last;
      last = now;
      return ms;
    };
    await lead.must('taskflow', 'delegate_task', delegation(projectId, taskId));
    times[0].push(took());
    await worker.must('taskflow', 'ack_task', { taskId });
    times[1].push(took());
    const result = { taskId, status: 'SUCCESS', summary: 'Written, and checked.' };
    const { task } = await worker.must('taskflow', 'submit_task', result);
    times[2].push(took());
    const { submission_id: submissionId } = task as { readonly submission_id: string };
    await lead.must('projectflow', 'accept_task_result', { projectId, taskId, submissionId });
    times[3].push(took());
  }
  return times;
}

/** How many of the tasks the remote's main shows as completed. */
async function completed(
  bench: Bench,
  remote: string,
  places: readonly Omit<ScriptPlace, 'remote'>[],
): Promise<number> {
  const ids = places.flatMap(({ taskIds }) => taskIds);
  const input = ids.map((id) => `${tipOf(remote)}:shared/tasks/${id}/meta.json\n`).join('');
  const records = await must('git', ['cat-file', '--batch'], { cwd: remote, env: bench.env, input });
  return records.split('"status": "completed"').length - 1;
}

async function runScripts(
  bench: Bench,
  remote: string,
  places: readonly Omit<ScriptPlace, 'remote'>[],
): Promise<ScriptRun & { readonly seconds: number }> {
  const pattern = await takeDown(bench);
  const scripts: ((mayGoOn: () => boolean) => Promise<ScriptRun>)[] = [];
  for (const place of places) scripts.push(await prepareScript(bench, pattern, { ...place, remote }));
  const start = performance.now();
  const runs = await Promise.all(scripts.map((script) => script(() => performance.now() - start < PATIENCE)));
  const seconds = (performance.now() - start) / 1000;
  const sum = (part: keyof ScriptRun): number => runs.reduce((total, one) => total + one[part], 0);
  return { steps: sum('steps'), refused: sum('refused'), seconds };
}
