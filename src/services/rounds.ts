import { normaliseRoom } from '../protocol/rooms.ts';

/** Counts who has mentioned this node how often, and where, since something last changed. */
export interface MentionRounds {
  /** Counts one more mention; `first` of those beyond the limit is worth a line in the log. */
  count(room: string, sender: string, limit: number): 'within' | 'first' | 'beyond';
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
  return {
    count(room, sender, limit) {
      const key = `${normaliseRoom(room) ?? room}\n${sender.toLowerCase()}`;
      const mentions = (counts.get(key) ?? 0) + 1;
      counts.set(key, mentions);
      if (mentions <= limit) return 'within';
      return mentions === limit + 1 ? 'first' : 'beyond';
    },
    reset: () => counts.clear(),
  };
}
