import type { RoomKeeper } from '../../src/ports-chat.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import type { NewRoom } from '../../src/protocol/rooms.ts';

/** The rooms of a homeserver as a flow sees them, on paper: what is asked of a real one is tested in test/scenario. */
export interface RoomBook extends RoomKeeper {
  readonly made: (NewRoom & { readonly roomId: string })[];
  /** Full id to membership, by room. */
  readonly present: Map<string, Map<string, 'join' | 'invite'>>;
  readonly accounts: Set<string>;
  /** What the homeserver says instead of answering. */
  away: string | undefined;
}

export function createRoomBook(self: string): RoomBook {
  const members = (room: string): Map<string, 'join' | 'invite'> => {
    const found = book.present.get(room);
    if (found === undefined) throw new FlowError('notify-failed', `${self} may not do that in room ${room}`);
    return found;
  };
  const answer = <Value>(work: () => Value): Promise<Value> => {
    if (book.away !== undefined) return Promise.reject(new FlowError('notify-failed', book.away));
    return new Promise((resolve) => resolve(work()));
  };
  const book: RoomBook = {
    made: [],
    present: new Map(),
    accounts: new Set(),
    away: undefined,
    find: (purpose) =>
      answer(() => book.made.find((room) => room.purpose === purpose && book.present.has(room.roomId))?.roomId),
    create: (room) =>
      answer(() => {
        const roomId = `!r${book.made.length + 1}:hs.local`;
        book.made.push({ ...room, roomId });
        book.present.set(roomId, new Map([[self, 'join'], ...room.invite.map((user) => [user, 'invite'] as const)]));
        return roomId;
      }),
    members: (room) => answer(() => [...members(room)].map(([userId, membership]) => ({ userId, membership }))),
    invite: (room, user) => answer(() => void members(room).set(user, 'invite')),
    describe: (room) =>
      answer(() => {
        const { name = '', topic = '' } = book.made.find(({ roomId }) => roomId === room) ?? {};
        return { name, topic, tags: [] };
      }),
    joined: () => answer(() => [...book.present.keys()]),
    leave: (room) => answer(() => book.present.delete(room)),
    knows: (user) => answer(() => book.accounts.has(user)),
  };
  return book;
}
