import { beforeEach, describe, expect, test } from 'vitest';
import { ana, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;

beforeEach(async () => {
  office = createOffice({ chat: 'local' });
  await planned(office, { 'p-01': [], 'p-02': ['p-01'], 'p-03': ['p-01', 'p-02'] });
  office.files['shared/tasks/p-01/spec.md'] = 'Do it well.\n';
  await ok(engine('assign_task', { projectId: 'p' }));
  office.put({ ...office.task('p-01'), priority: 'P0', metadata: { ticket: 7 } });
});

const engine = (action: string, payload: object = {}) =>
  office.call(lead, 'engine', action, { taskId: 'p-01', ...payload });
const handOver = () => engine('hand_over_task', { assignedTo: 'bo', reason: 'ana is ill' });

describe('a hand-over', () => {
  test('makes a pending task like the old one, which is over, and rewires what waited', async () => {
    await ok(handOver());
    expect(office.line('p', 'p-01')).toBe('- [!] p-01 — Task p-01 (assigned: ana, cancelled: superseded)');
    expect(office.line('p', 'p-04')).toBe('- [ ] p-04 — Task p-01 (assigned: bo)');
    expect(office.line('p', 'p-02')).toBe('- [ ] p-02 — Task p-02 (assigned: ana, depends: p-04)');
    expect(office.line('p', 'p-03')).toBe('- [ ] p-03 — Task p-03 (assigned: ana, depends: p-04, p-02)');
    expect(office.task('p-01')).toMatchObject({ status: 'superseded', superseded_by: 'p-04' });
    expect(office.task('p-04')).toMatchObject({
      status: 'pending',
      assigned_to: 'bo',
      supersedes: 'p-01',
      delegate_reason: 'ana is ill',
      priority: 'P0',
      metadata: { ticket: 7 },
    });
    expect(office.files['shared/tasks/p-04/spec.md']).toBe('Do it well.\n');
    expect(office.events.slice(-2).map(({ type, note }) => `${type} ${note}`)).toEqual([
      'task.superseded by p-04: ana is ill',
      'task.created Task p-01',
    ]);
    await ok(office.call(lead, 'engine', 'finish_task', { taskId: 'p-04', fromQueue: true }));
    const ready = await ok(office.call(lead, 'projectflow', 'ready_nodes', { projectId: 'p' }));
    expect(ready['readyNodes']).toMatchObject([{ task_id: 'p-02' }]);
  });

  test('leaves nothing for who had it', async () => {
    await ok(handOver());
    expect(await refused(office, () => office.call(ana, 'taskflow', 'ack_task', { taskId: 'p-01' }))).toBe(
      "illegal-transition: Invalid transition: SUPERSEDED + 'ack': ack_task cannot update terminal task: superseded",
    );
  });

  test('to who has it already, of what nobody has, or under an id that is taken, is refused', async () => {
    expect(await refused(office, () => engine('hand_over_task', { assignedTo: '@ana:hs.local' }))).toBe(
      'invalid-argument: task p-01 is already with ana',
    );
    expect(await refused(office, () => engine('hand_over_task', { assignedTo: 'bo', newTaskId: 'p-02' }))).toMatch(
      /p-02/,
    );
    office.put({ task_id: 'p-02', status: 'pending', assigned_to: '' });
    office.edit('shared/projects/p/plan.md', 'Task p-02 (assigned: ana', 'Task p-02 (assigned: -');
    expect(await refused(office, () => engine('hand_over_task', { taskId: 'p-02', assignedTo: 'bo' }))).toBe(
      "illegal-transition: Invalid transition: PENDING + 'supersede': nobody has it; give it out instead",
    );
  });
});

describe('taking a hand-over back', () => {
  test('gives the task to who had it, and what waited waits for it again', async () => {
    const plan = office.files['shared/projects/p/plan.md'] ?? '';
    await ok(handOver());
    await ok(engine('take_back_task'));
    const withoutNew = (office.files['shared/projects/p/plan.md'] ?? '').replace(/^.*\] p-04 .*\n/m, '');
    expect(withoutNew).toBe(plan);
    expect(office.task('p-01')).toMatchObject({ status: 'in_progress', assigned_to: 'ana' });
    expect(office.task('p-01').superseded_by).toBeUndefined();
    expect(office.task('p-04')).toMatchObject({ status: 'cancelled', cancel_reason: 'taken back by p-01' });
    await ok(office.call(ana, 'taskflow', 'submit_task', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }));
  });

  test('is refused once the new task was begun', async () => {
    await ok(handOver());
    await ok(office.call(lead, 'engine', 'assign_task', { projectId: 'p', taskId: 'p-04' }));
    await ok(office.call(lead, 'engine', 'progress_task', { taskId: 'p-04' }));
    expect(await refused(office, () => engine('take_back_task'))).toBe(
      "illegal-transition: Invalid transition: SUPERSEDED + 'takeback': p-04 is in_progress already",
    );
  });
});

describe('a hand-over of a node that was not given out yet', () => {
  const handOn = () => engine('hand_over_task', { taskId: 'p-02', assignedTo: 'bo' });

  test('makes its record, and a new node for whoever takes it over', async () => {
    await ok(handOn());
    expect(office.task('p-02')).toMatchObject({ status: 'superseded', superseded_by: 'p-04', assigned_to: 'ana' });
    expect(office.line('p', 'p-04')).toBe('- [ ] p-04 — Task p-02 (assigned: bo, depends: p-01)');
    expect(office.line('p', 'p-03')).toContain('depends: p-01, p-04');
  });

  test('is refused where nobody has it', async () => {
    office.edit('shared/projects/p/plan.md', 'Task p-02 (assigned: ana', 'Task p-02 (assigned: -');
    expect(await refused(office, handOn)).toBe(
      "illegal-transition: Invalid transition: PENDING + 'supersede': nobody has it; give it out instead",
    );
  });
});
