import { describe, expect, test } from 'vitest';
import { createOffice, lead } from '../office.ts';
import type { Office } from '../office.ts';

const META = 'shared/projects/p/meta.json';

interface Found {
  readonly type: string;
  readonly taskId?: string;
  readonly command: string;
  readonly level?: number;
}

/** A project with one task in each state that a check has something to say about. */
async function busy(): Promise<Office> {
  const office = createOffice();
  for (const name of ['lead', 'ana']) office.hire(name);
  office.now = '2026-09-01T10:00:00Z';
  await office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'P', source: 'team-admin' });
  const ids = ['failed', 'stuck', 'late', 'blocked', 'silent', 'done', 'fine', 'next'];
  const tasks = ids.map((taskId) => ({ taskId, title: taskId, assignedTo: 'ana' }));
  await office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks });
  const plan = 'shared/projects/p/plan.md';
  const marks = { failed: '!', stuck: '~', late: '~', blocked: '!', silent: '~', done: '~', fine: '~' };
  for (const [id, mark] of Object.entries(marks)) office.edit(plan, `[ ] ${id} `, `[${mark}] ${id} `);
  const at = '2026-09-01T12:00:00Z';
  const history = [{ ts: at, from: 'assigned', to: 'in_progress', action: 'ack_task', actor: 'worker:ana' }];
  const working = { status: 'in_progress', history, created_at: office.now, priority: 'P3' } as const;
  office.put({ task_id: 'failed', status: 'failed', failure_reason: 'no disk', created_at: office.now });
  office.put({ ...working, task_id: 'stuck' });
  office.put({ ...working, task_id: 'late', eta: '2026-09-01T11:00:00Z', priority: 'P0' });
  office.put({ ...working, task_id: 'blocked', status: 'blocked', blocked_reason: 'no key' });
  office.put({ ...working, task_id: 'silent', status: 'assigned', assigned_at: office.now, history: [] });
  office.put({ ...working, task_id: 'done', status: 'submitted', submission_id: 's', submitted_at: office.now });
  office.put({ ...working, task_id: 'fine' });
  office.now = '2026-09-01T12:05:00Z';
  return office;
}

async function check(office: Office, input: object = {}): Promise<Record<string, unknown>> {
  return office.internal('work.check', input);
}

const found = ({ alerts }: Record<string, unknown>): readonly string[] =>
  (alerts as readonly Found[]).map(({ type, taskId = '' }) => `${type} ${taskId}`);

describe('a check', () => {
  test('tells all that is wrong, the most pressing first, each with what mends it', async () => {
    const office = await busy();
    office.facts = { heartbeat: () => new Map([['stuck', { context: 'c', count: 3 }]]) };
    const answer = await check(office);
    expect(found(answer)).toEqual([
      'failed failed',
      'stuck stuck',
      'sla late',
      'overdue late',
      'blocked blocked',
      'unacknowledged silent',
      'unchecked done',
    ]);
    expect(
      (answer['alerts'] as readonly Found[]).map(({ command }) => command.split(' ').slice(0, 3).join(' ')),
    ).toEqual([
      'baton task hand-over',
      'baton message send',
      'baton message send',
      'baton message send',
      'baton task unblock',
      'baton message send',
      'baton task check',
    ]);
    expect(answer).toMatchObject({
      checked: 8,
      skipped: [],
      due: [],
      summary: { projects: 1, tasks: 8, alerts: { failed: 1, stuck: 1, sla: 1 }, states: { in_progress: 3 } },
    });
  });

  test('counts a heartbeat, unless it only looks', async () => {
    const office = await busy();
    let beats = 0;
    office.facts = { heartbeat: () => new Map([['n', { context: 'c', count: (beats += 1) }]]), beats: () => new Map() };
    await check(office);
    await check(office, { id: 'fine' });
    await check(office, { count: false });
    expect(beats).toBe(2);
  });

  test('looks at one task or one project, and refuses what is not there', async () => {
    const office = await busy();
    expect(found(await check(office, { id: 'late' }))).toEqual(['sla late', 'overdue late']);
    expect(found(await check(office, { id: 'fine' }))).toEqual([]);
    expect(found(await check(office, { id: 'p' }))).toHaveLength(6);
    await expect(check(office, { id: 'nobody' })).rejects.toThrow('task not found: nobody');
  });

  test('counts the SLA of a node without a record from when it was planned', async () => {
    const office = await busy();
    office.now = '2026-09-05T10:00:00Z';
    const before = ['failed', 'stuck', 'late', 'blocked', 'silent', 'done', 'fine', 'next'];
    const tasks = [...before, 'added'].map((taskId) => ({ taskId, title: taskId, assignedTo: 'ana' }));
    await office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks });
    await office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks });
    const late = async (): Promise<readonly string[]> =>
      found(await check(office)).filter((alert) => /next|added/.test(alert));
    office.now = '2026-09-08T09:00:00Z';
    expect(await late()).toEqual([]);
    office.now = '2026-09-12T09:00:00Z';
    expect(await late()).toEqual(['sla next']);
    office.now = '2026-09-12T11:00:00Z';
    const { alerts } = await check(office);
    expect((alerts as readonly Found[]).filter(({ taskId = '' }) => ['next', 'added'].includes(taskId))).toMatchObject([
      { type: 'sla', taskId: 'next', command: 'baton task delegate p next --spec SPEC' },
      { type: 'sla', taskId: 'added', command: 'baton task delegate p added --spec SPEC' },
    ]);
  });

  test('names a command that gives out what is late and was given to nobody', async () => {
    const office = createOffice();
    office.now = '2026-09-01T10:00:00Z';
    const commands = async (): Promise<readonly string[]> => {
      office.now = '2026-09-20T10:00:00Z';
      const { alerts } = await check(office);
      office.now = '2026-09-01T10:00:00Z';
      return (alerts as readonly Found[]).map(({ command }) => command);
    };
    await office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'P', source: 'team-admin' });
    const tasks = [
      { taskId: 'a', title: 'A', assignedTo: '-' },
      { taskId: 'b', title: 'B', assignedTo: 'ana', dependsOn: ['a'] },
    ];
    await office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks });
    expect(await commands()).toEqual(['baton task delegate p a --spec SPEC --assigned-to NAME', 'baton board p']);
    office.edit(META, '"status": "active"', '"status": "active", "mode": "composite"');
    expect((await commands()).slice(1)).toEqual(['baton subtask p a assign --agent NAME', 'baton board p']);
    office.edit(META, '"status": "active"', '"status": "active", "phase": "planning"');
    expect((await commands()).slice(1)).toEqual(['baton transition p approve', 'baton transition p approve']);
    await office.call(lead, 'engine', 'create_task', { title: 'T', assignedTo: 'ana' });
    expect(await commands()).toContain('baton subtask inbox TASK-001 assign');
  });

  test('tells of a result that was sent back for as long as it keeps something from going on', async () => {
    const office = createOffice();
    const tasks = ['a', 'b', 'c'].map((taskId) => ({ taskId, title: taskId, assignedTo: 'ana' }));
    await office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'P', source: 'team-admin' });
    const waiting = tasks.map((task) => (task.taskId === 'b' ? { ...task, dependsOn: ['a'] } : task));
    await office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks: waiting });
    for (const id of ['a', 'c']) {
      office.edit('shared/projects/p/plan.md', `[ ] ${id} `, `[→] ${id} `);
      office.put({ task_id: id, assigned_to: 'ana', status: 'revision', summary: 'unclear' });
    }
    const sentBack = {
      type: 'failed',
      taskId: 'a',
      message: 'a was sent back: unclear',
      command: 'baton project plan p --tasks TASKS',
    };
    expect((await check(office))['alerts']).toMatchObject([sentBack]);
    expect((await office.internal('node.needs', {}))['needs']).toMatchObject([
      {
        need: 'blocked',
        kind: 'sent-back-task',
        taskId: 'a',
        command: sentBack.command,
        remedy: 'plan what is left to do as a new task, and leave this one out of the plan',
      },
    ]);
    // Of a task of several subtasks it is a part that has failed: it does not go on to testing (features.md §3.2).
    office.edit(META, '"status": "active"', '"status": "active", "mode": "composite"');
    expect(found(await check(office))).toEqual(['failed a', 'failed c']);
    await office.call(lead, 'projectflow', 'plan_dag', {
      projectId: 'p',
      tasks: [
        { taskId: 'd', title: 'D', assignedTo: 'ana' },
        { taskId: 'b', title: 'B', assignedTo: 'ana', dependsOn: ['d'] },
      ],
    });
    expect(found(await check(office))).toEqual([]);
  });

  test('skips what it cannot read, says so, and goes on', async () => {
    const office = await busy();
    office.files['shared/tasks/fine/meta.json'] = '{ "task_id": ';
    const answer = await check(office);
    expect(answer['skipped']).toMatchObject([{ path: 'shared/tasks/fine/meta.json' }]);
    expect(found(answer)).toHaveLength(6);
  });

  test('waits for nobody while a project is paused, but its deadlines go on', async () => {
    const office = await busy();
    office.edit(META, '"status": "active"', '"status": "paused"');
    expect(found(await check(office))).toEqual([
      'failed failed',
      'sla late',
      'overdue late',
      'blocked ',
      'blocked blocked',
    ]);
  });

  test('says nothing of a project that has ended', async () => {
    const office = await busy();
    office.edit(META, '"status": "active"', '"status": "completed"');
    expect(await check(office)).toMatchObject({ alerts: [], checked: 0, summary: { projects: 0, tasks: 0 } });
  });

  test('takes the limits of the team, and none where it sets none', async () => {
    const office = await busy();
    const policies = { sla: { P0: null, P3: '1h' }, ackWithin: '5h', checkWithin: '5h' };
    const team = JSON.parse(office.files['shared/team.json'] ?? '') as Record<string, unknown>;
    office.files['shared/team.json'] = JSON.stringify({ ...team, policies });
    const answer = found(await check(office));
    expect(answer).not.toContain('sla late');
    expect(answer).toContain('sla stuck');
    expect(answer).not.toContain('unacknowledged silent');
  });
});
