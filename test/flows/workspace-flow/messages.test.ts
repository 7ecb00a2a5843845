import { beforeEach, describe, expect, test } from 'vitest';
import { ana, bo, createOffice, lead, ok, refused } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;
const send = (payload: Record<string, unknown>, dryRun = false) =>
  office.call(lead, 'message', 'send', payload, dryRun);
const refusal = (payload: Record<string, unknown>) => refused(office, () => send(payload));
const target = '!x:hs.local';

beforeEach(() => {
  office = createOffice();
});

describe('message send', () => {
  test('sends to a room and tells who was mentioned', async () => {
    expect(await send({ target: 'room:!x:hs.local', message: '@ana:hs.local please look at @bo:hs.local' })).toEqual({
      ok: true,
      tool: 'message',
      action: 'send',
      channel: 'matrix',
      target: 'room:!x:hs.local',
      targetKind: 'room',
      roomId: '!x:hs.local',
      mentions: ['@ana:hs.local', '@bo:hs.local'],
      messageId: '$e1',
      sessionRecorded: true,
    });
    expect(office.sent).toEqual([
      {
        kind: 'message',
        txn: expect.stringMatching(/^message-[0-9a-f]+$/),
        room: 'room:!x:hs.local',
        text: '@ana:hs.local please look at @bo:hs.local',
        mentions: ['@ana:hs.local', '@bo:hs.local'],
        urgent: true,
      },
    ]);
  });

  test.each([
    ['the room under another name', { roomId: target, text: 'Hello' }],
    ['the text under another name', { room_id: target, body: 'Hello' }],
    ['the text in a record', { target, message: { type: 'text', text: 'Hello' } }],
    ['the text in the JSON of a record', { target, message: '{"type":"text","text":"Hello"}' }],
    ['the room in the reply route', { replyRoute: { targetSession: target }, message: 'Hello' }],
    ['the room in the JSON of the reply route', { reply_route: JSON.stringify({ roomId: target }), message: 'Hello' }],
  ])('takes %s', async (_, payload) => {
    await ok(send(payload));
    expect(office.sent[0]).toMatchObject({ room: target, text: 'Hello' });
  });

  test('a repeated transaction id finds the first message', async () => {
    await ok(send({ target, message: 'Hello', txn: 't1' }));
    expect(await ok(send({ target, message: 'Hello', txn: 't1' }))).toMatchObject({ messageId: '$e1', reused: true });
    expect(office.sent).toHaveLength(1);
  });

  test('takes the token for silence out of a text', async () => {
    await ok(send({ target, message: 'text\nNO_REPLY' }));
    expect(office.sent[0]?.text).toBe('text');
  });

  test('checks channel, text, target, content and kind of target in this order', async () => {
    expect(await refusal({ channel: 'dingtalk' })).toBe(
      'invalid-argument: channel must be one of: matrix (got dingtalk)',
    );
    expect(await refusal({ target: 'nowhere' })).toBe('invalid-argument: message is required');
    expect(await refusal({ target, message: { type: 'text' } })).toBe('invalid-argument: message is required');
    expect(await refusal({ target, message: 7 })).toBe('invalid-argument: message is required');
    expect(await refusal({ target: 'room:x', message: '@a:b ok' })).toBe(
      'invalid-argument: invalid Matrix room target: room:x',
    );
    expect(await refusal({ target: 'nowhere', message: '@a:b ok' })).toMatch(
      /^invalid-argument: target must be a Matrix room or user target, /,
    );
    expect(await refusal({ message: 'Hello' })).toMatch(
      /^invalid-argument: target must be a Matrix room or user target, .*<missing>$/,
    );
    expect(await refusal({ target: '@ana:hs.local', message: '@a:b ok' })).toMatch(
      /^message-blocked: message blocked: low-information .*ping-pong loops$/,
    );
    expect(await refusal({ target: 'user:@ana:hs.local', message: 'Hello' })).toMatch(
      /^invalid-argument: user targets are not supported yet/,
    );
    expect(await refusal({ target, message: 'NO_REPLY' })).toMatch(/^message-blocked: .*NO_REPLY/);
    expect(office.sent).toEqual([]);
  });

  test("adds the team's own words that say nothing", async () => {
    office = createOffice({ team: { policies: { lowInformationWords: ['merci'] } } });
    expect(await refusal({ target, message: '@a:b merci!' })).toMatch(/^message-blocked: .*low-information/);
  });

  test('that does not get through may be tried again', async () => {
    office.weather.silent = 'Matrix send failed: 429';
    expect(await send({ target, message: 'Hello' })).toMatchObject({
      ok: false,
      code: 'notify-failed',
      error: 'Matrix send failed: 429',
      retryable: true,
    });
  });

  test('that has to be queued is as good as sent', async () => {
    office.weather.full = 'the homeserver takes the next message in 5 s';
    const answer = await send({ target, message: 'Hello' });
    expect(answer).toMatchObject({ ok: true, queued: true, reason: 'the homeserver takes the next message in 5 s' });
    expect(answer).not.toHaveProperty('messageId');
  });

  test('a dry run shows the content instead of sending it', async () => {
    expect(await send({ target, message: '@ana:hs.local look' }, true)).toEqual({
      ok: true,
      tool: 'message',
      action: 'send',
      dryRun: true,
      channel: 'matrix',
      target,
      targetKind: 'room',
      roomId: target,
      mentions: ['@ana:hs.local'],
      content: {
        msgtype: 'm.text',
        body: '@ana:hs.local look',
        format: 'org.matrix.custom.html',
        formatted_body: '<p><a href="https://matrix.to/#/%40ana%3Ahs.local">ana</a> look</p>',
        'm.mentions': { user_ids: ['@ana:hs.local'] },
      },
    });
    expect(office.sent).toEqual([]);
  });

  test('mentions others, and never the one who says it', async () => {
    const message = '@lead:hs.local asks @ana:hs.local, not @lead:elsewhere.org';
    const sent = await office.call(lead, 'message', 'send', { target, message });
    expect(sent).toMatchObject({ ok: true, mentions: ['@ana:hs.local', '@lead:elsewhere.org'] });
  });

  test('is not for Workers', async () => {
    expect(await office.call(ana, 'message', 'send', { target, message: 'Hello' })).toEqual({
      ok: false,
      tool: 'message',
      action: 'send',
      error: 'forbidden_tool',
      code: 'wrong-role',
    });
  });
});

const message = (eventId: string, mentions: readonly string[]) => ({
  eventId,
  room: target,
  sender: '@lead:hs.local',
  text: `text of ${eventId}`,
  mentions,
  at: '2026-09-01T10:15:00Z',
});

describe('reading messages', () => {
  const messages = [message('$1', ['@ana:hs.local']), message('$2', []), message('$3', ['@bo:hs.local'])];

  beforeEach(() => {
    office.facts = { messages };
  });

  test('lists the newest of a room, newest last', async () => {
    expect(await office.call(lead, 'message', 'list', { room: target, limit: '2' })).toEqual({
      ok: true,
      tool: 'message',
      action: 'list',
      count: 2,
      messages: messages.slice(1),
    });
    expect(await refused(office, () => office.call(lead, 'message', 'list', { roomId: 'x' }))).toMatch(
      /^invalid-argument: /,
    );
  });

  test('the inbox marks what mentions the actor, and shows only that when asked', async () => {
    expect(await office.call(ana, 'node', 'inbox')).toMatchObject({
      self: '@ana:hs.local',
      count: 3,
      messages: [{ forMe: true }, { forMe: false }, { forMe: false }],
    });
    expect(await office.call(bo, 'node', 'inbox', { mine: true })).toMatchObject({
      count: 1,
      messages: [{ eventId: '$3' }],
    });
  });
});
