import { Method } from 'matrix-js-sdk';
import type { MatrixClient } from 'matrix-js-sdk';
import type { RoomMessage } from '../../ports-chat.ts';
import { readMessage } from './message.ts';

/** What the homeserver is asked for of a room: what is said, and when this account came in. */
export const TIMELINE_TYPES = ['m.room.message', 'm.room.encrypted', 'm.room.member'] as const;

const PAGE = 100;

/** An event of a room; nothing of it is as it should be until it was looked at. */
export interface TimelineEvent {
  readonly type?: unknown;
  readonly event_id?: unknown;
  readonly sender?: unknown;
  readonly state_key?: unknown;
  readonly origin_server_ts?: unknown;
  readonly content?: unknown;
  readonly unsigned?: unknown;
}

/** What one answer of `/sync` holds of one room. */
export interface Timeline {
  readonly events?: readonly TimelineEvent[];
  /** There is more between the last answer and the first of these events than the homeserver gives at once. */
  readonly limited?: boolean;
  readonly prev_batch?: string | null;
}

interface RoomNews {
  /** What others said since this account listened last, and not before it came into the room; oldest first. */
  readonly messages: readonly RoomMessage[];
  /** Somebody said what only members with keys can read. */
  readonly encrypted: boolean;
}

/** One part of a room's story, without what was there before this account came in. */
interface Part {
  readonly events: readonly TimelineEvent[];
  readonly complete: boolean;
}

/**
 * The news of a room since `since`. After a long absence an answer holds only the newest events; those before them are
 * fetched page by page.
 */
export async function newsOf(
  { client, self, since, signal }: { client: MatrixClient; self: string; since: string; signal: AbortSignal },
  room: string,
  timeline: Timeline,
): Promise<RoomNews> {
  const parts = [sinceJoining(timeline.events ?? [], self)];
  let from = timeline.limited === true ? (timeline.prev_batch ?? undefined) : undefined;
  while (from !== undefined && parts[0]?.complete === false) {
    const page = await pageBefore(client, room, { from, to: since, signal });
    parts.unshift(sinceJoining(page.events, self));
    from = page.events.length === 0 || page.end === from ? undefined : page.end;
  }
  const events = new Map(parts.flatMap((part) => part.events).map((event) => [event.event_id, event]));
  const others = [...events.values()].filter(({ sender }) => sender !== self);
  return {
    messages: others.flatMap((event) => messageOf(event, room) ?? []),
    encrypted: others.some(({ type }) => type === 'm.room.encrypted'),
  };
}

async function pageBefore(
  client: MatrixClient,
  room: string,
  { from, to, signal }: { readonly from: string; readonly to: string; readonly signal: AbortSignal },
): Promise<{ readonly events: readonly TimelineEvent[]; readonly end: string | undefined }> {
  const filter = JSON.stringify({ types: TIMELINE_TYPES });
  const query = { dir: 'b', from, to, limit: String(PAGE), filter };
  const path = `/rooms/${encodeURIComponent(room)}/messages`;
  const { chunk = [], end } = await client.http.authedRequest<{
    readonly chunk?: readonly TimelineEvent[];
    readonly end?: string;
  }>(Method.Get, path, query, undefined, { abortSignal: signal, priority: 'auto' });
  return { events: chunk.toReversed(), end };
}

function sinceJoining(events: readonly TimelineEvent[], self: string): Part {
  const joined = events.findLastIndex((event) => isJoining(event, self));
  return { events: events.slice(joined + 1), complete: joined !== -1 };
}

/** Coming in, and not a new name or picture of somebody who was there already. */
function isJoining({ type, state_key: user, content, unsigned }: TimelineEvent, self: string): boolean {
  if (type !== 'm.room.member' || user !== self || membershipIn(content) !== 'join') return false;
  const { prev_content: before } = (unsigned ?? {}) as { prev_content?: unknown };
  return membershipIn(before) !== 'join';
}

function membershipIn(content: unknown): unknown {
  return ((content ?? {}) as { membership?: unknown }).membership;
}

function messageOf(event: TimelineEvent, room: string): RoomMessage | undefined {
  const { type, event_id: eventId, sender, origin_server_ts: ts, content } = event;
  if (type !== 'm.room.message' || typeof eventId !== 'string' || typeof sender !== 'string') return undefined;
  if (typeof ts !== 'number' || typeof content !== 'object' || content === null) return undefined;
  return readMessage({ event_id: eventId, sender, origin_server_ts: ts, content }, room);
}
