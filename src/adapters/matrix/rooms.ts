import { Preset, Visibility } from 'matrix-js-sdk';
import type { MatrixClient } from 'matrix-js-sdk';
import type { Clock } from '../../ports.ts';
import type { RoomKeeper } from '../../ports-chat.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import type { NewRoom } from '../../protocol/rooms.ts';
import { hasNoProfile, isNotFound, patiently } from './errors.ts';

/** Says what a room was made for, so that it is found again when nobody could note its id. */
const PURPOSE = 'dev.batond.room';

/** How long a person who sets up a team is kept waiting by the homeserver's limits; milliseconds. */
const PATIENCE = 120_000;

/** Runs a request of the account; turns what is thrown into a sentence that begins with `what`. */
type Asking = <Value>(what: string, room: string | undefined, work: () => Promise<Value>) => Promise<Value>;

const SETTING_UP = 'the rooms cannot be set up';
const LOOKING = 'the room cannot be looked at';

export function keepRooms(client: MatrixClient, clock: Clock, asking: Asking): RoomKeeper {
  const patient = { clock, patience: PATIENCE };
  const joined = async (): Promise<readonly string[]> => (await client.getJoinedRooms()).joined_rooms;
  return {
    find: (purpose) =>
      asking(SETTING_UP, undefined, async () => {
        for (const room of await joined())
          if ((await purposeOf(client, room)) === purpose && (await isOwn(client, room))) return room;
        return undefined;
      }),
    create: (room) => asking(SETTING_UP, undefined, () => patiently(patient, () => create(client, room))),
    members: (room) =>
      asking(LOOKING, room, async () => {
        const { chunk = [] } = await client.members(idOf(room));
        return chunk.flatMap(({ state_key: userId, content: { membership } }) =>
          userId !== undefined && (membership === 'join' || membership === 'invite') ? [{ userId, membership }] : [],
        );
      }),
    invite: (room, user) =>
      asking(SETTING_UP, room, () => patiently(patient, () => client.invite(idOf(room), user)).then(nothing)),
    describe: (room) =>
      asking(LOOKING, room, async () => {
        const name = await stateText(client, idOf(room), 'm.room.name', 'name');
        const topic = await stateText(client, idOf(room), 'm.room.topic', 'topic');
        const { tags } = await client.getRoomTags(idOf(room));
        return { name, topic, tags: Object.keys(tags) };
      }),
    joined: () => asking('the rooms cannot be listed', undefined, joined),
    leave: (room) =>
      asking('the room cannot be left', room, async () => {
        if (!(await joined()).includes(idOf(room))) return false;
        await patiently(patient, () => client.leave(idOf(room)));
        return true;
      }),
    knows: (userId) =>
      asking(`whether there is an account ${userId} cannot be told`, undefined, async () => {
        try {
          await client.getProfileInfo(userId);
          return true;
        } catch (thrown) {
          if (hasNoProfile(thrown)) return false;
          throw thrown;
        }
      }),
  };
}

const nothing = (): void => undefined;

/** A text in the state of a room; empty where the room does not say. */
async function stateText(client: MatrixClient, room: string, type: string, key: string): Promise<string> {
  try {
    const value: unknown = (await client.getStateEvent(room, type, ''))[key];
    return typeof value === 'string' ? value : '';
  } catch (thrown) {
    if (isNotFound(thrown)) return '';
    throw thrown;
  }
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

/** Whether this account made a room and set its mark: anybody may make a room, mark it and ask this account in. */
async function isOwn(client: MatrixClient, room: string): Promise<boolean> {
  const self = client.getUserId();
  const state = await client.roomState(room);
  return ['m.room.create', PURPOSE].every((wanted) =>
    state.some(({ type, state_key: key, sender }) => type === wanted && key === '' && sender === self),
  );
}

/** Private and without encryption: Baton writes plain text. */
async function create(client: MatrixClient, room: NewRoom): Promise<string> {
  const { purpose, name, topic, invite, direct = false, trusted = false, state = {} } = room;
  const { room_id: id } = await client.createRoom({
    name,
    topic,
    invite: [...invite],
    is_direct: direct,
    // Gives everybody who is asked in with it the maker's power, whatever the room version calls that.
    preset: trusted ? Preset.TrustedPrivateChat : Preset.PrivateChat,
    visibility: Visibility.Private,
    initial_state: [
      { type: PURPOSE, state_key: '', content: { purpose } },
      ...Object.entries(state).map(([type, content]) => ({ type, state_key: '', content })),
    ],
  });
  return id;
}
