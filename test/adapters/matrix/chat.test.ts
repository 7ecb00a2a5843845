import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { createMatrixChat } from '../../../src/adapters/matrix/chat.ts';
import type { MatrixChatOptions } from '../../../src/adapters/matrix/chat.ts';
import type { Chat, RoomMessage } from '../../../src/ports-chat.ts';
import { chatContract } from '../../contract/chat.ts';
import { testFolder } from '../../support/folders.ts';
import { person } from '../../support/synapse/accounts.ts';
import type { Account, Homeserver } from '../../support/synapse/accounts.ts';
import { eventually } from '../../support/waiting.ts';
import { onHomeserver, onOwnHomeserver } from '../../support/synapse/homeserver.ts';

let made = 0;

/** A node's account and a member's, in two rooms that both have joined. */
async function scene(homeserver: Homeserver) {
  made += 1;
  const account = await homeserver.register(`node${made}`);
  const [node, member] = [person(homeserver, account), person(homeserver, await homeserver.register(`member${made}`))];
  const newRoom = async (options = {}): Promise<string> => {
    const room = await node.createRoom({ invite: [member.userId], ...options });
    await member.join(room);
    return room;
  };
  const dir = testFolder('matrix');
  return { account, node, member, newRoom, dir, room: await newRoom() };
}

function open(homeserver: Homeserver, account: Account, options: Partial<MatrixChatOptions> & { dir: string }): Chat {
  const { userId: self, accessToken } = account;
  return createMatrixChat({ homeserver: homeserver.url, accessToken, self, clock: systemClock, ...options });
}

onHomeserver('on a real homeserver', (homeserver) => {
  chatContract('the Matrix chat', async () => {
    const { account, member, dir, room, newRoom } = await scene(homeserver());
    return {
      open: () => Promise.resolve(open(homeserver(), account, { dir })),
      room,
      otherRoom: await newRoom(),
      member: member.userId,
    };
  });

  describe('a message', () => {
    test('wakes by all three layers, and shows everything else as it was written', async () => {
      const { account, member, dir, room } = await scene(homeserver());
      const chat = open(homeserver(), account, { dir });
      const text = `${member.userId} TASK_ASSIGNED: t - **big** <img src=x onerror=alert(1)>\nsecond`;
      const { eventId } = await chat.send({ txn: 'a', room, text, mentions: [member.userId] });
      await chat.send({ txn: 'b', room, text: 'no name in it', mentions: [member.userId] });
      await chat.close();
      const [first, second] = await member.messages(room);
      const name = member.userId.slice(1, member.userId.indexOf(':'));
      const link = `<a href="https://matrix.to/#/${encodeURIComponent(member.userId)}">${name}</a>`;
      expect(first).toMatchObject({
        event_id: eventId,
        sender: account.userId,
        content: {
          msgtype: 'm.text',
          body: text,
          format: 'org.matrix.custom.html',
          formatted_body: `<p>${link} TASK_ASSIGNED: t - <strong>big</strong> &lt;img src=x onerror=alert(1)&gt;<br>second</p>`,
          'm.mentions': { user_ids: [member.userId] },
        },
      });
      expect(second?.content).toMatchObject({
        body: `${member.userId} no name in it`,
        formatted_body: `<p>${link} no name in it</p>`,
      });
    });

    test('with half an emoji arrives, alone and in a digest, and keeps nothing else from its room', async () => {
      const { account, member, dir, room } = await scene(homeserver());
      const chat = open(homeserver(), account, { dir });
      const half = 'cut \uD83D';
      await chat.send({ txn: 'a', room, text: half, mentions: [] });
      const parts = [{ txn: 'c', text: half, mentions: [] }];
      await chat.send({ txn: 'b', room, text: half, mentions: [], parts });
      await chat.close();
      const said = (await member.messages(room)).map(({ content: { body, formatted_body: html } }) => [body, html]);
      expect(said).toEqual([
        ['cut \uFFFD', '<p>cut \uFFFD</p>'],
        ['cut \uFFFD', '<p>cut \uFFFD</p>'],
      ]);
    });

    test('that reached the room without anybody noting it is found there', async () => {
      const { account, node, dir, room } = await scene(homeserver());
      const chat = open(homeserver(), account, { dir });
      const { eventId } = await chat.send({ txn: 'lost', room, text: 'once', mentions: [] });
      await chat.close();
      // As a crash between the homeserver's answer and its recording leaves the journal.
      writeFileSync(
        join(dir, 'sent.jsonl'),
        `${JSON.stringify({ txn: 'lost', at: systemClock.millis() })}\n{"txn":"to`,
      );
      const later = open(homeserver(), account, { dir });
      const again = { txn: 'lost', room, text: 'once', mentions: [] };
      expect(await later.send(again)).toEqual({ eventId, reused: true });
      expect(await later.send({ ...again, txn: 'new', text: 'twice' })).toMatchObject({ reused: false });
      await later.close();
      expect((await node.messages(room)).map(({ content }) => content.body)).toEqual(['once', 'twice']);
    });

    test('that gathers others is one event, in which each wakes as it would alone', async () => {
      const { account, member, dir, room } = await scene(homeserver());
      const chat = open(homeserver(), account, { dir });
      const [one, two] = [`${member.userId} TASK_ASSIGNED: a - \`open`, `${member.userId} TASK_ASSIGNED: b - *b*`];
      const parts = [one, two].map((text, index) => ({ txn: `${index}`, text, mentions: [member.userId] }));
      const digest = { txn: 'd', room, text: `${one}\n\n${two}`, mentions: [member.userId], parts };
      expect(chat.limit?.knows('1')).toBe(false);
      const { eventId } = await chat.send(digest);
      expect(chat.limit?.knows('1')).toBe(true);
      const long = { ...digest, parts: parts.map((part) => ({ ...part, text: 'x'.repeat(5_000) })) };
      expect(chat.limit?.fits(digest)).toBe(true);
      expect(chat.limit?.fits({ ...long, text: long.parts.map(({ text }) => text).join('\n\n') })).toBe(false);
      await chat.close();
      const name = member.userId.slice(1, member.userId.indexOf(':'));
      const link = `<a href="https://matrix.to/#/${encodeURIComponent(member.userId)}">${name}</a>`;
      expect(await member.messages(room)).toMatchObject([
        {
          event_id: eventId,
          content: {
            body: digest.text,
            formatted_body: `<p>${link} TASK_ASSIGNED: a - \`open</p><p>${link} TASK_ASSIGNED: b - <em>b</em></p>`,
            'm.mentions': { user_ids: [member.userId] },
            'dev.batond.txn': 'd',
            'dev.batond.txns': ['0', '1'],
          },
        },
      ]);
    });

    test('that a digest said without anybody noting it is found in it', async () => {
      const { account, node, dir, room } = await scene(homeserver());
      const chat = open(homeserver(), account, { dir });
      const parts = ['a', 'b'].map((txn) => ({ txn, text: txn, mentions: [] }));
      const { eventId } = await chat.send({ txn: 'd', room, text: 'a\n\nb', mentions: [], parts });
      await chat.close();
      writeFileSync(
        join(dir, 'sent.jsonl'),
        `${JSON.stringify({ txn: 'd', at: systemClock.millis(), covers: ['a', 'b'] })}\n`,
      );
      const later = open(homeserver(), account, { dir });
      expect(await later.send({ txn: 'b', room, text: 'b', mentions: [] })).toEqual({ eventId, reused: true });
      expect(await later.send({ txn: 'd', room, text: 'a\n\nb', mentions: [], parts })).toEqual({
        eventId,
        reused: true,
      });
      await later.close();
      expect((await node.messages(room)).length).toBe(1);
    });

    test('of any size arrives, shortened where the homeserver would refuse it', async () => {
      const { account, member, dir, room } = await scene(homeserver());
      const chat = open(homeserver(), account, { dir });
      await chat.send({ txn: 'long', room, text: '& line\n'.repeat(20_000), mentions: [member.userId] });
      await chat.close();
      const [message] = await member.messages(room);
      expect(message?.content.body).toMatch(/^@member\S+ & line\n[^…]*…$/);
    });
  });

  describe('what goes wrong is a sentence', () => {
    test.each([
      ['a wrong token', { accessToken: 'syt_wrong' }, 'does not accept the access token of @node'],
      ['a homeserver that is not there', { homeserver: 'http://127.0.0.1:9' }, 'cannot be reached'],
    ])('for %s, and the token is not in it', async (_, wrong, sentence) => {
      const { account, dir, room } = await scene(homeserver());
      const chat = open(homeserver(), account, { dir, ...wrong });
      const error: unknown = await chat.send({ txn: '1', room, text: 'x', mentions: [] }).catch((thrown) => thrown);
      expect(error).toMatchObject({
        code: 'notify-failed',
        retryable: true,
        message: expect.stringContaining(sentence),
      });
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('syt_');
      await chat.close();
    });

    test("for another account's token", async () => {
      const { account, member, dir, room } = await scene(homeserver());
      const chat = open(homeserver(), account, { dir, self: member.userId });
      await expect(chat.joined(room)).rejects.toMatchObject({
        code: 'notify-failed',
        message: `the access token belongs to ${account.userId}, and this node is ${member.userId}`,
      });
      await chat.close();
    });

    test('for a room that the node has not joined, and for one that is encrypted', async () => {
      const { account, member, dir, newRoom } = await scene(homeserver());
      const chat = open(homeserver(), account, { dir });
      const foreign = await member.createRoom();
      await expect(chat.joined(foreign)).rejects.toMatchObject({
        message: expect.stringMatching(/^room membership check failed: @node\S+ may not do that in room !/) as string,
      });
      const state = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
      const secret = await newRoom({ initial_state: [state] });
      await expect(chat.send({ txn: '1', room: secret, text: 'x', mentions: [] })).rejects.toMatchObject({
        message: `Matrix send failed: room ${secret} is encrypted, and Baton writes plain text only`,
      });
      expect(await member.messages(secret)).toEqual([]);
      await chat.close();
    });
  });

  test('who is only invited has not joined', async () => {
    const { account, node, dir, room } = await scene(homeserver());
    const guest = await homeserver().register(`guest${made}`);
    await node.invite(room, guest.userId);
    const chat = open(homeserver(), account, { dir });
    expect(await chat.joined(room)).not.toContain(guest.userId);
    await chat.close();
  });
});

onHomeserver('listening on a real homeserver', (homeserver) => {
  /** What a chat hears, in the order in which it heard it. */
  function listen(chat: Chat, mayInvite: readonly string[] = []) {
    const heard: RoomMessage[] = [];
    const problems: string[] = [];
    const listening = chat.listen?.({
      hear: (messages) => Promise.resolve(void heard.push(...messages)),
      mayInvite: () => (user) => mayInvite.includes(user),
      problem: (error) => problems.push(error.message),
    });
    return { heard, problems, texts: () => heard.map(({ text }) => text), close: () => listening?.close() };
  }

  test('others are heard, with their mentions, and oneself never', async () => {
    const { account, member, dir, room } = await scene(homeserver());
    const ready = Promise.withResolvers<void>();
    const chat = open(homeserver(), account, { dir, onReady: () => ready.resolve() });
    await member.say(room, 'before anybody listened');
    const ear = listen(chat);
    await ready.promise;
    await chat.send({ txn: 'own', room, text: 'own', mentions: [] });
    const eventId = await member.say(room, `${account.userId} hello`, [account.userId]);
    await eventually(() => ear.heard.length > 0 || undefined, 'the message is heard');
    expect(ear.heard).toMatchObject([
      { eventId, room, sender: member.userId, text: `${account.userId} hello`, mentions: [account.userId] },
    ]);
    await chat.close();
    expect(ear.problems).toEqual([]);
  });

  test('what was said while the node was away is heard by the next one, once', async () => {
    const { account, member, dir, room } = await scene(homeserver());
    const start = () => {
      const ready = Promise.withResolvers<void>();
      const chat = open(homeserver(), account, { dir, onReady: () => ready.resolve() });
      return { chat, ear: listen(chat), ready: ready.promise };
    };
    const first = start();
    await first.ready;
    await first.chat.close();
    await member.say(room, 'meanwhile');
    const second = start();
    await eventually(() => second.ear.heard.length > 0 || undefined, 'the message is heard');
    await second.ready;
    await second.chat.close();
    const third = start();
    await third.ready;
    await third.chat.close();
    expect([first, second, third].map(({ ear }) => ear.texts())).toEqual([[], ['meanwhile'], []]);
  });

  test('however much was said while the node was away, all of it is heard, in order', async () => {
    const { account, member, dir, room } = await scene(homeserver());
    const start = () => {
      const ready = Promise.withResolvers<void>();
      const chat = open(homeserver(), account, { dir, onReady: () => ready.resolve() });
      return { chat, ear: listen(chat), ready: ready.promise };
    };
    await member.say(room, 'before');
    const first = start();
    await first.ready;
    await first.chat.close();
    const wanted = [...Array(230).keys()].map(String);
    for (const text of wanted) await member.say(room, text);
    const second = start();
    await second.ready;
    await second.chat.close();
    expect(second.ear.texts()).toEqual(wanted);
  });

  test('invitations are followed from those who may invite, and from nobody else', async () => {
    const { account, member, dir } = await scene(homeserver());
    const stranger = person(homeserver(), await homeserver().register(`stranger${made}`));
    const chat = open(homeserver(), account, { dir });
    const ear = listen(chat, [member.userId]);
    const trap = await stranger.createRoom({ invite: [account.userId] });
    await eventually(() => ear.problems.length > 0 || undefined, 'the refusal is told');
    const wanted = await member.createRoom({ invite: [account.userId] });
    await eventually(async () => (await member.joined(wanted)).includes(account.userId) || undefined, 'it joins');
    expect(await stranger.joined(trap)).toEqual([stranger.userId]);
    expect(ear.problems).toEqual([`${stranger.userId} invites to room ${trap}, and is not one who may`]);
    await chat.close();
  });
});

onOwnHomeserver('on a homeserver with the limits of Synapse', { rateLimits: 'default' }, (homeserver) => {
  test('messages beyond the limit are refused for now, and go out in order once it takes them', async () => {
    const { account, node, dir, room } = await scene(homeserver());
    const ready = Promise.withResolvers<void>();
    const chat = open(homeserver(), account, { dir, onReady: () => ready.resolve() });
    const send = (txn: number) => chat.send({ txn: `${txn}`, room, text: `${txn}`, mentions: [] });
    let refused: number | undefined;
    for (let txn = 0; refused === undefined; txn += 1) {
      await send(txn).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'notify-failed', retryable: true });
        expect((error as Error).message).toMatch(/the homeserver takes the next message in \d+ s$/);
        // It is not in the room, so it may be said there in any company.
        expect([chat.limit?.holds()?.code, chat.limit?.knows(`${txn}`)]).toEqual(['notify-failed', false]);
        refused = txn;
      });
    }
    await ready.promise;
    expect(chat.limit?.holds()).toBeUndefined();
    expect(await send(refused)).toMatchObject({ reused: false });
    await chat.close();
    const texts = (await node.messages(room)).map(({ content }) => content.body);
    expect(texts).toEqual([...Array(refused + 1).keys()].map(String));
  });

  test('a homeserver that was away is noticed, and messages go out again', async () => {
    const { account, node, dir, room } = await scene(homeserver());
    const problem = Promise.withResolvers<string>();
    const reached = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let times = 0;
    const chat = open(homeserver(), account, { dir, onReady: () => reached[times++]?.resolve() });
    chat.listen?.({
      hear: () => Promise.resolve(),
      mayInvite: () => () => false,
      problem: ({ message }) => problem.resolve(message),
    });
    await reached[0]?.promise;
    await homeserver().halt();
    const message = { txn: '1', room, text: 'late', mentions: [] };
    await expect(chat.send(message)).rejects.toMatchObject({ code: 'notify-failed', retryable: true });
    expect(await problem.promise).toBe(`the rooms cannot be heard: ${homeserver().url} cannot be reached`);
    await homeserver().start();
    await reached[1]?.promise;
    await eventually(() => chat.send(message).catch(() => undefined), 'the message is sent');
    await chat.close();
    expect((await node.messages(room)).map(({ content }) => content.body)).toEqual(['late']);
  });

  test('a send waits when it may be patient, and ends at once when the node stops', async () => {
    const { account, dir, room } = await scene(homeserver());
    const chat = open(homeserver(), account, { dir, patience: 60_000 });
    const sends = [...Array(12).keys()].map((txn) =>
      chat.send({ txn: `${txn}`, room, text: `${txn}`, mentions: [] }).then(
        () => 'sent',
        () => 'stopped',
      ),
    );
    await sends[9];
    await chat.close();
    expect((await Promise.all(sends)).at(-1)).toBe('stopped');
  });
});
