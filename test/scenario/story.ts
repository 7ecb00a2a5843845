import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { Answer } from '../support/mcp.ts';
import { eventually } from '../support/waiting.ts';

export type WorkerName = 'ana' | 'bo';

/** One way of working: over MCP, over the command line. The story is the same. */
export interface Driver {
  leader(tool: string, action: string, payload?: Record<string, unknown>): Promise<Answer>;
  worker(name: WorkerName, tool: string, action: string, payload?: Record<string, unknown>): Promise<Answer>;
  readonly workspaces: Readonly<Record<'lead' | WorkerName, string>>;
}

const ROOM = 'room:!team:local';

const must = async (answer: Promise<Answer>): Promise<Answer> => {
  const value = await answer;
  expect(value, JSON.stringify(value)).toMatchObject({ ok: true });
  return value;
};

/** A Worker's part of one task: acknowledge, write a file, submit. */
export async function carryOut(
  driver: Driver,
  name: WorkerName,
  taskId: string,
  result: { status?: string; summary: string; file?: readonly [string, string] },
): Promise<void> {
  await eventually(async () => {
    const answer = await driver.worker(name, 'taskflow', 'ack_task', { taskId });
    return answer.ok ? answer : undefined;
  }, `${name} acknowledges ${taskId}`);
  const deliverables: string[] = [];
  if (result.file !== undefined) {
    const [file, text] = result.file;
    const path = `shared/tasks/${taskId}/workspace/${file}`;
    const target = join(driver.workspaces[name], path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    deliverables.push(path);
  }
  const { status = 'SUCCESS', summary } = result;
  await must(driver.worker(name, 'taskflow', 'submit_task', { taskId, status, summary, deliverables }));
}

/** The Leader's part: check what was submitted, decide by it. */
export async function decide(driver: Driver, projectId: string, taskId: string, accepted = true): Promise<Answer> {
  const checked = await eventually(async () => {
    const answer = await driver.leader('taskflow', 'check_task', { taskId });
    return answer.ok && answer['submitted'] === true ? answer : undefined;
  }, `${taskId} is submitted`);
  const task = checked['task'] as { submission_id: string; result_status: string };
  return must(
    driver.leader('projectflow', 'accept_task_result', {
      projectId,
      taskId,
      submissionId: task.submission_id,
      resultStatus: task.result_status,
      accepted,
    }),
  );
}

export const delegate = (driver: Driver, projectId: string, taskId: string): Promise<Answer> =>
  must(
    driver.leader('taskflow', 'delegate_task', {
      projectId,
      taskId,
      roomId: ROOM,
      spec: `# Spec of ${taskId}\n\nDo it well.`,
    }),
  );

const readyIds = (answer: Answer): readonly string[] =>
  (answer['readyNodes'] as readonly { task_id: string }[]).map(({ task_id }) => task_id);

/** The common part of all three ways: a diamond of four nodes by two Workers, from create to completion. */
export async function playDiamond(driver: Driver): Promise<void> {
  const projectId = 'diamond';
  await must(driver.leader('projectflow', 'create_project', { projectId, title: 'A diamond', source: 'team-admin' }));
  const planned = await must(
    driver.leader('projectflow', 'plan_dag', {
      projectId,
      tasks: [
        { taskId: 'diamond-01', title: 'Collect figures (EU)', assignedTo: 'ana' },
        { taskId: 'diamond-02', title: 'Left half', assignedTo: 'bo', dependsOn: ['diamond-01'] },
        { taskId: 'diamond-03', title: 'Right half', assignedTo: 'ana', dependsOn: ['diamond-01'] },
        { taskId: 'diamond-04', title: 'Join', assignedTo: 'bo', dependsOn: ['diamond-02', 'diamond-03'] },
      ],
    }),
  );
  expect(readyIds(planned)).toEqual(['diamond-01']);

  await delegate(driver, projectId, 'diamond-01');
  await carryOut(driver, 'ana', 'diamond-01', {
    summary: 'All figures collected.',
    file: ['figures.csv', 'a,b\n1,2\n'],
  });
  const first = await decide(driver, projectId, 'diamond-01');
  expect(readyIds(first)).toEqual(['diamond-02', 'diamond-03']);

  await delegate(driver, projectId, 'diamond-02');
  await delegate(driver, projectId, 'diamond-03');
  await carryOut(driver, 'bo', 'diamond-02', { summary: 'Left done.', file: ['left.md', 'left\n'] });
  await carryOut(driver, 'ana', 'diamond-03', { summary: 'Right done.', file: ['right.md', 'right\n'] });
  expect(readyIds(await decide(driver, projectId, 'diamond-02'))).toEqual([]);
  expect(readyIds(await decide(driver, projectId, 'diamond-03'))).toEqual(['diamond-04']);

  await delegate(driver, projectId, 'diamond-04');
  await carryOut(driver, 'bo', 'diamond-04', { summary: 'Joined.', file: ['whole.md', 'left\nright\n'] });
  await decide(driver, projectId, 'diamond-04');
  await must(driver.leader('projectflow', 'complete_project', { projectId }));
}
