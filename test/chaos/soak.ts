import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { check } from '../../src/chaos/check.ts';
import { readStage } from '../../src/chaos/read.ts';
import type { Seat } from '../../src/chaos/seat.ts';
import { settle } from '../../src/chaos/seed.ts';
import { PROJECT, castOf, setUpStage } from '../../src/chaos/stage.ts';
import { aliveBytes } from '../support/memory.ts';
import { BRANCHES, localGround } from './ground.ts';

export interface SoakResult {
  readonly tasks: number;
  /** Megabytes of live heap after the first quarter, and in the end. */
  readonly warm: number;
  readonly end: number;
  readonly seconds: number;
  readonly violations: readonly string[];
}

/** So many tasks are under way at once. */
const BATCH = 25;
/**
 * What one more task in the tree may weigh, bytes: its view in each of the three nodes of this process, at the 300 MB for
 * 10,000 tasks that a node may take (quality.md P5). Nothing is archived here, so the tree grows with every task.
 */
const PER_TASK = 3 * 30_000;

/** Tasks through their whole life in one team; what they leave behind in the process is measured (quality.md R6). */
export async function runSoak(tasks: number, onBatch: (done: number, seconds: number) => void): Promise<SoakResult> {
  const begun = performance.now();
  const ground = localGround();
  const violations: string[] = [];
  const cast = castOf(2, tasks);
  const before = leftovers();
  let [warm, warmAt, end] = [0, 0, 0];
  try {
    const stage = await setUpStage({ ground, branches: BRANCHES, cast, mortal: [] });
    try {
      const [lead, ana, bo] = stage.seats;
      if (lead === undefined || ana === undefined || bo === undefined) throw new Error('the team is not whole');
      for (let done = 0; done < tasks; done += BATCH) {
        const batch = cast.tasks.slice(done, done + BATCH);
        await live(lead, (task) => (cast.tasks.indexOf(task) % 2 === 0 ? ana : bo), batch);
        if (warm === 0 && done + BATCH >= tasks / 4) [warm, warmAt] = [aliveBytes(), done + batch.length];
        onBatch(done + batch.length, (performance.now() - begun) / 1000);
      }
      end = aliveBytes();
      await settle(stage);
      violations.push(...check(await readStage(stage), []).map(({ rule, message }) => `${rule}: ${message}`));
    } finally {
      await stage.close();
    }
    if (end - warm > (tasks - warmAt) * PER_TASK)
      violations.push(`memory grows: ${megabytes(warm)} MB after ${warmAt} tasks, ${megabytes(end)} MB after ${tasks}`);
    violations.push(...(await leftFor(before)).map((left) => `left behind: ${left}`));
  } finally {
    ground.remove();
  }
  const seconds = (performance.now() - begun) / 1000;
  return { tasks, warm: megabytes(warm), end: megabytes(end), seconds, violations };
}

async function live(lead: Seat, workerOf: (task: string) => Seat, tasks: readonly string[]): Promise<void> {
  const all = async (
    step: (task: string) => Promise<{ readonly ok: boolean; readonly error?: string }>,
  ): Promise<void> => {
    for (const { ok, error } of await Promise.all(tasks.map(step))) if (!ok) throw new Error(error ?? 'refused');
  };
  const spec = { projectId: PROJECT, spec: 'Do it.', roomId: '!chaos:local' };
  await all((taskId) => lead.call('taskflow', 'delegate_task', { ...spec, taskId }));
  await all((taskId) => workerOf(taskId).call('taskflow', 'ack_task', { taskId }));
  const result = { status: 'SUCCESS', summary: 'Done.' };
  const submissions = new Map<string, string>();
  await all(async (taskId) => {
    const answer = await workerOf(taskId).call('taskflow', 'submit_task', { taskId, ...result });
    submissions.set(taskId, (answer['task'] as { readonly submission_id?: string } | undefined)?.submission_id ?? '');
    return answer;
  });
  await lead.sync();
  await all((taskId) =>
    lead.call('projectflow', 'accept_task_result', {
      projectId: PROJECT,
      taskId,
      submissionId: submissions.get(taskId),
    }),
  );
}

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** What is still there after a while: a process that was let go ends a moment later. */
async function leftFor(before: readonly string[]): Promise<readonly string[]> {
  const left = (): readonly string[] => leftovers().filter((one) => !before.includes(one));
  for (const deadline = performance.now() + 15_000; left().length > 0 && performance.now() < deadline;) await wait(200);
  return left();
}

/** What would keep this process from ending, and its children. */
function leftovers(): readonly string[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return [
    ...process.getActiveResourcesInfo().filter((name) => !['PipeWrap', 'TTYWrap', 'Timeout'].includes(name)),
    ...children.filter((pid) => pid !== '').map((pid) => `process ${pid}: ${commandOf(pid)}`),
  ];
}

/** What a child was started as; one that has ended, and that nobody has asked for its exit code yet, has no words any more. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || 'has ended';
  } catch {
    return 'has ended';
  }
}
