import { beforeEach, describe, expect, test } from 'vitest';
import { ana, createOffice, lead, ok, planned, refused, ROOM } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;

beforeEach(async () => {
  office = createOffice({ chat: 'local' });
  await planned(office, { 'p-01': [], 'p-02': ['p-01'] });
  const spec = { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: 'do it' };
  await ok(office.call(lead, 'taskflow', 'delegate_task', spec));
});

const step = (action: string, payload: object = {}) =>
  office.call(lead, 'engine', action, { taskId: 'p-01', ...payload });

test('a line of a project that has ended is not failed any more, and nothing is changed', async () => {
  await ok(office.call(lead, 'projectflow', 'complete_project', { projectId: 'p', force: true }));
  expect(await refused(office, () => step('fail_task', { taskId: 'p-02' }))).toMatch(
    /^illegal-transition: Invalid transition: PENDING \+ 'fail': project is not active: p \(completed\)/,
  );
});

describe('a halted task', () => {
  test('keeps its reason, shows [!], and goes on once the halt is over', async () => {
    await ok(office.call(ana, 'taskflow', 'ack_task', { taskId: 'p-01' }));
    await ok(step('block_task', { reason: 'no key' }));
    expect(office.task('p-01')).toMatchObject({ status: 'blocked', blocked_reason: 'no key' });
    expect(office.line('p', 'p-01')).toMatch(/^- \[!\]/);
    await ok(step('unblock_task'));
    expect(office.task('p-01')).toMatchObject({ status: 'assigned' });
    expect(office.task('p-01').blocked_reason).toBeUndefined();
    expect(office.line('p', 'p-01')).toMatch(/^- \[~\]/);
    expect(office.task('p-01').history?.map(({ from, to }) => `${from} ${to}`)).toEqual([
      'planned prepared',
      'prepared assigned',
      'assigned in_progress',
      'in_progress blocked',
      'blocked assigned',
    ]);
  });

  test('that was halted by its result does not go on', async () => {
    const result = { taskId: 'p-01', status: 'BLOCKED', summary: 'no key' };
    await ok(office.call(ana, 'taskflow', 'submit_task', result));
    const { submission_id: submissionId } = office.task('p-01');
    const decision = { projectId: 'p', taskId: 'p-01', submissionId, resultStatus: 'BLOCKED' };
    await ok(office.call(lead, 'projectflow', 'accept_task_result', decision));
    expect(await refused(office, () => step('unblock_task'))).toBe(
      "illegal-transition: Invalid transition: BLOCKED + 'unblock': a result was submitted; plan a new node",
    );
    const cancel = () => office.call(lead, 'taskflow', 'cancel_task', { taskId: 'p-01', reason: 'no', submissionId });
    expect(await refused(office, cancel)).toBe(
      "illegal-transition: Invalid transition: BLOCKED + 'cancel': cannot cancel terminal task: blocked",
    );
  });

  test('may be given up', async () => {
    await ok(step('block_task'));
    await ok(office.call(lead, 'taskflow', 'cancel_task', { taskId: 'p-01', reason: 'not wanted' }));
    expect(office.task('p-01')).toMatchObject({ status: 'cancelled', cancel_reason: 'not wanted' });
    expect(office.line('p', 'p-01')).toContain('cancelled: not-wanted');
  });

  test('that a person has marked [!] goes on as well, and the history says so', async () => {
    office.edit('shared/projects/p/plan.md', '- [~] p-01', '- [!] p-01');
    await ok(step('unblock_task'));
    expect(
      office
        .task('p-01')
        .history?.slice(-2)
        .map(({ from, to, action }) => [from, to, action]),
    ).toEqual([
      ['assigned', 'blocked', 'state.repair'],
      ['blocked', 'assigned', 'unblock_task'],
    ]);
  });
});

test('a result that the leader holds up halts the task, whatever it says', async () => {
  await ok(office.call(ana, 'taskflow', 'submit_task', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }));
  const { submission_id: submissionId } = office.task('p-01');
  expect(await refused(office, () => step('hold_task'))).toBe(
    'invalid-argument: submissionId is required for the current task submission',
  );
  await ok(step('hold_task', { submissionId, reason: 'the customer has to see it' }));
  expect(office.task('p-01')).toMatchObject({ status: 'blocked', blocked_reason: 'the customer has to see it' });
  expect(office.line('p', 'p-01')).toMatch(/^- \[!\]/);
});

test('a failed task is over, with its reason, and shows [!]', async () => {
  await ok(step('fail_task', { reason: 'schema mismatch' }));
  expect(office.task('p-01')).toMatchObject({ status: 'failed', failure_reason: 'schema mismatch' });
  expect(office.line('p', 'p-01')).toMatch(/^- \[!\]/);
  expect(await refused(office, () => step('fail_task'))).toBe(
    "illegal-transition: Invalid transition: FAILED + 'fail'",
  );
  expect(await refused(office, () => office.call(ana, 'taskflow', 'ack_task', { taskId: 'p-01' }))).toBe(
    "illegal-transition: Invalid transition: FAILED + 'ack': ack_task cannot update terminal task: failed",
  );
});

describe('a node that nobody has taken a step of yet', () => {
  const fail = (payload: object = {}) => step('fail_task', { taskId: 'p-02', reason: 'not possible', ...payload });

  test('fails with a record that the step makes', async () => {
    await ok(fail());
    expect(office.task('p-02')).toMatchObject({
      project_id: 'p',
      task_title: 'Task p-02',
      assigned_to: 'ana',
      depends_on: ['p-01'],
      created_at: office.now,
      status: 'failed',
      failure_reason: 'not possible',
      history: [{ from: 'planned', to: 'failed', action: 'fail_task', note: 'not possible' }],
    });
    expect(office.line('p', 'p-02')).toMatch(/^- \[!\]/);
    expect(office.events.at(-1)).toMatchObject({ type: 'task.failed', from: 'pending', to: 'failed' });
  });

  test('is not halted, since nobody works on it, and is told so', async () => {
    expect(await refused(office, () => step('block_task', { taskId: 'p-02' }))).toMatch(
      /^illegal-transition: Invalid transition: PENDING \+ 'block'/,
    );
    expect(await refused(office, () => step('unblock_task', { taskId: 'p-02' }))).toMatch(
      /^illegal-transition: Invalid transition: PENDING \+ 'unblock'/,
    );
  });

  test('is found in the plan of the project that is named, and of no other', async () => {
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'q', title: 'Q' }));
    const tasks = [{ taskId: 'q-01', title: 'Q', assignedTo: 'ana' }];
    await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'q', tasks }));
    expect(await refused(office, () => fail({ projectId: 'q' }))).toMatch(/^not-found: task not found: p-02/);
    await ok(fail({ projectId: 'p' }));
  });

  test('is refused where two plans hold it, or where its line says more than a record does', async () => {
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'q', title: 'Q' }));
    const tasks = [{ taskId: 'p-02', title: 'Q', assignedTo: 'ana' }];
    await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'q', tasks }));
    expect(await refused(office, () => fail())).toBe('invalid-argument: task p-02 stands in the plans of p and q');
    office.edit('shared/projects/p/plan.md', '- [ ] p-02', '- [~] p-02');
    expect(await refused(office, () => fail({ projectId: 'p' }))).toBe(
      'not-found: task not found: p-02 (plan.md shows it as delegated, and it has no record)',
    );
  });
});
