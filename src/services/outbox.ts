import { join } from 'node:path';
import type { EventBus } from '../events.ts';
import type { Clock, Log } from '../ports.ts';
import type { Announcement, Announcer, Chat, Delivery } from '../ports-chat.ts';
import type { Secrets } from '../protocol/secrets/known.ts';
import { sameRoom } from '../protocol/rooms.ts';
import { gathered, nextOf } from './digest.ts';
import { keepSaved, loadOwed } from './outbox-file.ts';
import type { Owed } from './outbox-file.ts';
import { inTime } from './patience.ts';
import { createSpeaker, failed } from './speaker.ts';
import type { Outcome } from './speaker.ts';

/** Runs what a message calls for once it is in its room; `eventId` is the message's. */
type FollowUp = (next: NonNullable<Announcement['followUp']>, eventId: string) => Promise<void>;

export interface Outbox extends Announcer {
  /**
   * Decides what is waiting, by whether its change is published: then it becomes due. What is undecided, and of which
   * nothing is published, was never committed and is dropped; it stays while `isPublished` cannot tell (`undefined`).
   */
  confirm(isPublished: (owed: Owed) => boolean | undefined | Promise<boolean | undefined>): Promise<void>;
  /** Tries everything that is due once more, and has its follow-up run before it is forgotten. */
  flush(followUp?: FollowUp): Promise<readonly Delivery[]>;
  pending(): readonly Owed[];
  /** What is pending and no call of this process is about to deliver itself. */
  overdue(): readonly Owed[];
  /** Whether it can be decided only by what the remote holds. */
  isUndecided(owed: Owed): boolean;
  /** Writes what was to be written later, before somebody else may have the file; what is said after that is said again. */
  close(): void;
}

export interface OutboxDependencies {
  /** The workspace's `.baton`. */
  readonly dir: string;
  readonly chat: Chat;
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EventBus;
  /** Taken out of what a homeserver says of a failure, which is kept and told; absent: nothing is. */
  readonly secrets?: Secrets;
  /** Whether something newer says all that a message would have said; then it is dropped in place of being sent late. */
  readonly isOvertaken?: (announcement: Announcement) => boolean;
  /** Called when a call does not wait any longer for what it wanted said: that is left to `flush`. */
  readonly onLeft?: () => void;
}

interface Turn {
  readonly entries: readonly Owed[];
  readonly outcome: Outcome;
}

const leftBehind = (): Outcome => failed('the homeserver takes its time', { queued: true });

/**
 * Transactional outbox: what a change wants said is recorded before its commit and forgotten once the room has it, so
 * that a crash in between loses nothing. Said exactly once, because the transaction id stays the same and the chat
 * knows it again. Deleting the file loses only what state does not tell anyway.
 *
 * Messages leave as they were owed, until one is refused for the number of messages. From then on, and until all that
 * was held back is said, they take turns: urgent ones first, routine ones of a room gathered (decisions/0009).
 */
export function createOutbox({
  dir,
  chat,
  clock,
  log,
  events,
  secrets,
  isOvertaken,
  onLeft,
}: OutboxDependencies): Outbox {
  const file = join(dir, 'outbox.json');
  const owed = loadOwed(file, log);
  /** Entries of which nobody here knows whether their commit was published: those of an earlier process, and doubtful ones. */
  const undecided = new Set(owed.keys());
  /** What was in a digest that was refused for good. */
  const apart = new Set<string>();

  const speaker = createSpeaker({ chat, clock, events, secrets });
  const { limit } = chat;

  const { save, saveSoon, saveLater, note, record, close } = keepSaved(file, owed, {
    log,
    persist: () => chat.persist?.(),
  });

  function keep(announcement: Announcement, changes: Pick<Owed, 'state'> & Partial<Owed>): void {
    const before = owed.get(announcement.txn);
    owed.set(announcement.txn, { since: before?.since ?? clock.now(), ...before, ...changes, announcement });
  }

  /** From the first message that was refused for the number of them until the last one that waited is said. */
  const isLimited = (): boolean =>
    limit !== undefined && [...owed.values()].some(({ state, heldBack }) => state === 'due' && heldBack === true);

  /** An entry with the rest of its digest, in order, if it is in one. */
  function withDigest(entry: Owed): readonly Owed[] {
    const { digest } = entry;
    return digest === undefined ? [entry] : [...owed.values()].filter((other) => other.digest === digest);
  }

  /** Drops what has been overtaken. What is on its way already, or in a digest, is let through. */
  function dropOvertaken({ announcement, digest }: Owed): boolean {
    const { txn } = announcement;
    if (digest !== undefined || speaker.isSaying(txn) || isOvertaken?.(announcement) !== true) return false;
    owed.delete(txn);
    save();
    log.info({ txn }, 'a message that was not delivered has been overtaken; it is dropped');
    return true;
  }

  async function say(entry: Owed): Promise<Outcome> {
    const entries = withDigest(entry);
    const [first = entry, ...others] = entries;
    const outcome = await speaker.say(first, ...others);
    if (entry.digest === undefined || outcome.sent) return outcome;
    if (outcome.retryable && !speaker.mayBePassed(entry.digest)) return outcome;
    // One of them may be to blame that the homeserver does not take it: from now on each is tried by itself.
    for (const { announcement, digest: _digest, ...kept } of entries) {
      apart.add(announcement.txn);
      if (owed.has(announcement.txn)) owed.set(announcement.txn, { ...kept, announcement });
    }
    save();
    return failed(outcome.error);
  }

  /** Everything that is due and not tried yet, message by message, as far as the rooms take it. */
  async function* turns(): AsyncGenerator<Turn> {
    const tried = new Set<string>();
    const obstructed: string[] = [];
    const isOpen = ({ state, announcement: { txn, room } }: Owed): boolean =>
      state === 'due' && !tried.has(txn) && !obstructed.some((other) => sameRoom(other, room));
    const open = (): readonly Owed[] => [...owed.values()].filter(isOpen);
    for (;;) {
      if (isLimited() && limit?.holds() !== undefined) return;
      const next = nextOf(open(), isLimited());
      if (next === undefined) return;
      if (dropOvertaken(next)) continue;
      const { txn, room } = next.announcement;
      if (next.digest === undefined && isLimited()) await gather(next, open);
      const entry = owed.get(txn);
      if (entry === undefined) continue;
      const entries = withDigest(entry);
      const outcome = await say(entry);
      for (const { announcement } of entries) tried.add(announcement.txn);
      if (!outcome.sent && outcome.retryable && !speaker.mayBePassed(txn)) obstructed.push(room);
      yield { entries, outcome };
    }
  }

  /** Makes a digest that begins with `head`, where there is enough for one. */
  async function gather(head: Owed, open: () => readonly Owed[]): Promise<void> {
    if (limit === undefined || speaker.isAwaited(head.announcement.txn)) return;
    const choose = (): readonly Owed[] =>
      gathered(
        head,
        open().filter(({ announcement: { txn } }) => !speaker.isAwaited(txn)),
        {
          limit,
          now: clock.millis(),
          mayJoin: ({ digest, announcement: { txn } }) =>
            digest === undefined &&
            !speaker.isSaying(txn) &&
            !apart.has(txn) &&
            // What may be in the room already is looked for there, under its own name.
            !limit.knows(txn),
        },
      );
    if (choose().length === 1) return;
    try {
      await speaker.lookWhoJoined(choose());
    } catch {
      // It is asked again for the one message that is tried then, and told.
      return;
    }
    const chosen = owed.get(head.announcement.txn) === head ? choose() : [];
    if (chosen.length < 2 || chosen[0] !== head) return;
    const digest = `digest-${clock.hex(6)}`;
    for (const { announcement, ...entry } of chosen) owed.set(announcement.txn, { ...entry, announcement, digest });
    // On disk before it is tried, so that the next process says the same ones by it.
    save();
  }

  /**
   * What the same room is owed from before goes first, so that a room that could not be reached catches up in order.
   * Its follow-ups are run by `flush`. Tells why the room still cannot be reached, if so.
   */
  async function catchUp({ txn, room }: Announcement): Promise<Outcome | undefined> {
    for (const entry of owed.values()) {
      const earlier = entry.announcement;
      if (earlier.txn === txn) return undefined;
      if (entry.state !== 'due' || !sameRoom(earlier.room, room) || dropOvertaken(entry)) continue;
      const outcome = await say(entry);
      if (!outcome.sent && outcome.retryable && !speaker.mayBePassed(earlier.txn)) return outcome;
    }
    return undefined;
  }

  /** Nothing more is begun once `signal` tells that nobody waits for it. */
  async function outcomeOf(announcement: Announcement, signal: AbortSignal): Promise<Outcome> {
    const { txn, room } = announcement;
    // Looked up when it is said: meanwhile it may have come into a digest.
    const entry = (): Owed => ({ state: 'due', since: clock.now(), ...owed.get(txn), announcement });
    if (!isLimited()) {
      const obstacle = await catchUp(announcement);
      return obstacle ?? (signal.aborted ? leftBehind() : say(entry()));
    }
    // What was begun before is said already, or takes nobody's turn.
    if (limit?.knows(txn) === true) return say(entry());
    keep(announcement, { state: 'due', heldBack: true });
    let obstacle: Outcome | undefined;
    for await (const { entries, outcome } of turns()) {
      if (entries.some((said) => said.announcement.txn === txn)) return outcome;
      if (signal.aborted) return leftBehind();
      if (!outcome.sent && sameRoom(entries[0]?.announcement.room, room)) obstacle = outcome;
    }
    return obstacle ?? failed(limit?.holds()?.message ?? 'earlier messages go first', { queued: true });
  }

  /** Keeps what failed and may still succeed; forgets what was said or never can be. True when the record changed. */
  function settle(announcement: Announcement, outcome: Outcome): boolean {
    const { txn } = announcement;
    if (outcome.sent) return owed.delete(txn);
    const { error, retryable, queued } = outcome;
    if (!retryable) {
      log.warn({ txn, reason: error }, 'a message can never be sent; it is dropped');
      return owed.delete(txn);
    }
    const before = owed.get(txn);
    const { heldBack: _heldBack, ...entry } = before ?? { since: clock.now() };
    owed.set(txn, { ...entry, state: 'due', error, announcement, ...(queued === true ? { heldBack: true } : {}) });
    return before?.state !== 'due' || before.error !== error || before.heldBack !== queued;
  }

  const isUndecided = ({ announcement: { txn }, state, commit }: Owed): boolean =>
    state === 'waiting' && commit === undefined && undecided.has(txn);

  return {
    owe(announcements, commit) {
      for (const announcement of announcements) {
        undecided.delete(announcement.txn);
        const due = owed.get(announcement.txn)?.state === 'due';
        keep(announcement, { state: due ? 'due' : 'waiting', ...(commit === undefined ? {} : { commit }) });
      }
      if (announcements.length === 0) return;
      // Before there is a commit, `record` comes: a thousand steps that are decided together are written once.
      if (commit === undefined) note();
      else void saveSoon();
    },

    record,

    withdraw(announcements) {
      const waiting = announcements.filter(({ txn }) => owed.get(txn)?.state === 'waiting');
      for (const { txn } of waiting) owed.delete(txn);
      if (waiting.length > 0) void saveSoon();
    },

    doubt(announcements) {
      for (const { txn } of announcements) if (owed.get(txn)?.state === 'waiting') undecided.add(txn);
    },

    async deliver(announcements) {
      const deliveries: Delivery[] = [];
      /** Something is still owed, in another way than before. */
      let changed = false;
      try {
        const isOver = await inTime(clock, async (signal) => {
          for (const announcement of announcements) {
            const outcome = await outcomeOf(announcement, signal);
            if (signal.aborted) return;
            deliveries.push({ txn: announcement.txn, ...outcome });
            const settled = settle(announcement, outcome);
            // Whoever finds it owed says it again under the same transaction, by which the room knows it.
            if (outcome.sent && (settled || !outcome.reused)) saveLater();
            else changed ||= settled;
          }
        });
        if (isOver) return deliveries;
        // What is on its way goes on; `flush` takes it up under the same transaction and runs its follow-up.
        const left = announcements.slice(deliveries.length);
        for (const announcement of left) keep(announcement, { state: 'due' });
        changed = true;
        onLeft?.();
        return [...deliveries, ...left.map(({ txn }) => ({ txn, ...leftBehind() }))];
      } finally {
        if (changed) await saveSoon();
      }
    },

    async confirm(isPublished) {
      let changed = false;
      for (const entry of owed.values()) {
        const { txn } = entry.announcement;
        if (entry.state === 'due') continue;
        const published = await isPublished(entry);
        // Meanwhile it may have been said, withdrawn or owed anew.
        if (published === undefined || owed.get(txn) !== entry) continue;
        if (published) keep(entry.announcement, { state: 'due' });
        else if (isUndecided(entry)) owed.delete(txn);
        else continue;
        changed = true;
      }
      if (changed) save();
    },

    async flush(followUp) {
      const deliveries: Delivery[] = [];
      const failures: unknown[] = [];
      for await (const { entries, outcome } of turns()) {
        // Those of a digest are recorded together, so that they share a commit.
        const recorded = await Promise.allSettled(
          entries.map(async ({ announcement: { followUp: next } }) => {
            if (outcome.sent && next !== undefined) await followUp?.(next, outcome.eventId);
          }),
        );
        let changed = false;
        for (const [index, { announcement }] of entries.entries()) {
          const result = recorded[index];
          deliveries.push({ txn: announcement.txn, ...outcome });
          if (result?.status === 'rejected') failures.push(result.reason);
          else changed = settle(announcement, outcome) || changed;
        }
        if (changed) save();
      }
      if (failures.length > 0) throw failures[0];
      return deliveries;
    },

    close,

    pending: () => [...owed.values()],

    isUndecided,

    overdue: () =>
      [...owed.values()].filter(
        ({ announcement: { txn }, state, commit }) =>
          !speaker.isSaying(txn) && (state === 'due' || commit !== undefined || undecided.has(txn)),
      ),
  };
}
