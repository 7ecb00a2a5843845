import { FlowError } from '../protocol/errors.ts';
import { normaliseRoom } from '../protocol/rooms.ts';
import type { Audience } from './types.ts';

/** What is asked of a homeserver, and of the clock; parts of the ports of those names. */
interface AttendanceDependencies {
  readonly chat: { readonly self: string; joined(room: string): Promise<readonly string[]> };
  readonly clock: { millis(): number; sleep(ms: number): Promise<void> };
}

/** Who has joined is believed for so long, milliseconds; who has not may join at any moment and is asked for again. */
const BELIEVED = 5 * 60_000;
/** Work does not wait longer than this for the homeserver's answer, milliseconds. */
const PATIENCE = 1_500;

/** Finds out who is missing from a room; `undefined` when it cannot be told now. */
export type Attendance = (audience: Audience) => Promise<Audience | undefined>;

export function createAttendance({ chat, clock }: AttendanceDependencies): Attendance {
  /** When each `room user` was last seen to have joined. */
  const seen = new Map<string, number>();

  async function joinedIn(room: string): Promise<readonly string[] | undefined> {
    try {
      return await Promise.race([chat.joined(room), clock.sleep(PATIENCE).then(() => undefined)]);
    } catch (thrown) {
      if (!(thrown instanceof FlowError)) throw thrown;
      // Only members of a room are told who its members are.
      return thrown.data['errcode'] === 'M_FORBIDDEN' ? [] : undefined;
    }
  }

  return async ({ room, members }) => {
    const wanted = [...new Set([chat.self, ...members])];
    const keyOf = (user: string): string => `${normaliseRoom(room) ?? room} ${user}`;
    const isKnown = (user: string): boolean => (seen.get(keyOf(user)) ?? -Infinity) > clock.millis() - BELIEVED;
    if (wanted.every(isKnown)) return { room, members: [] };
    const joined = await joinedIn(room);
    if (joined === undefined) return undefined;
    for (const user of joined) if (wanted.includes(user)) seen.set(keyOf(user), clock.millis());
    const missing = wanted.filter((user) => !joined.includes(user));
    // Nobody is seen from outside, so only one's own absence is certain there.
    return { room, members: missing.includes(chat.self) ? [chat.self] : missing };
  };
}
