import { describe, expect, test } from 'vitest';
import { dispatchedAnswer, subtaskAnswer, taskAnswer, transitionAnswer } from '../../../src/dialects/engine.ts';
import type { Envelope } from '../../../src/dialects/taskflow.ts';
import { bo, createOffice, lead, ok, refused } from '../office.ts';
import type { Office } from '../office.ts';

const ID = 'TASK-001';

const engine = (office: Office, action: string, payload: unknown): Promise<Envelope> =>
  office.call(lead, 'engine', action, payload);

/** A composite project whose plan is approved, and a roster of two. */
async function approved(chat: 'local' | 'remote' = 'remote'): Promise<Office> {
  const office = createOffice({ chat });
  office.hire('ana');
  office.hire('bo');
  await ok(engine(office, 'create', { title: 'Feature', priority: 'P1', plan: 'In two steps.' }));
  await ok(engine(office, 'transition_project', { projectId: ID, event: 'approve' }));
  return office;
}

const dispatch = (office: Office, payload: Readonly<Record<string, unknown>>): Promise<Envelope> =>
  engine(office, 'dispatch_task', { projectId: ID, agent: 'ana', ...payload });

describe('a dispatch', () => {
  test.each(['local', 'remote'] as const)(
    'plans a subtask, gives it out and starts its task, with a %s chat (S002-11, S002-12)',
    async (chat) => {
      const office = await approved(chat);
      const given = { title: 'Models', type: 'dev', context: 'All of them.', eta: '1h' };
      const answer = dispatchedAnswer(await ok(dispatch(office, given)), ID);
      expect(answer).toMatchObject({
        ok: true,
        task_id: ID,
        subtask_id: 'subtask_01',
        node_id: 'TASK-001-01',
        status: 'ASSIGNED',
        message: 'Dispatched subtask_01 to ana',
      });
      expect(office.line(ID, 'TASK-001-01')).toBe('- [~] TASK-001-01 — Models (assigned: ana, type: dev)');
      expect(office.task('TASK-001-01')).toMatchObject({ status: 'assigned', type: 'dev', priority: 'P1' });
      expect(office.files['shared/tasks/TASK-001-01/spec.md']).toBe('All of them.\n');
      expect(office.sent.map(({ kind }) => kind)).toEqual(['assignment']);
      expect(office.files[`shared/projects/${ID}/meta.json`]).toContain('"phase": "in_progress"');
    },
  );

  test('makes nothing a part of another task: its steps are refused under any other name (S002-24, S002-36)', async () => {
    const office = await approved();
    await ok(dispatch(office, { title: 'Models' }));
    await ok(engine(office, 'create', { title: 'Another' }));
    for (const action of ['progress_task', 'finish_task', 'fail_task', 'block_task', 'unblock_task']) {
      const told = async (projectId: string, taskId = 'TASK-001-01') =>
        subtaskAnswer(await engine(office, action, { projectId, taskId }), projectId, 'start')['error'];
      const before = structuredClone(office.files);
      expect(await told('TASK-404')).toBe('Task TASK-404 not found');
      expect(await told('TASK-404', 'TASK-404-01')).toBe('Task TASK-404 not found');
      expect(await told('TASK-002')).toBe('Task TASK-001-01 not found');
      expect(office.files).toEqual(before);
    }
  });

  test('that depends on open subtasks waits with its owner, and starting it is refused (S002-13)', async () => {
    const office = await approved();
    await ok(dispatch(office, { title: 'Models' }));
    const tests = { title: 'Tests', type: 'test', agent: 'bo', dependsOn: ['TASK-001-01'] };
    const answer = dispatchedAnswer(await ok(dispatch(office, tests)), ID);
    expect(answer).toMatchObject({ subtask_id: 'subtask_02', status: 'PENDING', agent: 'bo' });
    expect(office.line(ID, 'TASK-001-02')).toBe(
      '- [ ] TASK-001-02 — Tests (assigned: bo, type: test, depends: TASK-001-01)',
    );
    for (const action of ['progress_task', 'assign_task']) {
      const start = await engine(office, action, { projectId: ID, taskId: 'TASK-001-02' });
      expect(subtaskAnswer(start, ID, 'start')).toMatchObject({ ok: false, error: 'Dependency not DONE: subtask_01' });
    }
    // Nor by whom it waits for, who has no room for it yet.
    for (const [action, event] of [
      ['ack_task', 'ack'],
      ['submit_task', 'submit'],
    ] as const) {
      const early = { taskId: 'TASK-001-02', status: 'SUCCESS', summary: 'Done.', deliverables: [] };
      const payload = action === 'ack_task' ? { taskId: 'TASK-001-02' } : early;
      expect(await refused(office, () => office.call(bo, 'taskflow', action, payload))).toMatch(
        `illegal-transition: Invalid transition: PENDING + '${event}'`,
      );
    }
    await ok(engine(office, 'finish_task', { taskId: 'TASK-001-01' }));
    const assigned = await ok(engine(office, 'assign_task', { projectId: ID, taskId: 'TASK-001-02' }));
    expect(subtaskAnswer(assigned, ID, 'assign')).toMatchObject({ subtask_id: 'subtask_02', status: 'ASSIGNED' });
  });

  test.each(['local', 'remote'] as const)(
    'that has waited is told to its agent when it is assigned, once, as a dispatch is, with a %s chat (S002-16)',
    async (chat) => {
      const office = await approved(chat);
      await ok(dispatch(office, { title: 'Models' }));
      await ok(dispatch(office, { title: 'Tests', agent: 'bo', context: 'All.', dependsOn: ['TASK-001-01'] }));
      await ok(engine(office, 'finish_task', { taskId: 'TASK-001-01' }));
      office.sent.length = 0;
      const assign = () => engine(office, 'assign_task', { projectId: ID, taskId: 'TASK-001-02', refuseFull: true });
      await ok(assign());
      expect(office.sent).toMatchObject([{ kind: 'assignment', room: '!team:hs.local', mentions: ['@bo:hs.local'] }]);
      expect(office.sent[0]?.text).toContain('TASK_ASSIGNED: TASK-001-02');
      expect(office.task('TASK-001-02')).toMatchObject({ status: 'assigned', assigned_to: 'bo' });
      await ok(assign());
      expect(office.sent).toHaveLength(1);
    },
  );

  test('that is assigned where the Team Room is not for the project is given out without a message', async () => {
    const office = createOffice({ chat: 'local' });
    office.hire('ana');
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'P', source: 'team-admin' }));
    const route = '"reply_route": {"channel": "feishu", "target_user": "u", "target_session": "s"}, "title"';
    office.edit('shared/projects/p/meta.json', '"title"', route);
    const tasks = [{ taskId: 'p-01', title: 'Build', assignedTo: 'ana' }];
    await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks }));
    office.sent.length = 0;
    await ok(engine(office, 'assign_task', { projectId: 'p', taskId: 'p-01' }));
    expect([office.task('p-01').status, office.sent]).toEqual(['assigned', []]);
  });

  test('whose message does not get through stays prepared, and assigning it again sends it once', async () => {
    const office = await approved();
    await ok(dispatch(office, { title: 'Models' }));
    await ok(dispatch(office, { title: 'Tests', agent: 'bo', dependsOn: ['TASK-001-01'] }));
    await ok(engine(office, 'finish_task', { taskId: 'TASK-001-01' }));
    office.sent.length = 0;
    office.weather.silent = 'M_FORBIDDEN';
    const assign = () => engine(office, 'assign_task', { projectId: ID, taskId: 'TASK-001-02', refuseFull: true });
    expect(await assign()).toMatchObject({ ok: false, code: 'notify-failed' });
    expect(office.task('TASK-001-02').status).toBe('prepared');
    office.weather.silent = undefined;
    await ok(assign());
    expect(office.task('TASK-001-02').status).toBe('assigned');
    expect(new Set(office.sent.map(({ txn }) => txn)).size).toBe(1);
  });

  test('to an agent that is full is refused and creates nothing, unless it waits anyway (S002-15)', async () => {
    const office = await approved();
    await ok(dispatch(office, { title: 'Models' }));
    expect(await refused(office, () => dispatch(office, { title: 'More' }))).toBe(
      'at-capacity: Agent at capacity: ana (1/1)',
    );
    await ok(dispatch(office, { title: 'Later', dependsOn: ['TASK-001-01'] }));
    await ok(engine(office, 'finish_task', { taskId: 'TASK-001-01' }));
    await ok(dispatch(office, { title: 'More' }));
    expect(await refused(office, () => dispatch(office, { title: 'Who', agent: 'nobody' }))).toBe(
      'not-found: Agent not found: nobody',
    );
  });

  test('to an agent without an account in the room writes to nobody', async () => {
    const office = await approved();
    office.files['shared/agents/claude-code.json'] = JSON.stringify({
      schema: 1,
      agent_id: 'claude-code',
      role: 'worker',
    });
    await ok(dispatch(office, { title: 'Models', agent: 'claude-code' }));
    expect(office.sent).toEqual([]);
    expect(office.task('TASK-001-01')).toMatchObject({ status: 'assigned', assigned_to: 'claude-code' });
  });

  test.each([
    [{ title: ' ' }, 'invalid-argument: payload.title is required'],
    [{ title: 'x', type: 'art' }, 'invalid-argument: payload.type must be one of: dev, test, docs, validate, misc'],
    [{ title: 'x', agent: 'a, b' }, 'invalid-argument: assignedTo must be a worker name or a Matrix id: a, b'],
    [
      { title: 'x', dependsOn: ['TASK-001-09'] },
      'invalid-argument: payload.dependsOn names unknown tasks: TASK-001-09',
    ],
    [{ title: 'x', dependsOn: ['TASK-001-01'] }, 'invalid-argument: cycle in task graph: TASK-001-01 -> TASK-001-01'],
    [{ title: 'x', projectId: 'TASK-404' }, 'not-found: project not found: TASK-404'],
  ])('of %j is refused and creates nothing (S002-14)', async (payload, refusal) => {
    const office = await approved();
    expect(await refused(office, () => dispatch(office, payload))).toBe(refusal);
  });

  test('while the plan is not approved, or after the end, is no legal step (S002-12)', async () => {
    const office = createOffice({ chat: 'local' });
    await ok(engine(office, 'create', { title: 'Feature' }));
    const early = await dispatch(office, { title: 'x' });
    expect(dispatchedAnswer(early, ID)).toMatchObject({
      ok: false,
      error: "Invalid transition: PLANNING + 'dispatch'",
      remedy: 'what may follow PLANNING: approve, reject',
    });
    await ok(engine(office, 'transition_project', { projectId: ID, event: 'approve' }));
    await ok(engine(office, 'transition_project', { projectId: ID, event: 'block' }));
    const halted = await dispatch(office, { title: 'x' });
    expect(dispatchedAnswer(halted, ID)).toMatchObject({
      error: "Invalid transition: BLOCKED + 'dispatch'",
      remedy: 'what may follow BLOCKED: unblock, fail',
    });
    await ok(engine(office, 'transition_project', { projectId: ID, event: 'fail' }));
    const late = await dispatch(office, { title: 'x' });
    expect(dispatchedAnswer(late, ID)).toMatchObject({
      ok: false,
      error: "Invalid transition: FAILED + 'dispatch'",
      remedy: 'FAILED is final',
    });
  });
});

describe('the task engine answers in its own words', () => {
  test('when a step is taken, and when it is not legal (S002-07, S002-09, S002-36)', async () => {
    const office = await approved('local');
    const step = async (event: string) =>
      transitionAnswer(await engine(office, 'transition_project', { projectId: ID, event }), ID, event);
    expect(await step('approve')).toMatchObject({ ok: false, error: "Invalid transition: APPROVED + 'approve'" });
    expect(await step('block')).toEqual({
      ok: true,
      task_id: ID,
      status: 'BLOCKED',
      message: `${ID}: APPROVED → BLOCKED`,
    });
    expect(await step('test')).toMatchObject({ ok: false, error: "Invalid transition: BLOCKED + 'test'" });
    const missing = await engine(office, 'transition_project', { projectId: 'TASK-009', event: 'approve' });
    expect(transitionAnswer(missing, 'TASK-009', 'approve')).toMatchObject({ error: 'Task TASK-009 not found' });
  });

  test('for every step of a subtask (S002-16, S002-17)', async () => {
    const office = await approved('local');
    await ok(dispatch(office, { title: 'Models' }));
    const step = async (action: string, event: string, payload: Readonly<Record<string, unknown>> = {}) => {
      const call = engine(office, action, { projectId: ID, taskId: 'TASK-001-01', ...payload });
      const { status, progress, error } = subtaskAnswer(await call, ID, event);
      return error ?? `${String(status)} ${String(progress)}`;
    };
    expect([
      await step('progress_task', 'start', { progress: 30 }),
      await step('progress_task', 'start', { progress: 60 }),
      await step('unblock_task', 'unblock'),
      await step('block_task', 'block', { reason: 'no key' }),
      await step('finish_task', 'done'),
      await step('unblock_task', 'unblock'),
      await step('finish_task', 'done', { text: 'All there.' }),
      await step('fail_task', 'fail'),
    ]).toEqual([
      'IN_PROGRESS 30',
      'IN_PROGRESS 60',
      "Invalid transition: IN_PROGRESS + 'unblock'",
      'BLOCKED 60',
      "Invalid transition: BLOCKED + 'done'",
      'ASSIGNED 60',
      'DONE 100',
      "Invalid transition: DONE + 'fail'",
    ]);
    const shown = taskAnswer(await ok(engine(office, 'show', { id: ID })));
    expect(shown).toMatchObject({
      task_id: ID,
      title: 'Feature',
      status: 'TESTING',
      priority: 'P1',
      progress: 100,
      eta: null,
      plan: 'In two steps.',
      subtasks: [
        {
          id: 'subtask_01',
          task_id: 'TASK-001-01',
          status: 'DONE',
          progress: 100,
          agent: 'ana',
          type: 'dev',
          deps: [],
        },
      ],
    });
  });
});
