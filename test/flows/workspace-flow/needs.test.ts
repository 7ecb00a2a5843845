import { beforeEach, describe, expect, test } from 'vitest';
import { ROOM, ana, createOffice, lead, ok, planned } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;

async function needs(projectId?: string): Promise<readonly Record<string, unknown>[]> {
  const answer = await ok(office.call(lead, 'node', 'needs', projectId === undefined ? {} : { projectId }));
  return answer['needs'] as Record<string, unknown>[];
}

const told = async (): Promise<readonly unknown[]> =>
  (await needs()).map(({ need, taskId, projectId, command }) => [need, taskId ?? projectId, command]);

beforeEach(async () => {
  office = createOffice();
  await planned(office, { 'p-01': [], 'p-02': [], 'p-03': [], 'p-04': [], 'p-05': [] });
  for (const taskId of ['p-01', 'p-02', 'p-03', 'p-04', 'p-05'])
    await ok(office.call(lead, 'taskflow', 'delegate_task', { projectId: 'p', taskId, roomId: ROOM, spec: 'x' }));
});

describe('what needs a person', () => {
  test('is nothing while work goes on', async () => {
    await ok(office.call(ana, 'taskflow', 'ack_task', { taskId: 'p-01' }));
    expect(await needs()).toEqual([]);
  });

  test('stands there the most pressing first, each with the command that mends it', async () => {
    for (const taskId of ['p-01', 'p-02']) await ok(office.call(ana, 'taskflow', 'ack_task', { taskId }));
    office.now = '2026-09-03T10:15:00Z';
    await ok(office.call(ana, 'taskflow', 'request_attention', { taskId: 'p-02', question: 'Which year?' }));
    await ok(office.call(lead, 'engine', 'block_task', { taskId: 'p-03', reason: 'no data' }));
    const submitted = { taskId: 'p-04', status: 'SUCCESS', summary: 'Done.', deliverables: ['shared/tasks/p-04/x.md'] };
    office.files['shared/tasks/p-04/x.md'] = 'x';
    await ok(office.call(ana, 'taskflow', 'submit_task', submitted));
    office.edit('shared/projects/p/plan.md', '[~] p-01', '[x] p-01');
    office.files['shared/agents/bo.json'] = '{';
    const beat = { context: 'as before', count: 3 };
    office.facts = {
      beats: () =>
        new Map([
          ['p-01', beat],
          ['p-02', beat],
        ]),
    };
    expect(await told()).toEqual([
      ['violation', undefined, '$EDITOR +1 shared/agents/bo.json'],
      ['violation', 'p-01', '$EDITOR +10 shared/projects/p/plan.md'],
      ['question', 'p-02', 'baton task answer p-02 ANSWER'],
      ['stuck', 'p-01', `baton message send --target '${ROOM}' --message '@ana:hs.local: how far is p-01?'`],
      ['blocked', 'p-03', 'baton task unblock p-03'],
      ['check', 'p-04', 'baton task check p-04'],
      [
        'acknowledgement',
        'p-05',
        `baton message send --target '${ROOM}' --message '@ana:hs.local: please acknowledge p-05'`,
      ],
    ]);
    const [, marked, question, stuck, , , unacknowledged] = await needs();
    expect(marked).toMatchObject({ remedy: 'set the marker to [~], and to [x] once a result is submitted' });
    expect(question).toMatchObject({ message: 'ana asks about p-02: Which year?', since: '2026-09-03T10:15:00Z' });
    expect(stuck).toMatchObject({ kind: 'stuck', since: '2026-09-01T10:15:00Z', severity: 'warning' });
    // Two days are more than four times what is allowed.
    expect(unacknowledged).toMatchObject({ kind: 'unacknowledged', since: '2026-09-01T10:30:00Z', severity: 'error' });
  });

  test('is told once for each result, with how late its check is', async () => {
    office.files['shared/tasks/p-04/x.md'] = 'x';
    const submitted = { taskId: 'p-04', status: 'SUCCESS', summary: 'Done.', deliverables: ['shared/tasks/p-04/x.md'] };
    await ok(office.call(ana, 'taskflow', 'submit_task', submitted));
    const checks = async () => (await needs()).filter(({ need }) => need === 'check').map(({ kind }) => kind);
    expect(await checks()).toEqual(['awaiting-check']);
    office.now = '2026-09-03T10:15:00Z';
    expect(await checks()).toEqual(['unchecked']);
    office.put({ ...office.task('p-04'), eta: '2026-09-02T10:15:00Z' });
    expect((await needs()).map(({ need, kind }) => [need, kind])).toContainEqual(['late', 'overdue']);
  });

  test('is somebody else where work ended for good, and nothing in projects that have ended', async () => {
    office.put({ task_id: 'p-01', status: 'failed', failure_reason: 'the disk is full' });
    office.put({ task_id: 'p-02', status: 'blocked', submission_id: 's', summary: 'no access' });
    const halted = (await needs()).filter(({ need }) => need === 'blocked');
    expect(halted.map(({ message, command }) => [message, command])).toEqual([
      ['p-01 is failed: the disk is full', 'baton task hand-over p-01 AGENT'],
      ['p-02 is blocked: no access', 'baton task hand-over p-02 AGENT'],
    ]);
    office.edit('shared/projects/p/meta.json', '"status": "active"', '"status": "completed"');
    expect((await needs()).filter(({ need }) => need === 'blocked')).toEqual([]);
  });

  test('is a decision where a loop waits for one', async () => {
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'l', title: 'L' }));
    const loop = {
      projectId: 'l',
      goal: 'g',
      stopCondition: 's',
      iterationTemplate: 't',
      maxIterations: 3,
      currentIteration: 1,
    };
    const tasks = [{ taskId: 'l-1', title: 'T', assignedTo: 'ana' }];
    await ok(office.call(lead, 'projectflow', 'plan_loop', { ...loop, tasks }));
    office.edit('shared/projects/l/plan.md', 'running', 'waiting_user');
    expect(await needs('l')).toMatchObject([
      {
        need: 'question',
        kind: 'loop-waits',
        command: expect.stringMatching(/^baton project iterate l --iteration \d --decision DECISION --summary TEXT$/),
      },
    ]);
  });

  test('is the step that brings a late task of the task engine on, by where it stands', async () => {
    const id = 'TASK-001';
    await ok(office.call(lead, 'engine', 'create', { title: 'Late', plan: 'Soon.', eta: '1s' }));
    office.now = '2026-10-01T00:00:00Z';
    const late = async () => (await needs()).find(({ projectId, kind }) => projectId === id && kind === 'overdue');
    expect(await late()).toMatchObject({ command: `baton transition ${id} approve` });
    await ok(office.call(lead, 'engine', 'transition_project', { projectId: id, event: 'approve' }));
    expect(await late()).toMatchObject({ command: `baton dispatch ${id} TITLE --agent NAME` });
    await ok(office.call(lead, 'engine', 'transition_project', { projectId: id, event: 'block' }));
    expect(await late()).toMatchObject({ command: `baton transition ${id} unblock` });
    office.edit(`shared/projects/${id}/meta.json`, '"status": "paused"', '"status": "active"');
    office.edit(`shared/projects/${id}/meta.json`, '"phase": "approved"', '"phase": "review"');
    expect(await late()).toMatchObject({ command: `baton transition ${id} complete` });
  });

  test('can be asked for of one project, which must be there', async () => {
    office.files['shared/projects/q/meta.json'] = '{';
    office.edit('shared/projects/p/plan.md', '[~] p-01', '[!] p-01');
    expect((await needs('q')).map(({ file }) => file)).toEqual(['shared/projects/q/meta.json']);
    expect((await needs('p')).map(({ need, taskId }) => [need, taskId])).toEqual([['node', 'p-01']]);
    expect(await office.call(lead, 'node', 'needs', { projectId: 'z' })).toMatchObject({
      ok: false,
      code: 'not-found',
    });
  });
});
