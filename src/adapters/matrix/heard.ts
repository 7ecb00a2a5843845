import { Method } from 'matrix-js-sdk';
import type { ISyncResponse, MatrixClient } from 'matrix-js-sdk';
import type { RoomMessage } from '../../ports.ts';
import { readMessage } from './message.ts';

/** Messages in one answer of the homeserver. */
export const PAGE = 100;
/** A node that has missed more than so many pages of a room takes up the newest of them. */
const MOST_PAGES = 200;

type Page = Awaited<ReturnType<MatrixClient['createMessagesRequest']>>;
type Event = Page['chunk'][number] | ISyncResponse['rooms']['join'][string]['timeline']['events'][number];

/** What others said since a moment, in the order in which each room had it. Throws what the SDK throws. */
export async function heardSince(
  client: MatrixClient,
  self: string,
  { rooms }: ISyncResponse,
  since: string,
): Promise<readonly RoomMessage[]> {
  const found: RoomMessage[] = [];
  for (const [room, { timeline }] of Object.entries(rooms?.join ?? {})) {
    const before = timeline?.limited === true ? timeline.prev_batch : undefined;
    const skipped = typeof before === 'string' ? await between(client, room, since, before) : [];
    for (const event of [...skipped, ...(timeline?.events ?? [])]) {
      const whole = 'event_id' in event && event.type === 'm.room.message' && event.sender !== self;
      const message = whole ? readMessage(event, room) : undefined;
      if (message !== undefined) found.push(message);
    }
  }
  return found;
}

/** A homeserver answers with the newest messages of a room only; what was said before them, oldest first. */
async function between(client: MatrixClient, room: string, since: string, before: string): Promise<readonly Event[]> {
  const found: Event[] = [];
  const path = `/rooms/${encodeURIComponent(room)}/messages`;
  const query = { dir: 'b', to: since, limit: PAGE, filter: JSON.stringify({ types: ['m.room.message'] }) };
  let from: string | undefined = before;
  for (let page = 0; from !== undefined && page < MOST_PAGES; page += 1) {
    const answer: Page = await client.http.authedRequest(Method.Get, path, { ...query, from });
    found.push(...answer.chunk);
    from = answer.end;
  }
  return found.toReversed();
}
