import { Direction, Filter, MatrixClient } from 'matrix-js-sdk';
import type { IRoomEvent } from 'matrix-js-sdk';
import { baseUrlOf } from './discovery.ts';

export interface ClientOptions {
  readonly homeserver: string;
  /** Absent until there is one. */
  readonly accessToken?: string;
  readonly self: string;
  readonly deviceId?: string;
  /** Told what time it is at the homeserver, with every answer: milliseconds since the epoch, exact to a second. */
  readonly onTime?: (there: number) => void;
}

/**
 * Milliseconds after which a request counts as lost; messages are small. Where the homeserver was asked to hold its
 * answer, that comes on top.
 */
const REQUEST_MS = 20_000;

/**
 * The SDK's client as a way to speak to the homeserver, without its copy of the rooms and its own queue of events:
 * what is sent and what was sent is the outbox's to know.
 */
export function createClient({ homeserver, accessToken, self, deviceId, onTime }: ClientOptions): MatrixClient {
  const baseUrl = homeserver.replace(/\/+$/, '');
  return new MatrixClient({
    baseUrl,
    ...(accessToken === undefined ? {} : { accessToken }),
    userId: self,
    ...(deviceId === undefined ? {} : { deviceId }),
    fetchFn: fetchInTime(baseUrl, onTime),
    disableVoip: true,
    // What matters is in the errors; requests in a log could carry what is secret.
    logger: SILENT,
  });
}

/**
 * The SDK's own limit leaves timers behind that keep a finished command from ending; this one does not. Where requests
 * go is found out with the first of them, since the SDK wants an address before anything can be asked.
 */
function fetchInTime(baseUrl: string, onTime: ClientOptions['onTime']): typeof fetch {
  let home: Promise<string> | undefined;
  return async (input, init) => {
    home ??= baseUrlOf(baseUrl).catch((error: unknown) => {
      home = undefined;
      throw error;
    });
    const given = input instanceof Request ? input.url : String(input);
    const asked = new URL(given.startsWith(baseUrl) ? (await home) + given.slice(baseUrl.length) : given);
    const held = Number(asked.searchParams.get('timeout') ?? 0);
    const late = AbortSignal.timeout(REQUEST_MS + held);
    const { signal: stop } = init ?? {};
    const signal = stop instanceof AbortSignal ? AbortSignal.any([stop, late]) : late;
    const answer = await fetch(asked, { ...init, signal });
    const there = Date.parse(answer.headers.get('date') ?? '');
    if (!Number.isNaN(there)) onTime?.(there);
    return answer;
  };
}

const ignore = (): void => undefined;
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, getChild: () => SILENT };

/** The messages of a room, newest first, page after page, as long as they are asked for. */
export async function* messagesBackwards(
  client: MatrixClient,
  room: string,
  pageSize: number,
): AsyncGenerator<IRoomEvent> {
  const filter = new Filter(client.getUserId());
  filter.setDefinition({ room: { timeline: { types: ['m.room.message'] } } });
  let from: string | null = null;
  do {
    const page = await client.createMessagesRequest(room, from, pageSize, Direction.Backward, filter);
    for (const event of page.chunk) if ('event_id' in event && event.type === 'm.room.message') yield event;
    from = page.end ?? null;
  } while (from !== null);
}
