import { Method } from 'matrix-js-sdk';
import type { MatrixClient } from 'matrix-js-sdk';
import type { Clock } from '../../ports.ts';
import type { ChatReport, RoomReport } from '../../protocol/chat-report.ts';
import type { FlowError } from '../../protocol/errors.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import type { Access } from './access.ts';
import { roomsOutside } from './listen.ts';

interface ExamineOptions {
  readonly client: MatrixClient;
  readonly access: Access;
  readonly homeserver: string;
  readonly clock: Clock;
  /** The homeserver's time when it answered last, and ours at that moment; milliseconds since the epoch. */
  readonly lastTime: () => { readonly there: number; readonly here: number } | undefined;
  readonly listening: ChatReport['listening'];
  readonly explain: (thrown: unknown) => FlowError;
}

/** Looks at everything that a message needs on its way, and names the first thing without which no more can be seen. */
export async function examine(options: ExamineOptions, rooms: readonly string[]): Promise<ChatReport> {
  const { client, access, homeserver, lastTime, listening, explain } = options;
  const report = (changes: Partial<ChatReport>): ChatReport => {
    const time = lastTime();
    // The homeserver tells whole seconds, cut off.
    const clockAhead = time === undefined ? {} : { clockAhead: Math.round((time.here - time.there - 500) / 1_000) };
    return { homeserver, ...clockAhead, rooms: [], listening, ...changes };
  };
  const failing = (concerns: 'homeserver' | 'account', thrown: unknown): ChatReport => {
    const { message, remedy } = explain(thrown);
    return report({ problem: { concerns, message, ...(remedy === undefined ? {} : { remedy }) } });
  };
  try {
    await client.http.request(Method.Get, '/_matrix/client/versions', undefined, undefined, {
      prefix: '',
      priority: 'auto',
    });
  } catch (thrown) {
    return failing('homeserver', thrown);
  }
  try {
    const { joined_rooms: joined } = await access.as(() => client.getJoinedRooms());
    const outside = await access.as(() => roomsOutside(client, options.clock.id()));
    const found: RoomReport[] = [];
    for (const room of rooms) found.push(await access.as(() => examineRoom(client, room, { joined, outside })));
    return report({ rooms: found });
  } catch (thrown) {
    return failing('account', thrown);
  }
}

interface Rooms {
  readonly joined: readonly string[];
  readonly outside: Awaited<ReturnType<typeof roomsOutside>>;
}

async function examineRoom(
  client: MatrixClient,
  room: string,
  { joined, outside: { rooms } }: Rooms,
): Promise<RoomReport> {
  const id = normaliseRoom(room) ?? room;
  const nobody = { room, encrypted: false, joined: [], invited: [] };
  if (!joined.includes(id)) {
    // Whatever the types say, a homeserver leaves out what is empty.
    const { invite, leave }: Partial<Exclude<typeof rooms, undefined>> = rooms ?? {};
    const state = invite?.[id] !== undefined ? 'invited' : leave?.[id] !== undefined ? 'left' : 'unknown';
    return { ...nobody, state };
  }
  const [{ chunk = [] }, encrypted] = await Promise.all([client.members(id), isEncrypted(client, id)]);
  const those = (membership: string): readonly string[] =>
    chunk.filter(({ content }) => content.membership === membership).flatMap(({ state_key: user }) => user ?? []);
  return { room, state: 'joined', encrypted, joined: those('join'), invited: those('invite') };
}

/** Whether only members with keys can read what is said in a room. */
export async function isEncrypted(client: MatrixClient, room: string): Promise<boolean> {
  try {
    await client.getStateEvent(room, 'm.room.encryption', '');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === 'M_NOT_FOUND') return false;
    throw error;
  }
}
