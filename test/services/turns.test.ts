import * as fc from 'fast-check';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createClock } from '../../src/adapters/clock.ts';
import { createLocalChat } from '../../src/adapters/local-chat.ts';
import { createLog } from '../../src/adapters/log.ts';
import type { Announcement, Chat } from '../../src/ports-chat.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { createOutbox } from '../../src/services/outbox.ts';
import type { Outbox } from '../../src/services/outbox.ts';
import { testFolder } from '../support/folders.ts';

const room = '!team:local';
const actor = { localpart: 'lead', role: 'leader' } as const;

function announcement(txn: string, more: Partial<Announcement> = {}): Announcement {
  const followUp = { operation: 'record', input: { txn }, actor };
  return { kind: 'assignment', txn, room, text: `@ana:local ${txn}`, mentions: ['@ana:local'], followUp, ...more };
}

/** How a process may end while a message is sent: before the room has it, or before its sender knows that it has. */
type Death = 'before' | 'after';

/**
 * A real room log that takes `left` messages and refuses others as a homeserver does, with what a homeserver's adapter
 * knows of them; and outboxes on it, the next as after a crash.
 */
function place({ characters = 1_000, absent = [] as readonly string[] } = {}) {
  let now = Date.UTC(2026, 8, 1);
  const clock = createClock(() => now);
  const dir = testFolder('.baton');
  const log = createLog({ level: 'silent' });
  const said = createLocalChat({ dir: join(dir, 'rooms'), self: '@lead:local', clock });
  /** By transaction, the one under which it was begun: its own, or a digest's. */
  const begun = new Map<string, string>();
  /** What was begun under two names; only luck keeps that from being two messages. */
  const doubled: string[] = [];
  const state: {
    left: number;
    death?: Death | undefined;
    refuse?: (text: string) => boolean;
    fail?: (text: string) => boolean;
  } = {
    left: Number.POSITIVE_INFINITY,
  };
  const file = join(dir, 'outbox.json');
  /** What a process that died has left on disk; nothing it does afterwards counts. */
  let left: string | undefined;
  const die = (): never => {
    left ??= existsSync(file) ? readFileSync(file, 'utf8') : '';
    throw new Error('killed');
  };
  const tooMany = (): FlowError =>
    new FlowError('notify-failed', 'the homeserver takes the next message in 5 s', { data: { retryAfterMs: 5_000 } });
  const chat: Chat = {
    ...said,
    kind: 'remote',
    async joined() {
      await new Promise((turn) => setImmediate(turn));
      return ['@ana:local', '@bo:local'].filter((name) => !absent.includes(name));
    },
    limit: {
      holds: () => (state.left > 0 ? undefined : tooMany()),
      fits: ({ text }) => text.length <= characters,
      knows: (txn) => begun.has(txn),
    },
    async send(message) {
      if (left !== undefined) die();
      const { death } = state;
      await new Promise((turn) => setImmediate(turn));
      const known = begun.has(message.txn);
      if (!known && state.left <= 0) throw tooMany();
      if (state.refuse?.(message.text) === true) throw new FlowError('notify-failed', 'no', { retryable: false });
      if (state.fail?.(message.text) === true)
        throw new FlowError('notify-failed', '500', { data: { httpStatus: 500 } });
      for (const txn of [message.txn, ...(message.parts ?? []).map((part) => part.txn)]) {
        if ((begun.get(txn) ?? message.txn) !== message.txn) doubled.push(txn);
        begun.set(txn, message.txn);
      }
      if (death === 'before') die();
      const sent = await said.send(message);
      if (!sent.reused) state.left -= 1;
      if (death === 'after') die();
      return sent;
    },
  };
  const recorded: [string, string][] = [];
  return {
    state,
    chat,
    doubled,
    recorded,
    pass: (ms: number) => (now += ms),
    open: (): Outbox => {
      if (left === '') rmSync(file);
      else if (left !== undefined) writeFileSync(file, left);
      left = undefined;
      state.death = undefined;
      return createOutbox({ dir, chat, clock, log });
    },
    flush: (outbox: Outbox) =>
      outbox.flush(({ input }, eventId) => {
        if (left === undefined) recorded.push([String(input['txn']), eventId]);
        return Promise.resolve();
      }),
    texts: async (where = room) => (await said.history(where, 1_000)).map(({ text }) => text),
    events: async () => (await said.history(undefined, 1_000)).map(({ eventId }) => eventId),
  };
}

const names = (count: number, prefix = 't'): string[] =>
  [...Array(count).keys()].map((index) => `${prefix}${index + 1}`);
const alone = (txn: string): string => `@ana:local ${txn}`;
/** What three of them may need, once they are as late as can be. */
const ROOM_FOR_THREE = 3 * (alone('t1').length + '\n- Delayed: 365 d\n\n'.length);
const together = (...txns: readonly string[]): string => txns.map(alone).join('\n\n');

async function deliver(outbox: Outbox, txns: readonly string[], more: Partial<Announcement> = {}) {
  const announcements = txns.map((txn) => announcement(txn, more));
  outbox.owe(announcements, undefined);
  outbox.record();
  return outbox.deliver(announcements);
}

describe('an outbox whose room takes only so many messages', () => {
  test('queues what is refused for its number, which is no failure', async () => {
    const { open, state } = place();
    state.left = 1;
    const outbox = open();
    expect(await deliver(outbox, ['t1', 't2', 't3'])).toMatchObject([
      { txn: 't1', sent: true },
      ...['t2', 't3'].map((txn) => ({
        txn,
        sent: false,
        retryable: true,
        queued: true,
        error: 'the homeserver takes the next message in 5 s',
      })),
    ]);
    expect(open().pending()).toMatchObject([
      { announcement: { txn: 't2' }, heldBack: true },
      { announcement: { txn: 't3' }, heldBack: true },
    ]);
  });

  test('says urgent things first once messages are held back, and otherwise keeps the order', async () => {
    const { open, state, flush, texts } = place();
    const outbox = open();
    await deliver(outbox, ['t1']);
    await deliver(outbox, ['u1'], { urgent: true });
    await deliver(outbox, ['t2']);
    state.left = 0;
    await deliver(outbox, ['t3', 't4']);
    await deliver(outbox, ['u2', 'u3'], { urgent: true });
    state.left = 10;
    await flush(outbox);
    expect(await texts()).toEqual(['t1', 'u1', 't2', 'u2', 'u3', 't3', 't4'].map(alone));
    await deliver(outbox, ['t5']);
    await deliver(outbox, ['u4'], { urgent: true });
    expect((await texts()).slice(-2)).toEqual(['t5', 'u4'].map(alone));
  });

  test('what is urgent is still urgent for the next process', async () => {
    const { open, state, flush, texts } = place();
    state.left = 0;
    await deliver(open(), ['t1']);
    await deliver(open(), ['u1'], { urgent: true });
    state.left = 1;
    await flush(open());
    expect(await texts()).toEqual([alone('u1')]);
  });

  test('gathers the routine messages of a room into one, each recorded with its event', async () => {
    const { open, state, flush, texts, events, recorded } = place();
    state.left = 0;
    const outbox = open();
    await deliver(outbox, names(4));
    await deliver(outbox, ['elsewhere'], { room: '!other:local' });
    state.left = 1;
    await flush(outbox);
    expect(await texts()).toEqual([together('t1', 't2', 't3', 't4')]);
    const [event] = await events();
    expect(recorded).toEqual(names(4).map((txn) => [txn, event]));
    expect(outbox.pending()).toMatchObject([{ announcement: { txn: 'elsewhere' } }]);
    state.left = 1;
    await flush(outbox);
    expect(await texts('!other:local')).toEqual([alone('elsewhere')]);
    expect(outbox.pending()).toEqual([]);
  });

  test('does not gather two, nor what was only kept from a room by an outage', async () => {
    const { open, state, flush, texts } = place();
    state.left = 0;
    const outbox = open();
    await deliver(outbox, names(2));
    state.left = 2;
    await flush(outbox);
    outbox.owe(
      names(5, 'late').map((txn) => announcement(txn)),
      undefined,
    );
    await outbox.confirm(() => true);
    state.left = 5;
    await flush(outbox);
    expect(await texts()).toEqual([...names(2), ...names(5, 'late')].map(alone));
  });

  test('cuts nothing: what does not fit goes into the next one', async () => {
    const { open, state, flush, texts } = place({ characters: ROOM_FOR_THREE });
    state.left = 0;
    const outbox = open();
    await deliver(outbox, names(7));
    state.left = 10;
    await flush(outbox);
    expect(await texts()).toEqual([together('t1', 't2', 't3'), together('t4', 't5', 't6'), alone('t7')]);
  });

  test('says a report by itself, and nobody overtakes it', async () => {
    const { open, state, flush, texts } = place();
    state.left = 0;
    const outbox = open();
    await deliver(outbox, names(3, 'a'));
    await deliver(outbox, ['report'], { kind: 'report', text: '---\n\n## Report', mentions: [] });
    await deliver(outbox, names(3, 'b'));
    state.left = 10;
    await flush(outbox);
    expect(await texts()).toEqual([together('a1', 'a2', 'a3'), '---\n\n## Report', together('b1', 'b2', 'b3')]);
  });

  test('leaves out whose addressee has not joined, and does not wait for them', async () => {
    const absent = ['@bo:local'];
    const { open, state, flush, texts } = place({ absent });
    state.left = 0;
    const outbox = open();
    for (const txn of names(5))
      await deliver(outbox, [txn], { mustHaveJoined: txn === 't3' ? '@bo:local' : '@ana:local' });
    state.left = 10;
    await flush(outbox);
    expect(await texts()).toEqual([together('t1', 't2', 't4', 't5')]);
    absent.pop();
    await flush(outbox);
    expect((await texts()).at(-1)).toBe(alone('t3'));
    expect(outbox.pending()).toEqual([]);
  });

  test('tries each by itself when the digest can never be taken, and drops only what is to blame', async () => {
    const { open, state, flush, texts } = place();
    state.left = 0;
    const outbox = open();
    await deliver(outbox, names(4));
    state.left = 10;
    state.refuse = (text) => text.includes('t2');
    await flush(outbox);
    await flush(outbox);
    expect(await texts()).toEqual(['t1', 't3', 't4'].map(alone));
    expect(outbox.pending()).toEqual([]);
  });

  test('tries each by itself when the homeserver fails over the digest again and again, and keeps only what is to blame', async () => {
    const { open, state, flush, texts } = place();
    state.left = 0;
    const outbox = open();
    await deliver(outbox, names(4));
    state.left = 10;
    state.fail = (text) => text.includes('t2');
    for (let round = 0; round < 12; round += 1) await flush(outbox);
    expect(await texts()).toEqual(['t1', 't3', 't4'].map(alone));
    expect(outbox.pending()).toMatchObject([{ announcement: { txn: 't2' }, error: '500' }]);
  });

  test('says of what is old how old it is, in a digest as well', async () => {
    const { open, state, flush, texts, pass } = place();
    state.left = 0;
    const outbox = open();
    await deliver(outbox, names(2));
    pass(120_000);
    await deliver(outbox, ['t3']);
    state.left = 1;
    await flush(outbox);
    expect(await texts()).toEqual([
      `${alone('t1')}\n- Delayed: 2 min\n\n${alone('t2')}\n- Delayed: 2 min\n\n${alone('t3')}`,
    ]);
  });

  test.each(['before', 'after'] as const)(
    'says the same digest again when it died %s the room had it',
    async (death) => {
      const { open, state, flush, texts, events, recorded } = place();
      state.left = 0;
      await deliver(open(), names(4));
      state.left = 5;
      state.death = death;
      await flush(open());
      delete state.death;
      const next = open();
      await deliver(next, ['t5']);
      await flush(next);
      await flush(next);
      expect(await texts()).toEqual([together(...names(4)), alone('t5')]);
      const [digest] = await events();
      expect(recorded).toEqual(names(4).map((txn) => [txn, digest]));
      expect(next.pending()).toEqual([]);
    },
  );
});

test('every message is said once and recorded with its event, whatever is refused and whenever the process dies', async () => {
  const step = fc.oneof(
    fc.record({
      owed: fc.integer({ min: 1, max: 5 }),
      urgent: fc.boolean(),
      other: fc.boolean(),
      busy: fc.boolean(),
      death: fc.constantFrom<Death | undefined>(undefined, undefined, 'before', 'after'),
    }),
    fc.record({ left: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ death: fc.constantFrom<Death | undefined>(undefined, 'before', 'after') }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { open, state, flush, texts, recorded, doubled } = place({ characters: ROOM_FOR_THREE });
      const said: { txn: string; urgent: boolean; where: string }[] = [];
      const isBusy = steps.some((next) => 'busy' in next && next.busy);
      let outbox = open();
      for (const next of steps) {
        if ('left' in next) {
          state.left = next.left;
          continue;
        }
        state.death = next.death;
        if ('owed' in next) {
          const { owed, urgent, other, busy } = next;
          const where = other ? '!other:local' : room;
          const txns = names(owed, 'm').map((name) => `${name}-${said.length}`);
          said.push(...txns.map((txn) => ({ txn, urgent, where })));
          const more: Partial<Announcement> = {
            room: where,
            mustHaveJoined: '@ana:local',
            ...(urgent ? { urgent: true } : {}),
          };
          const delivered = busy ? txns.map((txn) => deliver(outbox, [txn], more)) : [deliver(outbox, txns, more)];
          // As a node that reconciles while its callers are answered.
          if (busy) await outbox.confirm(() => true).then(() => flush(outbox));
          await Promise.all(delivered);
        } else await flush(outbox);
        if (next.death === undefined) continue;
        outbox = open();
        await outbox.confirm(() => true);
      }
      state.left = Number.POSITIVE_INFINITY;
      await flush(outbox);
      await flush(outbox);
      expect([outbox.pending(), doubled]).toEqual([[], []]);
      for (const where of [room, '!other:local']) {
        const lines = (await texts(where)).flatMap((text) => text.split('\n\n'));
        const owed = said.filter((one) => one.where === where);
        expect([...lines].sort()).toEqual(owed.map(({ txn }) => alone(txn)).sort());
        if (isBusy) continue;
        for (const isUrgent of [true, false]) {
          const inOrder = owed.filter(({ urgent }) => urgent === isUrgent).map(({ txn }) => alone(txn));
          expect(lines.filter((line) => inOrder.includes(line))).toEqual(inOrder);
        }
      }
      // Recorded by the delivery itself, or by the flush that found it said.
      if (!isBusy) expect(new Set(recorded.map(([txn]) => txn)).size).toBe(recorded.length);
    }),
    { numRuns: 60 },
  );
});
