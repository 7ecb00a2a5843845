import type { ChatLimit, OutgoingMessage } from '../ports-chat.ts';
import { withDelay } from '../protocol/delay.ts';
import { mentioning } from '../protocol/html.ts';
import { sameRoom } from '../protocol/rooms.ts';
import { parseTime } from '../protocol/timestamps.ts';
import type { Owed } from './outbox-file.ts';

/** Fewer are said one by one: they wait no longer than a digest would make the ones behind them wait. */
const GATHERED_FROM = 3;
/** The age with which is measured whether a digest fits, so that it still does when it is tried again later. */
const LONG = 365 * 86_400_000;

/** Whose turn is next: as owed, and while messages are held back for their number whoever waits for an answer. */
export function nextOf(due: readonly Owed[], isLimited: boolean): Owed | undefined {
  return (isLimited ? due.find(isUrgent) : undefined) ?? due[0];
}

/**
 * What is said together with `head`, the first that its room is owed: as many routine messages of the room as fit into
 * one; only `head` where that makes no digest. A report is a document and is said by itself, and so is what `mayJoin`
 * keeps out; nobody overtakes either.
 */
export function gathered(
  head: Owed,
  due: readonly Owed[],
  {
    limit,
    now,
    mayJoin,
  }: { readonly limit: ChatLimit; readonly now: number; readonly mayJoin: (entry: Owed) => boolean },
): readonly Owed[] {
  if (isUrgent(head)) return [head];
  const queue = due.filter((entry) => !isUrgent(entry) && sameRoom(entry.announcement.room, head.announcement.room));
  const end = queue.findIndex((entry) => !mayJoin(entry) || !isBrief(entry) || !sameSpeaker(entry, head));
  const joining = end < 0 ? queue : queue.slice(0, end);
  if (joining.length < GATHERED_FROM) return [head];
  // The largest number that fits; one always does, shortened as it would be alone.
  let [most, tooMany] = [1, joining.length + 1];
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (limit.fits(digestMessage('digest-', joining.slice(0, middle), now + LONG))) most = middle;
    else tooMany = middle;
  }
  return joining.slice(0, most);
}

const isUrgent = ({ announcement }: Owed): boolean => announcement.urgent === true;
const isBrief = ({ announcement: { kind } }: Owed): boolean => kind !== 'report';
const sameSpeaker = (a: Owed, b: Owed): boolean => a.announcement.sender === b.announcement.sender;

/** A message as it is said by itself; `now` in milliseconds since the epoch. */
export function singleMessage({ announcement, since }: Owed, now: number): OutgoingMessage {
  const { kind, txn, room, text, mentions, sender } = announcement;
  const age = now - (parseTime(since) ?? now);
  return {
    txn,
    room,
    text: withDelay(text, age, { own: kind === 'message' }),
    mentions,
    ...(sender === undefined ? {} : { sender }),
  };
}

/** Several messages of one room and speaker as one, each as it would be alone; `now` as above. */
export function digestMessage(txn: string, entries: readonly Owed[], now: number): OutgoingMessage {
  const messages = entries.map((entry) => singleMessage(entry, now));
  const parts = messages.map(({ txn: part, text, mentions }) => ({
    txn: part,
    text: mentioning(text.trim(), mentions),
    mentions,
  }));
  return {
    room: '',
    ...messages[0],
    txn,
    text: parts.map(({ text }) => text).join('\n\n'),
    mentions: [...new Set(parts.flatMap(({ mentions }) => mentions))],
    parts,
  };
}
