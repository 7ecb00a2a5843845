import { Preset, Visibility } from 'matrix-js-sdk';
import type { MatrixClient } from 'matrix-js-sdk';
import type { Clock, NewRoom, RoomKeeper } from '../../ports.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import { rateLimitMs } from './errors.ts';

/** Says what a room was made for, so that it is found again when nobody could note its id. */
const PURPOSE = 'dev.batond.room';

/** How long a person who sets up a team is kept waiting by the homeserver's limits; milliseconds. */
const PATIENCE = 120_000;

/** Runs a request of the account; turns what is thrown into a sentence. */
type Asking = <Value>(room: string | undefined, work: () => Promise<Value>) => Promise<Value>;

export function keepRooms(client: MatrixClient, clock: Clock, asking: Asking): RoomKeeper {
  async function patiently<Value>(work: () => Promise<Value>): Promise<Value> {
    const deadline = clock.millis() + PATIENCE;
    for (;;) {
      try {
        return await work();
      } catch (thrown) {
        const wait = rateLimitMs(thrown);
        if (wait === undefined || clock.millis() + wait > deadline) throw thrown;
        await clock.sleep(wait);
      }
    }
  }
  return {
    find: (purpose) =>
      asking(undefined, async () => {
        const { joined_rooms: rooms } = await client.getJoinedRooms();
        for (const room of rooms) if ((await purposeOf(client, room)) === purpose) return room;
        return undefined;
      }),
    create: (room) => asking(undefined, () => patiently(() => create(client, room))),
    members: (room) =>
      asking(room, async () => {
        const { chunk = [] } = await client.members(idOf(room));
        return chunk
          .filter(({ content: { membership } }) => membership === 'join' || membership === 'invite')
          .flatMap(({ state_key: user }) => user ?? []);
      }),
    invite: (room, user) => asking(room, () => patiently(() => client.invite(idOf(room), user)).then(() => undefined)),
  };
}

/** A room that was named in files may be spelled in any way (protocol.md §1.4). */
function idOf(room: string): string {
  return normaliseRoom(room) ?? room;
}

async function purposeOf(client: MatrixClient, room: string): Promise<unknown> {
  try {
    const state = await client.getStateEvent(room, PURPOSE, '');
    return state['purpose'];
  } catch {
    // A room of other people carries no such mark.
    return undefined;
  }
}

/** Private and without encryption: Baton writes plain text. */
async function create(client: MatrixClient, { purpose, name, topic, invite, direct }: NewRoom): Promise<string> {
  const { room_id: room } = await client.createRoom({
    name,
    topic,
    invite: [...invite],
    is_direct: direct,
    preset: Preset.PrivateChat,
    visibility: Visibility.Private,
    initial_state: [{ type: PURPOSE, state_key: '', content: { purpose } }],
  });
  return room;
}
