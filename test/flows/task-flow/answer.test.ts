import { beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../../src/protocol/records/types.ts';
import { NOW, ROOM, ana, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

const admin: Actor = { localpart: 'admin', role: 'admin', matrixUserId: '@admin:hs.local' };
let office: Office;

const answer = (payload: Record<string, unknown>, actor = admin) =>
  office.call(actor, 'taskflow', 'answer_attention', { taskId: 'p-01', ...payload });
const refusal = (payload: Record<string, unknown>, actor = admin) => refused(office, () => answer(payload, actor));
const ask = (kind: string, question = 'May I?') =>
  ok(office.call(ana, 'taskflow', 'request_attention', { taskId: 'p-01', kind, question }));

beforeEach(async () => {
  office = createOffice();
  await planned(office, { 'p-01': [] });
  await ok(
    office.call(lead, 'taskflow', 'delegate_task', { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: 'Do it' }),
  );
});

describe('answer_attention', () => {
  test("puts the answer into the task's record, closes the question, and tells the Worker in its room", async () => {
    await ask('decision', 'Red or blue?');
    const { attention, notification } = await ok(answer({ answer: ' Blue,\n@ana:hs.local! ' }));
    const record = {
      kind: 'decision',
      question: 'Red or blue?',
      attempt: 1,
      requestedAt: NOW,
      resolved: true,
      eventId: '$e2',
      answer: 'Blue,\n@ana:hs.local!',
      answeredBy: 'admin',
      answeredAt: NOW,
    };
    expect(attention).toEqual(record);
    expect(notification).toEqual({ sent: true, eventId: '$e3', roomId: '!team:hs.local' });
    expect(office.task('p-01').attention).toEqual([record]);
    expect(office.sent.at(-1)).toEqual({
      kind: 'attention',
      txn: 'answer-p-01-decision-1',
      urgent: true,
      room: ROOM,
      text: '@ana:hs.local ATTENTION_ANSWERED: p-01 - Blue, ＠ana:hs.local!\n- Kind: decision\n- By: admin',
      mentions: ['@ana:hs.local'],
    });
    expect(office.events.at(-1)).toMatchObject({ type: 'task.attention_answered', action: 'answer_attention' });
    const seen = await office.call(ana, 'taskflow', 'ack_task', { taskId: 'p-01' });
    expect(seen['task']).toMatchObject({ attention: [{ answer: 'Blue,\n@ana:hs.local!' }] });
  });

  test.each([
    [{ decision: 'approved' }, 'approved'],
    [{ decision: 'denied', answer: 'too dear' }, 'denied: too dear'],
  ])('of an approval %j is kept as %j', async (payload, kept) => {
    await ask('approval');
    await ask('other');
    await ok(answer(payload));
    expect(office.task('p-01').attention).toMatchObject([{ kind: 'approval', answer: kept }, { resolved: false }]);
  });

  test('said again changes nothing and tells nobody; another one is refused, until the Worker asks again', async () => {
    await ask('approval');
    await ok(answer({ decision: 'denied' }));
    const told = office.sent.length;
    expect(await ok(answer({ decision: 'denied' }))).toMatchObject({ reused: true });
    expect(office.sent.length).toBe(told);
    expect(await refusal({ decision: 'approved' })).toBe(
      'illegal-transition: the question was already answered by admin',
    );
    await ask('approval');
    await ok(answer({ decision: 'approved' }));
    expect(office.task('p-01').attention?.map((record) => record.answer)).toEqual(['denied', 'approved']);
    expect(office.sent.at(-1)?.txn).toBe('answer-p-01-approval-2');
  });

  test('is recorded although the room takes no message', async () => {
    await ask('approval');
    office.weather.silent = 'Matrix send failed';
    expect(await ok(answer({ decision: 'approved' }))).toMatchObject({
      notification: { sent: false, error: 'Matrix send failed' },
    });
    expect(office.task('p-01').attention).toMatchObject([{ answer: 'approved' }]);
  });

  test('is refused without a text, without a question, between several, for a Worker, and once the task is over', async () => {
    expect(await refusal({})).toBe('invalid-argument: payload.answer is required');
    expect(await refusal({ answer: 'x'.repeat(2_001) })).toMatch(/at most 2000 characters$/);
    expect(await refusal({ answer: 'x' })).toBe('not-found: no open question on task p-01');
    await ask('decision');
    expect(await refusal({ decision: 'approved' })).toBe('not-found: no open question of kind approval on task p-01');
    await ask('other');
    expect(await refusal({ answer: 'x' })).toBe(
      'invalid-argument: task p-01 has several open questions: decision, other',
    );
    expect(await refusal({ answer: 'x' }, ana)).toMatch(/^wrong-role: /);
    office.put({ ...office.task('p-01'), status: 'completed' });
    expect(await refusal({ answer: 'x', kind: 'other' })).toBe(
      'illegal-transition: answer_attention cannot update terminal task: completed',
    );
  });
});
