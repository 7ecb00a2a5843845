import { beforeEach, describe, expect, test } from 'vitest';
import { autoDispatchedAnswer } from '../../../src/dialects/engine.ts';
import type { Envelope } from '../../../src/dialects/taskflow.ts';
import { ana, createOffice, lead, ok, refused } from '../office.ts';
import type { Office } from '../office.ts';

const ID = 'TASK-001';

let office: Office;
const engine = (action: string, payload: unknown, dryRun?: boolean): Promise<Envelope> =>
  office.call(lead, 'engine', action, payload, dryRun);
const auto = (payload: Readonly<Record<string, unknown>> = { projectId: ID }, dryRun?: boolean): Promise<Envelope> =>
  engine('auto_dispatch', payload, dryRun);
const register = (agent: string, payload: Readonly<Record<string, unknown>> = {}): Promise<Envelope> => {
  office.homeserver.accounts.add(`@${agent}:hs.local`);
  return ok(office.call(lead, 'agent', 'register', { agent, ...payload }));
};
/** Plans a node of the task without giving it out. */
const add = (title: string, payload: Readonly<Record<string, unknown>> = {}): Promise<Envelope> =>
  ok(engine('create_task', { projectId: ID, title, ...payload }));

beforeEach(async () => {
  office = createOffice();
  await register('claude-code', { preferredTypes: ['dev'], capabilities: ['dev', 'docs'], maxConcurrent: 2 });
  await register('eva', { preferredTypes: ['test'], capabilities: ['test'], fallback: 'yes' });
  await ok(engine('create', { title: 'Feature', plan: 'Models, then tests.' }));
  await ok(engine('transition_project', { projectId: ID, event: 'approve' }));
});

describe('auto-dispatch', () => {
  test('gives what is ready to whom it suits, and says why the rest waits (S002-25)', async () => {
    await add('Models', { type: 'dev', description: 'All of them.' });
    await add('API', { type: 'dev', priority: 'P0' });
    await add('More', { type: 'dev' });
    await add('Tests', { type: 'test', dependsOn: ['TASK-001-01'] });
    const answer = await ok(auto());
    expect(autoDispatchedAnswer(answer, ID)).toMatchObject({
      ok: true,
      dispatches: [
        { task_id: ID, subtask_id: 'subtask_02', node_id: 'TASK-001-02', agent: 'claude-code', by: 'score', tier: 2 },
        { task_id: ID, subtask_id: 'subtask_01', title: 'Models', type: 'dev', priority: 'P2', agent: 'claude-code' },
      ],
      skipped: [
        { subtask_id: 'subtask_03', reason: 'capacity', detail: 'Agent at capacity: claude-code (2/2)' },
        { subtask_id: 'subtask_04', reason: 'deps', detail: 'Dependency not DONE: subtask_01' },
      ],
      message: 'Dispatched 2, skipped 2',
    });
    expect(office.line(ID, 'TASK-001-01')).toBe('- [~] TASK-001-01 — Models (assigned: claude-code, type: dev)');
    expect(office.task('TASK-001-02')).toMatchObject({
      status: 'assigned',
      assigned_to: 'claude-code',
      priority: 'P0',
    });
    expect(office.files['shared/tasks/TASK-001-01/spec.md']).toBe('All of them.\n');
    expect(office.sent.map(({ mentions }) => mentions)).toEqual([['@claude-code:hs.local'], ['@claude-code:hs.local']]);
    expect(JSON.parse(office.files[`shared/projects/${ID}/meta.json`] ?? '')).toMatchObject({ phase: 'in_progress' });
    expect(office.events.map(({ type }) => type).filter((type) => type === 'project.started')).toHaveLength(1);
  });

  test('again gives nothing twice, and goes on where something has become free', async () => {
    await add('Models', { type: 'dev' });
    await add('Tests', { type: 'test', dependsOn: ['TASK-001-01'] });
    await ok(auto());
    const before = { ...office.files };
    expect(await ok(auto())).toMatchObject({
      dispatches: [],
      skipped: [
        { task_id: 'TASK-001-01', reason: 'not pending', detail: 'it is assigned' },
        { task_id: 'TASK-001-02', reason: 'deps' },
      ],
    });
    expect(office.files).toEqual(before);
    await ok(engine('finish_task', { projectId: ID, taskId: 'TASK-001-01', text: 'done' }));
    expect(await ok(auto())).toMatchObject({ dispatches: [{ task_id: 'TASK-001-02', agent: 'eva' }], skipped: [] });
  });

  test('changes nothing in a dry run, which answers the same (S002-26)', async () => {
    await add('Models', { type: 'dev' });
    const before = { ...office.files };
    const { dispatches, skipped } = await ok(auto({ projectId: ID }, true));
    expect(office.files).toEqual(before);
    expect(await ok(auto())).toMatchObject({ dispatches, skipped });
  });

  test('shows what an agent is told, also of a subtask that it has already (S002-27)', async () => {
    await add('Models', { type: 'dev', description: 'All of them.' });
    await ok(auto());
    await ok(engine('finish_task', { projectId: ID, taskId: 'TASK-001-01', text: 'All there' }));
    await add('Tests', { type: 'test', description: 'Every one.', dependsOn: ['TASK-001-01'] });
    const asked = { projectId: ID, subtask: 'subtask_02', showContext: true };
    const context = {
      task_id: ID,
      subtask_id: 'subtask_02',
      node_id: 'TASK-001-02',
      title: 'Tests',
      description: 'Every one.',
      plan: 'Models, then tests.',
      deps: [
        {
          subtask_id: 'subtask_01',
          node_id: 'TASK-001-01',
          title: 'Models',
          status: 'completed',
          summary: 'All there',
          result: 'shared/tasks/TASK-001-01/result.md',
        },
      ],
      report: 'baton subtask TASK-001 subtask_02 done --note "…"',
    };
    expect(await ok(auto(asked))).toMatchObject({ dispatches: [{ task_id: 'TASK-001-02', context }], skipped: [] });
    expect(await ok(auto(asked))).toMatchObject({ dispatches: [], skipped: [{ reason: 'not pending', context }] });
  });

  test('works through all projects at once, those with a plan of their own as well, and leaves out what is not worked', async () => {
    await add('Models', { type: 'dev' });
    await ok(engine('create_task', { title: 'Loose', priority: 'P0' }));
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'Plain' }));
    const tasks = [
      { taskId: 'p-01', title: 'One', assignedTo: 'eva' },
      { taskId: 'p-02', title: 'Two', assignedTo: 'eva' },
    ];
    await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks }));
    await ok(engine('create', { title: 'Not approved' }));
    const answer = await ok(auto({ all: true }));
    expect(answer).toMatchObject({
      dispatches: [
        { project_id: 'inbox', task_id: 'TASK-002', agent: 'claude-code' },
        { project_id: ID, task_id: 'TASK-001-01', agent: 'claude-code' },
        { project_id: 'p', task_id: 'p-01', agent: 'eva', by: 'order' },
      ],
      skipped: [{ project_id: 'p', task_id: 'p-02', reason: 'capacity' }],
    });
  });

  test('finds a task of the inbox by its own id', async () => {
    await ok(engine('create_task', { title: 'Loose' }));
    await ok(engine('create_task', { title: 'Other' }));
    const answer = await ok(auto({ projectId: 'TASK-002' }));
    expect(answer).toMatchObject({ dispatches: [{ project_id: 'inbox', task_id: 'TASK-002' }], skipped: [] });
  });

  test('says of a project that cannot be read why nothing of it is given out', async () => {
    await add('Models', { type: 'dev' });
    await add('API', { type: 'dev' });
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'Plain' }));
    const twice = ['- [ ] p-01 — One (assigned: eva)', '- [ ] p-01 — Again (assigned: eva)', ''].join('\n');
    office.files['shared/projects/p/plan.md'] += twice;
    office.files['shared/tasks/TASK-001-02/meta.json'] = '{';
    expect(await ok(auto({ all: true }))).toMatchObject({
      dispatches: [{ task_id: 'TASK-001-01' }],
      skipped: [
        { project_id: ID, task_id: 'TASK-001-02', reason: 'guard' },
        { project_id: 'p', reason: 'guard', detail: expect.stringContaining('p-01') as unknown },
      ],
    });
  });

  test('writes to nobody who has no account, and tells of messages that did not arrive', async () => {
    office.files['shared/agents/bot.json'] = '{"agent_id":"bot","capabilities":["go"]}\n';
    await add('Go', { requiredCapabilities: ['go'] });
    await ok(auto());
    expect(office.task('TASK-001-01')).toMatchObject({ status: 'assigned', assigned_to: 'bot' });
    expect(office.sent).toEqual([]);
    await add('Models', { type: 'dev' });
    office.weather.silent = 'nobody hears it';
    expect(await ok(auto())).toMatchObject({
      dispatches: [{ task_id: 'TASK-001-02' }],
      warnings: ['TASK-001-02 is claimed, but not told: nobody hears it'],
    });
    expect(office.task('TASK-001-02')).toMatchObject({ status: 'prepared' });
  });

  test('gives nothing out where nobody would be told of it', async () => {
    await register('ana');
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'Plain', source: 'api' }));
    await ok(
      office.call(lead, 'projectflow', 'plan_dag', {
        projectId: 'p',
        tasks: [{ taskId: 'a', title: 'A', assignedTo: 'ana' }],
      }),
    );
    expect(await ok(auto({ projectId: 'p' }))).toMatchObject({
      dispatches: [],
      skipped: [{ task_id: 'a', reason: 'guard', detail: expect.stringContaining('would reach nobody') as unknown }],
    });
  });

  test.each<readonly [Readonly<Record<string, unknown>>, string]>([
    [{}, 'invalid-argument: auto-dispatch needs a task, or --all'],
    [{ projectId: ID, all: true }, 'invalid-argument: auto-dispatch needs a task, or --all'],
    [{ all: true, subtask: 'subtask_01' }, 'invalid-argument: a subtask is named with its task'],
    [{ projectId: 'TASK-404' }, 'not-found: project not found: TASK-404'],
    [{ projectId: ID, subtask: 'subtask_09' }, 'not-found: task not found in project graph: TASK-001-09'],
  ])('refuses %j', async (payload, message) => {
    expect(await refused(office, () => auto(payload))).toBe(message);
  });

  test('is not for a task whose plan nobody has approved, nor for Workers', async () => {
    await ok(engine('create', { title: 'Not approved' }));
    const answer = await auto({ projectId: 'TASK-002' });
    expect(autoDispatchedAnswer(answer, 'TASK-002')).toMatchObject({
      ok: false,
      error: "Invalid transition: PLANNING + 'dispatch'",
    });
    expect(await office.call(ana, 'engine', 'auto_dispatch', { all: true })).toMatchObject({ code: 'wrong-role' });
  });
});

describe('a dispatch by hand', () => {
  test('to an agent that is full is refused, and nothing is planned (S002-15)', async () => {
    const payload = { projectId: ID, agent: 'eva', type: 'test' };
    await ok(engine('dispatch_task', { ...payload, title: 'One' }));
    expect(await refused(office, () => engine('dispatch_task', { ...payload, title: 'Two' }))).toBe(
      'at-capacity: Agent at capacity: eva (1/1)',
    );
    await ok(engine('dispatch_task', { ...payload, title: 'Later', dependsOn: ['TASK-001-01'] }));
  });

  test('to somebody who is not there is refused', async () => {
    const payload = { projectId: ID, agent: 'zoe', title: 'One' };
    expect(await refused(office, () => engine('dispatch_task', payload))).toBe('not-found: Agent not found: zoe');
  });
});
