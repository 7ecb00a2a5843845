import type { Bench } from './bench.ts';
import { must } from './bench.ts';
import { against, unmeasured } from './figure.ts';
import type { Figure } from './figure.ts';
import { limitOf, within } from './limit.ts';
import type { Limit } from './limit.ts';
import type { BenchNode } from './node.ts';
import { percentile, shown } from './numbers.ts';
import { prepareScript, takeDown } from './script.ts';
import type { ScriptPlace, ScriptRun } from './script.ts';
import {
  allQuiet,
  copyOf,
  delegation,
  fewTasks,
  planProject,
  remoteWith,
  startLeader,
  startWorkers,
  stopAll,
  tipOf,
} from './team.ts';
import { workerName } from './tree.ts';

/** How long the scripts go on at most, since their rate is seen long before they are done; seconds. */
const SCRIPTS = 45;

/** A rate is not told from less than this; seconds. */
const LEAST = 10;

/** How long the team may take; what is not done by then counts as missing. Seconds. */
const TEAM = 300;

/** P7: a whole team's work by Baton, and by as many scripts with bare git on one shared branch. */
export async function measureP7(bench: Bench, limit: Limit): Promise<readonly Figure[]> {
  const [many, each] = bench.small ? [2, 1] : [20, 25];
  const remote = await remoteWith(bench, fewTasks(bench));
  const lead = await startLeader(bench, remote);
  const places: Place[] = [];
  for (let index = 1; index <= many; index += 1) {
    const [worker, projectId] = [workerName(index), `team-${workerName(index)}`];
    places.push({ worker, projectId, taskIds: await planProject(lead, projectId, each, () => worker) });
  }
  const copy = copyOf(bench, remote);
  const workers = await startWorkers(bench, remote, many);
  await allQuiet([lead, ...workers]);

  bench.say(`  ${many} Workers' nodes, ${each} tasks each`);
  // Where setting up has taken long, something must be left for the scripts.
  const teamLimit = limit.part(Math.min(TEAM, (0.6 * limit.left()) / 1000));
  const times: Times = [[], [], [], []];
  const start = performance.now();
  const work = Promise.all(
    places.map((place, index) => workThrough(lead, workers[index], place, { times, teamLimit })),
  );
  await within(work, teamLimit.left());
  const seconds = (performance.now() - start) / 1000;
  const done = await completed(bench, remote, places);
  if (done === many * each) await allQuiet([lead, ...workers]);
  const [lanes, main] = [refusedOf(workers), refusedOf([lead])];
  if (done === many * each) await stopAll([lead, ...workers]);
  else bench.endProcesses();

  bench.say(`  ${many} scripts on one branch, for ${SCRIPTS} s at most`);
  const scripts = await runScripts(bench, copy, places, limit);
  const what = `${many} Workers × ${each} tasks, delegate to accept; floor: as many scripts on one branch`;
  if (scripts.steps === 0) return [unmeasured('P7', what, `no script has done a step in ${shown(scripts.seconds)} s`)];
  const notes = [
    `${done} of ${many * each} tasks completed on the remote after ${shown(seconds)} s; pushes refused: ${lanes} of lanes, ${main} of main`,
    ...STEPS.map((step, index) => {
      const values = times[index] ?? [];
      if (values.length === 0) return `${step}: none`;
      return `${step}: ${shown(percentile(values, 0.5))} ms (median), ${shown(percentile(values, 0.95))} ms (95 %)`;
    }),
    `the scripts did ${scripts.steps} of ${many * each * STEPS.length} steps in ${shown(scripts.seconds)} s (four make a task) and were refused ${scripts.refused} times; a step took ${shown(percentile(scripts.times, 0.5))} ms (median), ${shown(percentile(scripts.times, 0.95))} ms (95 %)`,
  ];
  const cut = done < many * each ? `${done} of ${many * each} tasks in ${shown(seconds)} s` : undefined;
  const sound = lanes === 0;
  const measured = { id: 'P7', what, unit: 'tasks/s', limit: 3, bound: 'least', sound, cut, notes } as const;
  return [against(measured, done / seconds, scripts.steps / STEPS.length / scripts.seconds)];
}

const STEPS = ['delegate_task', 'ack_task', 'submit_task', 'accept_task_result'] as const;
type Times = readonly [number[], number[], number[], number[]];
type Place = Omit<ScriptPlace, 'remote'>;

/** Pushes that were refused, as the nodes themselves log it. */
const refusedOf = (nodes: readonly BenchNode[]): number =>
  nodes.reduce((sum, node) => sum + node.logged('a push was refused'), 0);

/** One Worker's tasks, one after the other, each from delegation to acceptance; notes the milliseconds of each step. */
async function workThrough(
  lead: BenchNode,
  worker: BenchNode | undefined,
  { projectId, taskIds }: Place,
  { times, teamLimit }: { readonly times: Times; readonly teamLimit: Limit },
): Promise<void> {
  if (worker === undefined) throw new Error(`nobody works on ${projectId}`);
  for (const taskId of taskIds) {
    if (teamLimit.over()) return;
    let last = performance.now();
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
}

/** How many of the tasks the remote's main shows as completed. */
async function completed(bench: Bench, remote: string, places: readonly Place[]): Promise<number> {
  const ids = places.flatMap(({ taskIds }) => taskIds);
  const input = ids.map((id) => `${tipOf(remote)}:shared/tasks/${id}/meta.json\n`).join('');
  const records = await must('git', ['cat-file', '--batch'], { cwd: remote, env: bench.env, input });
  return records.split('"status": "completed"').length - 1;
}

async function runScripts(
  bench: Bench,
  remote: string,
  places: readonly Place[],
  whole: Limit,
): Promise<ScriptRun & { readonly seconds: number }> {
  const pattern = await takeDown(bench);
  const scripts: ((mayGoOn: () => boolean) => Promise<ScriptRun>)[] = [];
  for (const place of places) scripts.push(await prepareScript(bench, pattern, { ...place, remote }));
  const limit = limitOf(Math.max(LEAST, Math.min(SCRIPTS, whole.left() / 1000)));
  const start = performance.now();
  const runs = await Promise.all(scripts.map((script) => script(() => !limit.over())));
  const seconds = (performance.now() - start) / 1000;
  const sum = (part: 'steps' | 'refused'): number => runs.reduce((total, one) => total + one[part], 0);
  return { steps: sum('steps'), refused: sum('refused'), times: runs.flatMap((one) => one.times), seconds };
}
