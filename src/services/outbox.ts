import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EventBus } from '../events.ts';
import type { Announcement, Announcer, Chat, Clock, Delivery, Log } from '../ports.ts';
import { toFlowError } from '../protocol/errors.ts';
import { sameIdentity } from '../protocol/identity.ts';
import { sameRoom } from '../protocol/rooms.ts';
import { writeAtomically } from '../workspace/atomic.ts';

/**
 * What is owed to a room and not yet said.
 * `waiting`: its commit is not known to be published; nothing may be said yet.
 * `due`: published; said now, or later when the room could not be reached.
 */
interface Owed {
  readonly announcement: Announcement;
  readonly state: 'waiting' | 'due';
  /** The commit that must be published first, when it has been made. */
  readonly commit?: string;
  readonly since: string;
  /** Why it could not be said when it was last tried. */
  readonly error?: string;
}

/** Runs what a message calls for once it is in its room; `eventId` is the message's. */
type FollowUp = (next: NonNullable<Announcement['followUp']>, eventId: string) => Promise<void>;

export interface Outbox extends Announcer {
  /**
   * Decides what is waiting, by whether its change is published: then it becomes due. What an earlier process left
   * behind without a commit, and of which nothing is published, was never decided and is dropped.
   */
  confirm(isPublished: (owed: Owed) => boolean | Promise<boolean>): Promise<void>;
  /** Tries everything that is due once more, and has its follow-up run before it is forgotten. */
  flush(followUp?: FollowUp): Promise<readonly Delivery[]>;
  pending(): readonly Owed[];
  /** What is pending and no call of this process is about to deliver itself. */
  overdue(): readonly Owed[];
}

export interface OutboxDependencies {
  /** The workspace's `.baton`. */
  readonly dir: string;
  readonly chat: Chat;
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EventBus;
  /** Whether something newer says all that a message would have said; then it is dropped in place of being sent late. */
  readonly isOvertaken?: (announcement: Announcement) => boolean;
}

const FILE = 'outbox.json';

const STORED = z.object({
  schema: z.literal(1),
  owed: z.array(
    z.object({
      state: z.enum(['waiting', 'due']),
      commit: z.string().optional(),
      since: z.string(),
      error: z.string().optional(),
      announcement: z.looseObject({
        kind: z.string(),
        txn: z.string(),
        room: z.string(),
        text: z.string(),
        mentions: z.array(z.string()),
      }),
    }),
  ),
});

/**
 * Transactional outbox: what a change wants said is recorded before its commit and forgotten once the room has it, so
 * that a crash in between loses nothing. Said exactly once, because the transaction id stays the same and the chat
 * knows it again. Deleting the file loses only what state does not tell anyway.
 */
export function createOutbox({ dir, chat, clock, log, events, isOvertaken }: OutboxDependencies): Outbox {
  const file = join(dir, FILE);
  const owed = load(file, log);
  /** Entries of an earlier process, of which nobody here knows whether their commit was made. */
  const inherited = new Set(owed.keys());
  /** Sends under way, so that two callers of one transaction share one. */
  const underWay = new Map<string, Promise<Delivery>>();
  /** What only its addressee keeps from being said: others in the same room need not wait for it. */
  const awaited = new Set<string>();

  function save(): void {
    const stored = { schema: 1, owed: [...owed.values()] };
    writeAtomically(file, Buffer.from(`${JSON.stringify(stored, undefined, 2)}\n`), 0o600);
  }

  function keep(announcement: Announcement, changes: Pick<Owed, 'state'> & Partial<Owed>): void {
    const before = owed.get(announcement.txn);
    owed.set(announcement.txn, { since: before?.since ?? clock.now(), ...before, ...changes, announcement });
  }

  /** Same txn again while it is being sent: the same delivery. */
  function send(announcement: Announcement): Promise<Delivery> {
    const { txn } = announcement;
    const running = underWay.get(txn) ?? attempt(announcement).finally(() => underWay.delete(txn));
    underWay.set(txn, running);
    return running;
  }

  async function attempt(announcement: Announcement): Promise<Delivery> {
    const { txn, room, text, mentions, sender, mustHaveJoined } = announcement;
    try {
      // Nobody joins a room that is a log on this machine.
      if (mustHaveJoined !== undefined && chat.kind === 'remote') {
        const joined = await chat.joined(room);
        if (joined.some((member) => sameIdentity(member, mustHaveJoined))) awaited.delete(txn);
        else {
          awaited.add(txn);
          return failed(announcement, `worker ${mustHaveJoined} is not a joined member of room ${room}`, true);
        }
      }
      const { eventId, reused } = await chat.send({
        txn,
        room,
        text,
        mentions,
        ...(sender === undefined ? {} : { sender }),
      });
      if (!reused) events?.emit('message:sent', { txn, room, eventId });
      return { txn, sent: true, eventId, reused };
    } catch (thrown) {
      const error = toFlowError(thrown, 'sending the message');
      return failed(announcement, error.message, error.retryable || error.code === 'internal');
    }
  }

  function failed({ txn, room }: Announcement, error: string, retryable: boolean): Delivery {
    events?.emit('message:failed', { txn, room, error });
    return { txn, sent: false, error, retryable };
  }

  /**
   * What the same room is owed from before goes first, so that a room that could not be reached catches up in order.
   * Its follow-ups are run by `flush`. Tells why the room still cannot be reached, if so.
   */
  async function catchUp({ txn, room }: Announcement): Promise<string | undefined> {
    for (const { announcement, state } of owed.values()) {
      if (announcement.txn === txn) return undefined;
      if (state !== 'due' || !sameRoom(announcement.room, room) || dropOvertaken(announcement)) continue;
      const delivery = await send(announcement);
      if (!delivery.sent && delivery.retryable && !awaited.has(announcement.txn)) return delivery.error;
    }
    return undefined;
  }

  /** Drops what has been overtaken. What is on its way already is let through. */
  function dropOvertaken(announcement: Announcement): boolean {
    const { txn } = announcement;
    if (underWay.has(txn) || isOvertaken?.(announcement) !== true) return false;
    owed.delete(txn);
    save();
    log.info({ txn }, 'a message that was not delivered has been overtaken; it is dropped');
    return true;
  }

  /** Keeps what failed and may still succeed; forgets what was said or never can be. True when the record changed. */
  function settle(announcement: Announcement, delivery: Delivery): boolean {
    if (!delivery.sent && delivery.retryable) {
      const before = owed.get(announcement.txn);
      keep(announcement, { state: 'due', error: delivery.error });
      return before?.state !== 'due' || before.error !== delivery.error;
    }
    if (!delivery.sent)
      log.warn({ txn: delivery.txn, reason: delivery.error }, 'a message can never be sent; it is dropped');
    return owed.delete(announcement.txn);
  }

  return {
    owe(announcements, commit) {
      if (announcements.length === 0) return;
      for (const announcement of announcements) {
        inherited.delete(announcement.txn);
        const due = owed.get(announcement.txn)?.state === 'due';
        keep(announcement, { state: due ? 'due' : 'waiting', ...(commit === undefined ? {} : { commit }) });
      }
      save();
    },

    withdraw(announcements) {
      const waiting = announcements.filter(({ txn }) => owed.get(txn)?.state === 'waiting');
      for (const { txn } of waiting) owed.delete(txn);
      if (waiting.length > 0) save();
    },

    async deliver(announcements) {
      const deliveries: Delivery[] = [];
      let changed = false;
      try {
        for (const announcement of announcements) {
          const obstacle = await catchUp(announcement);
          const delivery = obstacle === undefined ? await send(announcement) : failed(announcement, obstacle, true);
          deliveries.push(delivery);
          changed = settle(announcement, delivery) || changed;
        }
      } finally {
        if (changed) save();
      }
      return deliveries;
    },

    async confirm(isPublished) {
      let changed = false;
      for (const entry of owed.values()) {
        const { txn } = entry.announcement;
        if (entry.state === 'due') continue;
        const published = await isPublished(entry);
        // Meanwhile it may have been said, withdrawn or owed anew.
        if (owed.get(txn) !== entry) continue;
        if (published) keep(entry.announcement, { state: 'due' });
        else if (entry.commit === undefined && inherited.has(txn)) owed.delete(txn);
        else continue;
        changed = true;
      }
      if (changed) save();
    },

    async flush(followUp) {
      const deliveries: Delivery[] = [];
      for (const { announcement, state } of owed.values()) {
        if (state !== 'due' || !owed.has(announcement.txn) || dropOvertaken(announcement)) continue;
        const delivery = await send(announcement);
        deliveries.push(delivery);
        const next = announcement.followUp;
        if (delivery.sent && next !== undefined) await followUp?.(next, delivery.eventId);
        if (settle(announcement, delivery)) save();
      }
      return deliveries;
    },

    pending: () => [...owed.values()],

    overdue: () =>
      [...owed.values()].filter(
        ({ announcement: { txn }, state, commit }) =>
          !underWay.has(txn) && (state === 'due' || commit !== undefined || inherited.has(txn)),
      ),
  };
}

function load(file: string, log: Log): Map<string, Owed> {
  if (!existsSync(file)) return new Map();
  try {
    const { owed } = STORED.parse(JSON.parse(readFileSync(file, 'utf8')));
    // Written by `save`, so what zod does not describe in detail is as it was given.
    return new Map((owed as unknown as readonly Owed[]).map((entry) => [entry.announcement.txn, entry]));
  } catch (error) {
    renameSync(file, `${file}.broken`);
    log.warn({ error, file: '.baton/outbox.json.broken' }, 'the outbox could not be read and was set aside');
    return new Map();
  }
}
