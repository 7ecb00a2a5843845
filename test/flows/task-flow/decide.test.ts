import { beforeEach, describe, expect, test } from 'vitest';
import { NOW, ROOM, ana, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

const RESULT = 'shared/tasks/p-01/result.md';
let office: Office;

const call = (action: string, payload: Record<string, unknown> = {}, actor = lead) =>
  office.call(actor, 'taskflow', action, { taskId: 'p-01', ...payload });
const refusal = (action: string, payload: Record<string, unknown> = {}, actor = lead) =>
  refused(office, () => call(action, payload, actor));
const submit = (status = 'SUCCESS', summary = 'Done.') => ok(call('submit_task', { status, summary }, ana));

beforeEach(async () => {
  office = createOffice();
  await planned(office, { 'p-01': [], 'p-02': ['p-01'] });
  await ok(call('delegate_task', { projectId: 'p', roomId: ROOM, spec: 'Do it' }));
});

describe('check_task', () => {
  test('shows the task and its result, says whether it is effective, and changes nothing', async () => {
    await submit();
    const before = { ...office.files };
    expect(await call('check_task')).toEqual({
      ok: true,
      tool: 'taskflow',
      action: 'check_task',
      task: office.task('p-01'),
      submitted: true,
      projectStatus: 'active',
      result: { status: 'SUCCESS', summary: 'Done.', deliverables: [], notes: [] },
      effective: true,
      validationErrors: [],
    });
    expect(office.files).toEqual(before);
  });

  test.each([
    ['SUCCESS', true],
    ['SUCCESS_WITH_NOTES', true],
    ['REVISION_NEEDED', false],
    ['BLOCKED', false],
  ])('%s is effective: %s', async (status, effective) => {
    await submit(status);
    expect(await ok(call('check_task'))).toMatchObject({ effective });
  });

  test('gives its advice to the Leader only', async () => {
    await submit();
    expect(await ok(call('check_task', {}, ana))).not.toHaveProperty('effective');
    expect(await ok(call('check_task', {}, { localpart: 'm', role: 'manager' }))).toMatchObject({ effective: true });
  });

  test('says so when the file was changed after it was submitted', async () => {
    await submit();
    office.edit(RESULT, 'Done.', 'Done, really.');
    expect(await ok(call('check_task'))).toMatchObject({ warnings: ['result.md changed after submission'] });
  });

  test('shows a result that waits in a paused project', async () => {
    await submit();
    await ok(office.call(lead, 'projectflow', 'pause_project', { projectId: 'p' }));
    expect(await ok(call('check_task'))).toMatchObject({ projectStatus: 'paused', effective: true });
  });

  test('refuses a result that is missing or invalid, and shows the task beside it', async () => {
    expect(await call('check_task')).toMatchObject({
      ok: false,
      code: 'invalid-result',
      error: `task result not found: ${RESULT}`,
      task: { task_id: 'p-01', status: 'assigned' },
      submitted: false,
      effective: false,
      validationErrors: [`task result not found: ${RESULT}`],
    });
    office.files[RESULT] = 'STATUS: DONE\nSUMMARY:\n';
    expect(await call('check_task')).toMatchObject({
      ok: false,
      error: 'invalid result status: DONE',
      validationErrors: [
        expect.stringMatching(/^shared\/tasks\/p-01\/result\.md:1:\d+ \[result-status-invalid\]/),
        expect.stringMatching(/result-summary-missing/),
      ],
    });
    office.files[RESULT] = 'STATUS: SUCCESS\nSUMMARY: x\nDELIVERABLES:\n- shared/projects/p/plan.md\n';
    expect(await refusal('check_task')).toBe(
      'invalid-result: deliverable must be under shared/tasks/p-01/: shared/projects/p/plan.md',
    );
    expect(await refusal('check_task', { taskId: 'nope' })).toBe('not-found: task not found: nope');
  });
});

describe('cancel_task', () => {
  const because = { reason: 'Not needed (any more)' };

  test('ends the task in its record and in the plan, under either tool', async () => {
    const answer = await ok(
      office.call(lead, 'projectflow', 'cancel_task', {
        taskId: 'p-01',
        cancel_reason: because.reason,
        replacement_task_id: 'p-03',
      }),
    );
    expect(answer).toMatchObject({
      nodeStatus: 'cancelled',
      synced: true,
      notificationNeeded: { event: 'task_cancelled', projectId: 'p', summary: because.reason, targetRoom: ROOM },
    });
    expect(office.task('p-01')).toMatchObject({
      status: 'cancelled',
      cancel_reason: because.reason,
      cancelled_at: NOW,
      replacement_task_id: 'p-03',
    });
    expect(office.task('p-01').history?.at(-1)).toMatchObject({
      from: 'assigned',
      to: 'cancelled',
      action: 'cancel_task',
    });
    expect(office.line('p', 'p-01')).toMatch(/^- \[!\] p-01 — Task p-01 \(.*cancelled: not-needed-any-more.*\)$/);
    expect(office.files['shared/tasks/p-01/spec.md']).toBe('Do it\n');
  });

  test('closes the questions that are open', async () => {
    await ok(office.call(ana, 'taskflow', 'request_attention', { taskId: 'p-01', question: 'Which?' }));
    await ok(call('cancel_task', because));
    expect(office.task('p-01').attention).toMatchObject([{ question: 'Which?', resolved: true }]);
  });

  test('needs a reason, a known task, and a task that is not over', async () => {
    expect(await refusal('cancel_task')).toBe('invalid-argument: reason is required');
    expect(await refusal('cancel_task', { reason: ' ' })).toBe('invalid-argument: reason is required');
    expect(await refusal('cancel_task', { ...because, taskId: 'nope' })).toBe('not-found: task not found: nope');
    expect(await refusal('cancel_task', because, ana)).toMatch(/^wrong-role: /);
    expect(await refusal('cancel_task', { ...because, replacementTaskId: 'a/b' })).toMatch(
      /^invalid-argument: invalid id: /,
    );
    office.put({ ...office.task('p-01'), status: 'completed' });
    expect(await refusal('cancel_task', because)).toBe(
      "illegal-transition: Invalid transition: COMPLETED + 'cancel': cannot cancel terminal task: completed",
    );
  });

  test('names the submission that it sets aside', async () => {
    await submit();
    expect(await refusal('cancel_task', because)).toBe(
      'invalid-argument: submissionId is required for the current task submission',
    );
    expect(await refusal('cancel_task', { ...because, submissionId: 'other' })).toBe(
      'stale-submission: submissionId does not match the current task submission',
    );
    const { submission_id: submissionId } = office.task('p-01');
    await ok(call('cancel_task', { ...because, submissionId }));
    expect(office.task('p-01').continuation).toMatchObject({
      status: 'resolved',
      resolution: 'cancelled',
      resolved_at: NOW,
    });
  });

  test('again in the same words is the same cancellation; in others it is refused', async () => {
    await ok(call('cancel_task', because));
    const before = { ...office.files };
    expect(await ok(call('cancel_task', because))).toMatchObject({ reused: true, nodeStatus: 'cancelled' });
    expect(office.files).toEqual(before);
    for (const other of [{ reason: 'Else' }, { ...because, replacementTaskId: 'p-09' }]) {
      expect(await refusal('cancel_task', other)).toBe(
        "illegal-transition: Invalid transition: CANCELLED + 'cancel': cancel_task conflicts with existing cancellation",
      );
    }
  });

  test('is final for every later step', async () => {
    await ok(call('cancel_task', because));
    expect(await refusal('ack_task', {}, ana)).toBe(
      "illegal-transition: Invalid transition: CANCELLED + 'ack': ack_task cannot update terminal task: cancelled",
    );
    expect(await refusal('submit_task', { status: 'SUCCESS', summary: 'x' }, ana)).toBe(
      "illegal-transition: Invalid transition: CANCELLED + 'submit': submit_task cannot update terminal task: cancelled",
    );
    expect(await refusal('delegate_task', { projectId: 'p', roomId: ROOM, spec: 'x' })).toBe(
      "illegal-transition: Invalid transition: CANCELLED + 'prepare': delegate_task cannot update terminal task: cancelled",
    );
  });

  test('is possible while the project is paused, and takes up a marker set by hand', async () => {
    await ok(office.call(lead, 'projectflow', 'pause_project', { projectId: 'p' }));
    const plan = 'shared/projects/p/plan.md';
    office.edit(
      plan,
      '- [~] p-01 — Task p-01 (assigned: ana)',
      '- [!] p-01 — Task p-01 (assigned: ana, cancelled: by-hand)',
    );
    await ok(call('cancel_task', { reason: '…' }));
    expect(office.task('p-01').status).toBe('cancelled');
    expect(office.line('p', 'p-01')).toContain('cancelled: by-hand');
  });
});
