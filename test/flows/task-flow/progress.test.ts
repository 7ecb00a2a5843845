import { beforeEach, describe, expect, test } from 'vitest';
import { NOW, ROOM, ana, bo, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;

const work = (action: string, payload: Record<string, unknown> = {}, actor = ana) =>
  office.call(actor, 'taskflow', action, { taskId: 'p-01', ...payload });
const refusal = (action: string, payload: Record<string, unknown> = {}, actor = ana) =>
  refused(office, () => work(action, payload, actor));

beforeEach(async () => {
  office = createOffice();
  await planned(office, { 'p-01': [], 'p-02': ['p-01'] });
  await ok(
    office.call(lead, 'taskflow', 'delegate_task', { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: 'Do it' }),
  );
});

describe('report_progress', () => {
  test('leaves a note and nothing else', async () => {
    await ok(work('ack_task'));
    await ok(work('report_progress', { note: 'half done' }));
    expect(office.task('p-01').history?.at(-1)).toEqual({
      ts: NOW,
      from: 'in_progress',
      to: 'in_progress',
      action: 'progress',
      actor: 'worker:ana',
      note: 'half done',
    });
    expect(office.sent).toHaveLength(1);
  });

  test('cuts a long note between characters and says so', async () => {
    expect(await ok(work('report_progress', { note: '🙂'.repeat(201) }))).toMatchObject({ truncated: true });
    expect(office.task('p-01').history?.at(-1)).toMatchObject({ note: `${'🙂'.repeat(200)}…`, truncated: true });
  });

  test('is refused without a note, for others, and when nothing is under way', async () => {
    expect(await refusal('report_progress', { note: ' ' })).toBe('invalid-argument: note is required');
    expect(await refusal('report_progress')).toBe('invalid-argument: note is required');
    expect(await refusal('report_progress', { note: 'x' }, bo)).toMatch(/^wrong-worker: /);
    office.put({ ...office.task('p-01'), status: 'prepared' });
    expect(await refusal('report_progress', { note: 'x' })).toBe(
      "illegal-transition: Invalid transition: PREPARED + 'progress': report_progress: task is 'prepared'; ack_task it first",
    );
    office.put({ ...office.task('p-01'), status: 'submitted' });
    expect(await refusal('report_progress', { note: 'x' })).toMatch(
      /^illegal-transition: Invalid transition: SUBMITTED \+ 'progress': report_progress: task is 'submitted'; /,
    );
    office.put({ ...office.task('p-01'), status: 'completed' });
    expect(await refusal('report_progress', { note: 'x' })).toBe(
      "illegal-transition: Invalid transition: COMPLETED + 'progress': report_progress cannot update terminal task: completed",
    );
  });
});

describe('request_attention', () => {
  const ask = { kind: 'approval', question: 'May I\n drop it?' };

  test('asks the Leader and the people of the team once', async () => {
    const answer = await ok(work('request_attention', ask));
    const attention = {
      kind: 'approval',
      question: 'May I drop it?',
      attempt: 1,
      requestedAt: NOW,
      resolved: false,
      eventId: '$e2',
    };
    expect(answer).toMatchObject({ attention, notification: { sent: true, eventId: '$e2', roomId: '!team:hs.local' } });
    expect(office.task('p-01').attention).toEqual([attention]);
    expect(office.sent.at(-1)).toMatchObject({
      kind: 'attention',
      txn: 'attention-p-01-approval-1',
      room: ROOM,
      text: '@lead:hs.local ATTENTION_APPROVAL: p-01 - May I drop it?\n- Worker: @ana:hs.local',
      mentions: ['@lead:hs.local', '@admin:hs.local'],
    });
    expect(await ok(work('request_attention', { ...ask, question: 'Well?' }))).toMatchObject({
      reused: true,
      attention,
      notification: { sent: true, eventId: '$e2', reused: true },
    });
    expect(office.sent).toHaveLength(2);
  });

  test('can be closed, and asked anew under a number of its own', async () => {
    await ok(work('request_attention', ask));
    expect(await ok(work('request_attention', { kind: 'approval', resolved: true }))).toMatchObject({
      attention: { resolved: true, attempt: 1 },
    });
    expect(await ok(work('request_attention', { kind: 'approval', resolved: 'yes' }))).toMatchObject({ reused: true });
    await ok(work('request_attention', ask));
    expect(office.sent.map(({ txn }) => txn).slice(1)).toEqual([
      'attention-p-01-approval-1',
      'attention-p-01-approval-2',
    ]);
  });

  test('of a Leader does not mention the Leader', async () => {
    await ok(work('request_attention', { question: 'Anyone?' }, lead));
    expect(office.sent.at(-1)).toMatchObject({
      txn: 'attention-p-01-other-1',
      text: '@admin:hs.local ATTENTION_OTHER: p-01 - Anyone?\n- Worker: @ana:hs.local',
      mentions: ['@admin:hs.local'],
    });
  });

  test('that could not be sent is sent by the next call', async () => {
    office.weather.silent = 'away';
    expect(await work('request_attention', ask)).toMatchObject({
      ok: false,
      code: 'notify-failed',
      error: 'away',
      retryable: true,
    });
    office.weather.silent = undefined;
    expect(await ok(work('request_attention', ask))).toMatchObject({
      reused: true,
      notification: { sent: true, eventId: '$e2' },
    });
    expect(office.task('p-01').attention?.[0]?.eventId).toBe('$e2');
  });

  test('waits for nobody, and when it has to be queued it is on record', async () => {
    office.weather.full = 'the homeserver takes the next message in 5 s';
    expect(await ok(work('request_attention', ask))).toMatchObject({
      notification: { sent: false, queued: true, reason: 'the homeserver takes the next message in 5 s' },
    });
    expect(office.task('p-01').attention).toMatchObject([{ resolved: false }]);
    office.weather.full = undefined;
    await ok(work('request_attention', ask));
    expect(office.sent.at(-1)).toMatchObject({ kind: 'attention', urgent: true });
  });

  test('is refused without a question, too long, for others, and when the task is over', async () => {
    expect(await refusal('request_attention', { kind: 'approval' })).toBe(
      'invalid-argument: payload.question is required',
    );
    expect(await refusal('request_attention', { question: 'x'.repeat(501) })).toBe(
      'invalid-argument: payload.question must have at most 500 characters',
    );
    expect(await refusal('request_attention', { kind: 'urgent', question: 'x' })).toBe(
      'invalid-argument: payload.kind must be one of: approval, decision, escalation, other',
    );
    expect(await refusal('request_attention', ask, bo)).toMatch(/^wrong-worker: /);
    office.put({ ...office.task('p-01'), status: 'completed' });
    expect(await refusal('request_attention', ask)).toBe(
      'illegal-transition: request_attention cannot update terminal task: completed',
    );
  });
});
