import { normaliseRoom } from '../protocol/rooms.ts';

/** Counts who has mentioned this node how often, and where, since something last changed. */
export interface MentionRounds {
  /** Counts one more mention; whether it is within the limit. */
  count(room: string, sender: string, limit: number): boolean;
  /** A mention woke nobody; whether it is the first since something changed, which is worth a line in the log. */
  isFirstIgnored(room: string, sender: string): boolean;
  /** Something has changed: whoever talks now has something to talk about. */
  reset(): void;
}

/**
 * The inbound half of the ping-pong guard (protocol.md §13.5). Two agents that answer each other and change nothing
 * would wake each other for ever; each node counts what it hears of the other. In memory only: a restart begins anew,
 * which lets a loop make `limit` more rounds and loses nothing.
 */
export function createMentionRounds(): MentionRounds {
  const counts = new Map<string, number>();
  const ignored = new Set<string>();
  return {
    count(room, sender, limit) {
      const key = keyOf(room, sender);
      const mentions = (counts.get(key) ?? 0) + 1;
      counts.set(key, mentions);
      return mentions <= limit;
    },
    isFirstIgnored(room, sender) {
      const key = keyOf(room, sender);
      const isFirst = !ignored.has(key);
      ignored.add(key);
      return isFirst;
    },
    reset() {
      counts.clear();
      ignored.clear();
    },
  };
}

function keyOf(room: string, sender: string): string {
  return `${normaliseRoom(room) ?? room}\n${sender.toLowerCase()}`;
}
