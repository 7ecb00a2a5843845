import { sameIdentity } from '../protocol/identity.ts';
import type { NewRoom, RoomDescription, RoomMember } from '../protocol/rooms.ts';

/** One thing to do or to look up on the homeserver, as a value; `execute` carries it out (flows/errand-runner). */
export type Errand =
  | { readonly kind: 'find'; readonly purpose: string }
  | { readonly kind: 'create'; readonly room: NewRoom }
  | { readonly kind: 'members'; readonly room: string }
  | { readonly kind: 'invite'; readonly room: string; readonly userId: string }
  | { readonly kind: 'describe'; readonly room: string }
  | { readonly kind: 'joined' }
  | { readonly kind: 'leave'; readonly room: string }
  | { readonly kind: 'knows'; readonly userId: string };

/**
 * What an operation has done outside the files before it decides: it yields errands and is given their answers. Each
 * must do no harm when it is repeated, because a crash may come between it and the commit that tells of it.
 */
export type Errands<Outcome> = Generator<Errand, Outcome, unknown>;

/* The answer of each kind of errand has one type, which a generator cannot say of its `yield`. */

function* findRoom(purpose: string): Errands<string | undefined> {
  return (yield { kind: 'find', purpose }) as string | undefined;
}

function* createRoom(room: NewRoom): Errands<string> {
  return (yield { kind: 'create', room }) as string;
}

export function* membersOf(room: string): Errands<readonly RoomMember[]> {
  return (yield { kind: 'members', room }) as readonly RoomMember[];
}

export function* describeRoom(room: string): Errands<RoomDescription> {
  return (yield { kind: 'describe', room }) as RoomDescription;
}

export function* joinedRooms(): Errands<readonly string[]> {
  return (yield { kind: 'joined' }) as readonly string[];
}

/** False when the account was not in the room any more. */
export function* leaveRoom(room: string): Errands<boolean> {
  return (yield { kind: 'leave', room }) as boolean;
}

export function* isKnown(userId: string): Errands<boolean> {
  return (yield { kind: 'knows', userId }) as boolean;
}

export interface EnsuredRoom {
  readonly roomId: string;
  readonly created: boolean;
  /** Full ids that were asked in now. */
  readonly invited: readonly string[];
}

/**
 * The room of a purpose, with everybody in it or asked in: the one that is `known`, else one that was made before and
 * could not be noted, else a new one.
 */
export function* ensureRoom(
  room: NewRoom,
  { known, members }: { readonly known: string | undefined; readonly members: readonly string[] },
): Errands<EnsuredRoom> {
  const found = known ?? (yield* findRoom(room.purpose));
  const roomId = found ?? (yield* createRoom(room));
  const created = found === undefined;
  const present = created ? room.invite : (yield* membersOf(roomId)).map(({ userId }) => userId);
  const missing = members.filter((user) => !present.some((other) => sameIdentity(other, user)));
  for (const userId of missing) yield { kind: 'invite', room: roomId, userId };
  return { roomId, created, invited: created ? [...room.invite, ...missing] : missing };
}

/** Full ids without repetition, and without oneself. */
export function othersThan(self: string, users: readonly string[]): readonly string[] {
  return users.filter(
    (user, index) => !sameIdentity(user, self) && users.findIndex((other) => sameIdentity(other, user)) === index,
  );
}
