import { Preset, Visibility } from 'matrix-js-sdk';
import type { MatrixClient } from 'matrix-js-sdk';
import type { Clock, NewRoom, RoomKeeper } from '../../ports.ts';
import { patiently } from './errors.ts';

/** Says what a room was made for, so that it is found again when nobody could note its id. */
const PURPOSE = 'dev.batond.room';

/** How long a person who sets up a team is kept waiting by the homeserver's limits; milliseconds. */
const PATIENCE = 120_000;

/** Runs a request of the account; turns what is thrown into a sentence. */
type Asking = <Value>(room: string | undefined, work: () => Promise<Value>) => Promise<Value>;

export function keepRooms(client: MatrixClient, clock: Clock, asking: Asking): RoomKeeper {
  const patient = { clock, patience: PATIENCE };
  return {
    find: (purpose) =>
      asking(undefined, async () => {
        const { joined_rooms: rooms } = await client.getJoinedRooms();
        for (const room of rooms) if ((await purposeOf(client, room)) === purpose) return room;
        return undefined;
      }),
    create: (room) => asking(undefined, () => patiently(patient, () => create(client, room))),
    members: (room) =>
      asking(room, async () => {
        const { chunk = [] } = await client.members(room);
        return chunk
          .filter(({ content: { membership } }) => membership === 'join' || membership === 'invite')
          .flatMap(({ state_key: user }) => user ?? []);
      }),
    invite: (room, user) =>
      asking(room, () => patiently(patient, () => client.invite(room, user)).then(() => undefined)),
  };
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
