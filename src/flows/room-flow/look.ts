import { z } from 'zod';
import { sessionOf } from '../../protocol/rooms.ts';
import { describeRoom as describing, joinedRooms } from '../errands.ts';
import { LEADERS } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { knownRooms, requireRoomId } from './rooms.ts';

/** protocol.md §10.21. Without a homeserver the files tell what a room is called. */
export const describeRoom = defineOperation({
  name: 'room.describe',
  kind: 'query',
  roles: LEADERS,
  summary: 'Tell name, topic and tags of a room.',
  input: z.object({
    roomId: z.string().optional().describe('room, such as !room:domain'),
    sessionId: z.string().optional().describe('or its conversation, matrix:!room:domain'),
  }),
  fresh: 'no',
  precheck({ input }) {
    requireRoomId(input);
  },
  *prepare({ view, facts, input }) {
    const roomId = requireRoomId(input);
    if (facts.chat.kind === 'remote') return yield* describing(roomId);
    const known = knownRooms(view).find((room) => room.roomId === roomId);
    return { name: known?.name ?? '', topic: known?.topic ?? '', tags: [] };
  },
  run({ input }, { name, topic, tags }) {
    const roomId = requireRoomId(input);
    const output = { roomId, sessionId: sessionOf(roomId), name, topic, tags: [...tags] };
    return { changes: [], events: [], announcements: [], output };
  },
});

interface ListedRoom {
  readonly roomId: string;
  readonly sessionId: string;
  readonly kind: string;
  readonly name?: string;
  readonly projectId?: string;
  readonly archived?: true;
  /** Whether this node's account is in the room; absent without a homeserver. */
  readonly joined?: boolean;
}

/** protocol.md §10.21: the rooms that the files name, then any other that this account has joined. */
export const listRooms = defineOperation({
  name: 'room.list',
  kind: 'query',
  roles: LEADERS,
  summary: "List the team's rooms (kind team is where to delegate), those of projects, and others joined.",
  input: z.object({}),
  fresh: 'best-effort',
  *prepare({ facts }) {
    return facts.chat.kind === 'remote' ? yield* joinedRooms() : undefined;
  },
  run({ view }, joined) {
    const known = knownRooms(view);
    const rooms: readonly ListedRoom[] = [
      ...known.map(({ roomId, kind, name, binding }) => ({
        roomId,
        sessionId: sessionOf(roomId),
        kind,
        name,
        ...(binding === undefined ? {} : { projectId: binding.project_id }),
        ...(binding?.status === 'archived' ? { archived: true as const } : {}),
        ...(joined === undefined ? {} : { joined: joined.includes(roomId) }),
      })),
      ...(joined ?? [])
        .filter((roomId) => known.every((room) => room.roomId !== roomId))
        .map((roomId) => ({ roomId, sessionId: sessionOf(roomId), kind: 'other', joined: true })),
    ];
    return { changes: [], events: [], announcements: [], output: { rooms, count: rooms.length } };
  },
});
