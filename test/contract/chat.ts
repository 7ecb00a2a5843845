import { describe, expect, test } from 'vitest';
import type { Chat } from '../../src/ports-chat.ts';

/** One real chat under test. */
export interface ChatHarness {
  /** Opens the chat, again with what it had said before. */
  readonly open: () => Promise<Chat>;
  /** A room that `chat.self` and `member` have joined; full Matrix ids. */
  readonly room: string;
  readonly otherRoom: string;
  readonly member: string;
}

/** What every `Chat` must do (ports.ts), whether messages stay on this machine or go to a homeserver. */
export function chatContract(name: string, setUp: () => Promise<ChatHarness> | ChatHarness): void {
  describe(`${name}, as any chat,`, () => {
    test('sends a message and finds it in the history of its room, as it was sent', async () => {
      const { open, room, member } = await setUp();
      const chat = await open();
      const text = `${member} TASK_ASSIGNED: t-1 - Grüße 👍\nsecond line`;
      const { eventId, reused } = await chat.send({ txn: 'one', room, text, mentions: [member] });
      expect(reused).toBe(false);
      expect(eventId).toMatch(/^\$\S+$/);
      const [message, ...others] = await chat.history(room, 10);
      expect(others).toEqual([]);
      expect(message).toEqual({
        eventId,
        room: expect.stringMatching(/^!/) as string,
        sender: chat.self,
        text,
        mentions: [member],
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
      });
      await chat.close();
    });

    test('makes one message of one transaction, however often it is sent', async () => {
      const { open, room } = await setUp();
      const chat = await open();
      const message = { txn: 'same', room, text: 'once', mentions: [] };
      const [first, second] = await Promise.all([chat.send(message), chat.send(message)]);
      expect(second.eventId).toBe(first.eventId);
      const third = await chat.send({ ...message, text: 'changed meanwhile' });
      expect(third).toEqual({ eventId: first.eventId, reused: true });
      expect((await chat.history(room, 10)).map(({ text }) => text)).toEqual(['once']);
      await chat.close();
    });

    test('knows a transaction again after a restart', async () => {
      const { open, room } = await setUp();
      const before = await open();
      const { eventId } = await before.send({ txn: 'kept', room, text: 'once', mentions: [] });
      await before.close();
      const after = await open();
      expect(await after.send({ txn: 'kept', room, text: 'once', mentions: [] })).toEqual({ eventId, reused: true });
      expect((await after.history(room, 10)).length).toBe(1);
      await after.close();
    });

    test('knows each of the messages that a digest gathers, also after a restart', async () => {
      const { open, room, member } = await setUp();
      const before = await open();
      const parts = ['a', 'b'].map((txn) => ({ txn, text: `${member} ${txn}`, mentions: [member] }));
      const text = parts.map((part) => part.text).join('\n\n');
      const { eventId } = await before.send({ txn: 'digest', room, text, mentions: [member], parts });
      const alone = (txn: string) => ({ txn, room, text: `${member} ${txn}`, mentions: [member] });
      expect(await before.send(alone('a'))).toEqual({ eventId, reused: true });
      await before.close();
      const after = await open();
      expect(await after.send(alone('b'))).toEqual({ eventId, reused: true });
      expect(await after.send({ ...alone('digest'), parts })).toEqual({ eventId, reused: true });
      expect(await after.history(room, 10)).toMatchObject([{ eventId, text, mentions: [member] }]);
      await after.close();
    });

    test('takes every spelling of a room as that room, and keeps rooms apart', async () => {
      const { open, room, otherRoom } = await setUp();
      const chat = await open();
      await chat.send({ txn: '1', room, text: 'plain', mentions: [] });
      await chat.send({ txn: '2', room: `room:${room}`, text: 'room', mentions: [] });
      await chat.send({ txn: '3', room: `matrix:room:${room}`, text: 'matrix', mentions: [] });
      await chat.send({ txn: '4', room: otherRoom, text: 'elsewhere', mentions: [] });
      expect((await chat.history(`matrix:${room}`, 10)).map(({ text }) => text)).toEqual(['plain', 'room', 'matrix']);
      expect((await chat.history(otherRoom, 10)).map(({ text }) => text)).toEqual(['elsewhere']);
      await chat.close();
    });

    test('gives the newest messages of one room or of all, newest last', async () => {
      const { open, room, otherRoom } = await setUp();
      const chat = await open();
      for (const [index, where] of [room, otherRoom, room, otherRoom].entries()) {
        await chat.send({ txn: `${index}`, room: where, text: `${index}`, mentions: [] });
      }
      expect((await chat.history(undefined, 3)).map(({ text }) => text)).toEqual(['1', '2', '3']);
      expect((await chat.history(room, 1)).map(({ text }) => text)).toEqual(['2']);
      expect(await chat.history(room, 0)).toEqual([]);
      await chat.close();
    });

    test('tells who has joined a room, itself included', async () => {
      const { open, room, member } = await setUp();
      const chat = await open();
      expect([...(await chat.joined(room))].sort()).toEqual([chat.self, member].sort());
      await chat.close();
    });

    test('refuses a message without a room, and says nothing anywhere', async () => {
      const { open } = await setUp();
      const chat = await open();
      await expect(chat.send({ txn: 'none', room: ' ', text: 'x', mentions: [] })).rejects.toMatchObject({
        code: 'notify-failed',
      });
      expect(await chat.history(undefined, 10)).toEqual([]);
      await chat.close();
    });
  });
}
