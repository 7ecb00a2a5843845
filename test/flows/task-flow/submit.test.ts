import { beforeEach, describe, expect, test } from 'vitest';
import { deliveryId, resultDigest } from '../../../src/protocol/result/digest.ts';
import { NOW, ROOM, ana, bo, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

const FIGURES = 'shared/tasks/p-01/workspace/figures.csv';
const RESULT = 'shared/tasks/p-01/result.md';
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

describe('submit_task', () => {
  test('writes the envelope and the record, and tells the Leader', async () => {
    const answer = await work('submit_task', { ...success, notes: ['n  1', ' '] });
    const meta = office.task('p-01');
    const { submission_id: submission = '' } = meta;
    const result = { status: 'SUCCESS', summary: 'All figures collected.', deliverables: [FIGURES], notes: ['n 1'] };
    expect(answer).toEqual({
      ok: true,
      tool: 'taskflow',
      action: 'submit_task',
      task: meta,
      result,
      missingDeliverables: [FIGURES],
      notificationNeeded: {
        event: 'task_submitted',
        projectId: 'p',
        summary: 'All figures collected.',
        targetRoom: ROOM,
      },
      synced: true,
      verified: true,
      notification: { sent: true, eventId: '$e2', roomId: '!team:hs.local' },
    });
    expect(office.files[RESULT]).toBe(
      `STATUS: SUCCESS\nSUMMARY: All figures collected.\n\nDELIVERABLES:\n- ${FIGURES}\n\nNOTES:\n- n 1\n`,
    );
    expect(meta).toMatchObject({
      status: 'submitted',
      submitted_at: NOW,
      submitted_by_role: 'worker',
      result_path: RESULT,
      result_status: 'SUCCESS',
      summary: 'All figures collected.',
      deliverables: [FIGURES],
      result_digest: resultDigest({ status: 'SUCCESS', summary: 'All figures collected.', deliverables: [FIGURES] }),
      continuation: { status: 'pending', delivery_id: deliveryId('p', 'p-01', submission) },
      completion_event_id: '$e2',
      completion_event_status: 'SUCCESS',
    });
    expect(office.adopted).toEqual(['shared/tasks/p-01/']);
    expect(office.line('p', 'p-01')).toMatch(/^- \[~\]/);
    expect(office.sent.at(-1)).toMatchObject({
      kind: 'completion',
      txn: 'submit-p-01-SUCCESS',
      room: ROOM,
      text: expect.stringMatching(/^@lead:hs\.local TASK_COMPLETED: p-01 - Result: shared\/tasks\/p-01\/result\.md\n/),
      mentions: ['@lead:hs.local'],
    });
  });

  test('tells the people of the roster as well', async () => {
    office.files['shared/agents/eve.json'] = JSON.stringify({
      schema: 1,
      agent_id: 'eve',
      name: 'Eve',
      matrix_user_id: '@eve:hs.local',
      role: 'human',
      status: 'IDLE',
    });
    office.hire('ana');
    await ok(work('submit_task', success));
    expect(office.sent.at(-1)).toMatchObject({ kind: 'completion', mentions: ['@lead:hs.local', '@eve:hs.local'] });
  });

  test.each([
    ['REVISION_NEEDED', 'TASK_REVISION_NEEDED: p-01 - Too vague.'],
    ['BLOCKED', 'TASK_BLOCKED: p-01 - Too vague.'],
    ['success_with_notes', 'TASK_COMPLETED: p-01 - Result: shared/tasks/p-01/result.md'],
  ])('%s is told as %s', async (status, line) => {
    await ok(work('submit_task', { status, summary: 'Too vague.' }));
    expect(office.sent.at(-1)?.text.split('\n')[0]).toBe(`@lead:hs.local ${line}`);
    // What keeps the work from going on is said before the rest.
    expect(office.sent.at(-1)?.urgent).toBe(line.startsWith('TASK_COMPLETED') ? undefined : true);
  });

  test('takes result.md as it stands when no fields are given', async () => {
    office.files[RESULT] = '**Status:** success\nSUMMARY: Fine\nindeed\n---\n# Report\n';
    office.files[FIGURES] = 'a';
    const answer = await ok(work('submit_task'));
    expect(answer['result']).toEqual({ status: 'SUCCESS', summary: 'Fine indeed', deliverables: [], notes: [] });
    expect(office.files[RESULT]).toBe('**Status:** success\nSUMMARY: Fine\nindeed\n---\n# Report\n');
  });

  test('keeps a report below the envelope that it writes', async () => {
    office.files[RESULT] = '# Findings\n\n- one\n';
    await ok(work('submit_task', success));
    expect(office.files[RESULT]).toMatch(/^STATUS: SUCCESS\n[^]*\nNOTES:\n\n?---\n\n?# Findings\n\n- one\n$/);
  });

  test('names the loose form, and the deliverables that are not there', async () => {
    office.files[RESULT] =
      '# Task Result: X\n\n**Status**: SUCCESS\n\n## Summary\n\nFine.\n\n## Deliverables\n\n- shared/tasks/p-01/gone.md\n';
    const answer = await ok(work('submit_task'));
    expect(answer).toMatchObject({ format: 'loose', missingDeliverables: ['shared/tasks/p-01/gone.md'] });
    expect(answer['warnings']).toEqual([
      expect.stringMatching(/^shared\/tasks\/p-01\/result\.md:\d+:\d+ \[result-loose\]/),
    ]);
  });

  test('refuses fields that do not make a result, before anything else', async () => {
    const cases: readonly [Record<string, unknown>, string][] = [
      [{ status: 'SUCCESS' }, 'invalid-argument: payload.summary is required'],
      [{ status: 'SUCCESS', summary: ' ' }, 'invalid-argument: payload.summary is required'],
      [{ summary: 'x' }, 'invalid-argument: payload.status is required'],
      [{ deliverables: [] }, 'invalid-argument: payload.status is required'],
      [{ status: 'FAILED', summary: 'x' }, 'invalid-result: invalid result status: FAILED'],
      [{ ...success, deliverables: 'x' }, 'invalid-argument: payload.deliverables must be a list'],
      [{ ...success, deliverables: [1] }, 'invalid-argument: deliverable path must be a non-empty string'],
      [{ ...success, deliverables: [''] }, 'invalid-argument: deliverable path must be a non-empty string'],
      [
        { ...success, deliverables: [` ${FIGURES}`] },
        `invalid-result: deliverable must be under shared/tasks/p-01/:  ${FIGURES}`,
      ],
      [
        { ...success, deliverables: ['shared/projects/p/plan.md'] },
        'invalid-result: deliverable must be under shared/tasks/p-01/: shared/projects/p/plan.md',
      ],
      [
        { ...success, deliverables: ['shared/tasks/p-01/a/../b'] },
        'invalid-result: invalid deliverable path: shared/tasks/p-01/a/../b',
      ],
      [
        { status: 'INTERRUPTED', summary: 'x' },
        'invalid-result: result status INTERRUPTED is reserved for the control plane',
      ],
    ];
    for (const [fields, expected] of cases) {
      expect(await refusal('submit_task', fields)).toBe(expected);
      expect(await refusal('submit_task', { ...fields, taskId: 'nope' })).toBe(
        expected
          .replaceAll('p-01/:', 'nope/:')
          .replace(
            /^invalid-result: invalid deliverable path: /,
            'invalid-result: deliverable must be under shared/tasks/nope/: ',
          ),
      );
    }
  });

  test('refuses a result.md that is missing or says nothing valid', async () => {
    expect(await refusal('submit_task')).toBe(`not-found: task result not found: ${RESULT}`);
    office.files[RESULT] = 'SUMMARY: x\n';
    expect(await refusal('submit_task')).toBe('invalid-result: invalid result status: <missing>');
    office.files[RESULT] = 'STATUS: SUCCESS\n';
    expect(await refusal('submit_task')).toBe('invalid-result: result summary is required');
    office.files[RESULT] = 'STATUS: SUCCESS\nSUMMARY: x\nDELIVERABLES:\n- shared/tasks/p-02/x\n';
    expect(await refusal('submit_task')).toBe(
      'invalid-result: deliverable must be under shared/tasks/p-01/: shared/tasks/p-02/x',
    );
    expect((await work('submit_task'))['validationErrors']).toHaveLength(1);
  });

  test('checks the task and who acts before the result is written', async () => {
    expect(await refusal('submit_task', { ...success, deliverables: [], taskId: 'nope' })).toBe(
      'not-found: task not found: nope',
    );
    expect(await refusal('submit_task', success, bo)).toBe('wrong-worker: task p-01 is assigned to ana, not bo');
    expect(office.files[RESULT]).toBeUndefined();
    office.put({ ...office.task('p-01'), status: 'pending' });
    expect(await refusal('submit_task', success)).toBe(
      "illegal-transition: Invalid transition: PENDING + 'submit': submit_task: task is 'planned'; ack_task it first",
    );
    office.put({ ...office.task('p-01'), status: 'revision' });
    expect(await refusal('submit_task', success)).toBe(
      "illegal-transition: Invalid transition: REVISION + 'submit': submit_task cannot update terminal task: revision",
    );
  });

  test('the same result again is the same submission; another one is refused', async () => {
    await ok(work('submit_task', success));
    const before = { ...office.files };
    office.now = '2026-09-02T00:00:00Z';
    expect(await ok(work('submit_task', success))).toMatchObject({
      reused: true,
      notification: { sent: true, eventId: '$e2', reused: true },
    });
    expect(await ok(work('submit_task'))).toMatchObject({ reused: true });
    expect(office.files).toEqual(before);
    expect(office.sent).toHaveLength(2);
    expect(await refusal('submit_task', { ...success, summary: 'Better.' })).toBe(
      "stale-submission: Invalid transition: SUBMITTED + 'submit': submit_task conflicts with existing submission",
    );
  });

  test('recognises a submission of older software by its fields or its file', async () => {
    office.put({ ...office.task('p-01'), status: 'submitted' });
    office.files[RESULT] = 'STATUS: SUCCESS\nSUMMARY: x\n';
    expect(await ok(work('submit_task', { status: 'SUCCESS', summary: 'x' }))).toMatchObject({ reused: true });
    office.put({ ...office.task('p-01'), status: 'submitted', result_status: 'SUCCESS', summary: 'y' });
    expect(await refusal('submit_task', { status: 'SUCCESS', summary: 'x' })).toMatch(/^stale-submission: /);
  });

  test('without the remote is kept here, and told once when it is back', async () => {
    office.weather.gone = true;
    expect(await work('submit_task', success)).toMatchObject({
      ok: false,
      code: 'sync-failed',
      retryable: true,
      statePersisted: true,
      synced: false,
      taskId: 'p-01',
    });
    expect(office.task('p-01').status).toBe('submitted');
    expect(office.sent).toHaveLength(1);
    office.weather.gone = false;
    expect(await ok(work('submit_task', success))).toMatchObject({
      reused: true,
      notification: { sent: true, eventId: '$e2' },
    });
    await ok(work('submit_task', success));
    expect(office.sent.map(({ txn }) => txn).slice(1)).toEqual(['submit-p-01-SUCCESS']);
  });

  test('stands even when its message does not get through', async () => {
    office.weather.silent = 'room is away';
    expect(await ok(work('submit_task', success))).toMatchObject({
      notification: { sent: false, skipped: true, error: 'room is away' },
    });
    expect(office.task('p-01').status).toBe('submitted');
  });

  test('stands when nobody knows the Leader', async () => {
    const { history: _history, ...meta } = office.task('p-01');
    office.files['shared/tasks/p-01/meta.json'] = JSON.stringify(meta);
    expect((await ok(work('submit_task', success)))['notification']).toEqual({
      sent: false,
      skipped: true,
      reason: 'the leader or the room of this task is not known',
    });
  });

  test('a dry run shows the result and changes nothing', async () => {
    const before = { ...office.files };
    const dry = await office.call(ana, 'taskflow', 'submit_task', { taskId: 'p-01', ...success }, true);
    expect(dry).toMatchObject({ ok: true, dryRun: true, taskId: 'p-01', result: { status: 'SUCCESS' } });
    expect(office.files).toEqual(before);
  });
});

describe('a result.md written by hand', () => {
  test('is a submission as soon as it is valid', async () => {
    office.files[RESULT] = 'STATUS: SUCCESS\nSUMMARY: By hand.\n';
    await office.internal('task.record_submission', { taskId: 'p-01' }, ana);
    expect(office.task('p-01')).toMatchObject({ status: 'submitted', summary: 'By hand.', completion_event_id: '$e2' });
    const before = { ...office.files };
    await office.internal('task.record_submission', { taskId: 'p-01' }, ana);
    expect(office.files).toEqual(before);
    expect(office.sent).toHaveLength(2);
  });

  test('is no submission while it is invalid, of somebody else, or says INTERRUPTED', async () => {
    const record = (actor = ana) => office.internal('task.record_submission', { taskId: 'p-01' }, actor);
    await expect(record()).rejects.toMatchObject({ code: 'not-found' });
    office.files[RESULT] = 'STATUS: maybe\n';
    await expect(record()).rejects.toMatchObject({ code: 'invalid-result', message: 'invalid result status: maybe' });
    office.files[RESULT] = 'STATUS: INTERRUPTED\nSUMMARY: x\n';
    await expect(record()).rejects.toMatchObject({ code: 'invalid-result' });
    await expect(record(bo)).rejects.toMatchObject({ code: 'wrong-worker' });
    office.put({ ...office.task('p-01'), assigned_to: 'lead', assigned_to_mxid: '@lead:hs.local' });
    await record(lead);
    expect(office.sent.at(-1)?.text).toContain('TASK_INTERRUPTED: p-01');
  });
});
