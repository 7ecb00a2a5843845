import { isUserId } from './identity.ts';

/** `!opaque:server`; from room version 12 on a room is named by the hash of its first event alone. */
const ROOM = /^(?:matrix:)?(?:room:)?(![^:\s\p{Cc}]+:[A-Za-z0-9.-]+(?::\d+)?|![A-Za-z0-9_-]{43})$/u;

const USER = /^(?:matrix:)?(?:user:)?(@.+)$/;

export type Target =
  | { readonly kind: 'room'; readonly roomId: string }
  | { readonly kind: 'user'; readonly userId: string };

/**
 * The plain id of a room in any accepted spelling (protocol.md §1.4); `undefined` when it is no room. For comparing and for
 * talking to a homeserver: records keep the room as the caller wrote it.
 */
export function normaliseRoom(text: string): string | undefined {
  return ROOM.exec(text.trim())?.[1];
}

/** Whether two spellings name the same room. */
export function sameRoom(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return (normaliseRoom(a) ?? a.trim()) === (normaliseRoom(b) ?? b.trim());
}

/** Where a message is meant to go; a user target is understood so that it can be refused by name. */
export function parseTarget(text: string): Target | undefined {
  const roomId = normaliseRoom(text);
  if (roomId !== undefined) return { kind: 'room', roomId };
  const userId = USER.exec(text.trim())?.[1];
  return userId !== undefined && isUserId(userId) ? { kind: 'user', userId } : undefined;
}

/** A room as it is asked for. */
export interface NewRoom {
  /** What it is for; the mark by which it is found again when nobody could note its id. */
  readonly purpose: string;
  readonly name: string;
  readonly topic: string;
  /** Full ids of those who are asked in when it is made. */
  readonly invite: readonly string[];
  /** Clients show it among the conversations with one person. */
  readonly direct?: boolean;
  /** Whether those of `invite` may do in it what its maker may. */
  readonly trusted?: boolean;
  /** Further state events with an empty key, content by type. */
  readonly state?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Somebody who belongs into a room, whether or not they have come. */
export interface RoomMember {
  readonly userId: string;
  readonly membership: 'join' | 'invite';
}

/** What a room says about itself; empty where it says nothing. */
export interface RoomDescription {
  readonly name: string;
  readonly topic: string;
  /** The account's own tags on it. */
  readonly tags: readonly string[];
}

/** A room as a conversation of an agent's runtime (protocol.md §1.4). */
export function sessionOf(roomId: string): string {
  return `matrix:${normaliseRoom(roomId) ?? roomId}`;
}
