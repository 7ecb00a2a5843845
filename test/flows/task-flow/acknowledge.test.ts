import { beforeEach, describe, expect, test } from 'vitest';
import { ROOM, ana, bo, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

const FIGURES = 'shared/tasks/p-01/workspace/figures.csv';
let office: Office;

const work = (action: string, payload: Record<string, unknown> = {}, actor = ana) =>
  office.call(actor, 'taskflow', action, { taskId: 'p-01', ...payload });
const refusal = (action: string, payload: Record<string, unknown> = {}, actor = ana) =>
  refused(office, () => work(action, payload, actor));
const success = { status: 'SUCCESS', summary: 'All figures\n collected.', deliverables: [FIGURES] };

beforeEach(async () => {
  office = createOffice();
  await planned(office, { 'p-01': [], 'p-02': ['p-01'] });
  await ok(
    office.call(lead, 'taskflow', 'delegate_task', { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: 'Do it' }),
  );
});

describe('ack_task', () => {
  test('takes the task on and shows its spec', async () => {
    office.now = '2026-09-01T11:00:00Z';
    expect(await work('ack_task')).toEqual({
      ok: true,
      tool: 'taskflow',
      action: 'ack_task',
      task: office.task('p-01'),
      spec: 'Do it\n',
      pulled: true,
      synced: true,
    });
    expect(office.task('p-01')).toMatchObject({
      status: 'in_progress',
      acknowledged_at: '2026-09-01T11:00:00Z',
      acknowledged_by_role: 'worker',
    });
    expect(office.task('p-01').history?.at(-1)).toEqual({
      ts: '2026-09-01T11:00:00Z',
      from: 'assigned',
      to: 'in_progress',
      action: 'ack_task',
      actor: 'worker:ana',
    });
    expect(office.line('p', 'p-01')).toMatch(/^- \[~\]/);
  });

  test('repeated, or after submission, changes nothing', async () => {
    await ok(work('ack_task'));
    const before = { ...office.files };
    office.now = '2026-09-02T00:00:00Z';
    expect(await ok(work('ack_task'))).toMatchObject({ spec: 'Do it\n' });
    expect(office.files).toEqual(before);
    await ok(work('submit_task', success));
    await ok(work('ack_task'));
    expect(office.task('p-01').status).toBe('submitted');
  });

  test('is possible before the Leader has recorded the message', async () => {
    office.put({ ...office.task('p-01'), status: 'prepared' });
    await ok(work('ack_task', {}, { ...ana, localpart: 'ANA' }));
    expect(office.task('p-01').status).toBe('in_progress');
  });

  test('goes on while the project is paused', async () => {
    await ok(office.call(lead, 'projectflow', 'pause_project', { projectId: 'p' }));
    await ok(work('ack_task'));
    await ok(work('submit_task', success));
  });

  test('is refused for a task that is unknown, over, of somebody else, or incomplete', async () => {
    expect(await refusal('ack_task', { taskId: 'nope' })).toBe('not-found: task not found: nope');
    expect(await refusal('ack_task', { taskId: '..' })).toBe(
      'invalid-argument: invalid id: taskId must be a safe id: ..',
    );
    expect(await refusal('ack_task', {}, bo)).toBe('wrong-worker: task p-01 is assigned to ana, not bo');
    expect(await refusal('ack_task', {}, { ...ana, localpart: ' ' })).toBe(
      'wrong-worker: current worker identity is required',
    );
    expect(await refusal('ack_task', {}, { ...ana, matrixUserId: '@ana:elsewhere' })).toMatch(/^wrong-worker: /);
    expect(await refusal('ack_task', {}, lead)).toMatch(/^wrong-role: /);
    const { room_id: _room, ...homeless } = office.task('p-01');
    delete office.files['shared/tasks/p-01/spec.md'];
    expect(await refusal('ack_task')).toBe('not-found: task spec not found: shared/tasks/p-01/spec.md');
    office.put({ ...homeless, room_id: '' });
    expect(await refusal('ack_task')).toBe('broken-file: task p-01 is missing room_id');
    office.put({ ...homeless, room_id: ROOM, status: 'cancelled' });
    expect(await refusal('ack_task')).toBe(
      "illegal-transition: Invalid transition: CANCELLED + 'ack': ack_task cannot update terminal task: cancelled",
    );
    office.put({ ...homeless, room_id: ROOM, status: 'pending' });
    office.files['shared/tasks/p-01/spec.md'] = 'x';
    expect(await refusal('ack_task')).toBe(
      "illegal-transition: Invalid transition: PENDING + 'ack': ack_task: task is 'planned'; delegate_task it first",
    );
  });

  test('counts a task as over when its plan node is, whatever the record says', async () => {
    office.edit('shared/projects/p/plan.md', '[~] p-01', '[!] p-01');
    expect(await refusal('ack_task')).toBe(
      "illegal-transition: Invalid transition: BLOCKED + 'ack': ack_task cannot update terminal task: blocked",
    );
  });

  test('without a homeserver asks for the localpart alone', async () => {
    office.weather.chat = 'local';
    await ok(work('ack_task', {}, { ...ana, matrixUserId: '@ana:elsewhere' }));
  });
});
