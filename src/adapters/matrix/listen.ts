import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Method } from 'matrix-js-sdk';
import type { IEvent, ISyncResponse, MatrixClient } from 'matrix-js-sdk';
import type { Clock, Ear, RoomMessage } from '../../ports.ts';
import { FlowError } from '../../protocol/errors.ts';
import { patiently, rateLimitMs } from './errors.ts';
import { readMessage } from './message.ts';

export interface ListenOptions {
  readonly client: MatrixClient;
  readonly self: string;
  readonly clock: Clock;
  readonly ear: Ear;
  /** Keeps where the last process stopped, so that nothing said meanwhile is lost. */
  readonly file: string;
  /** Whatever is thrown as a sentence (`errors.ts`). */
  readonly explain: (thrown: unknown) => FlowError;
  /** The homeserver answers: for the first time, or again. */
  readonly onReachable: () => void;
}

/** How long the homeserver holds a request when nobody says anything; milliseconds. */
const HOLD = 30_000;
const MAX_BACK_OFF = 30_000;
/** How long the homeserver's limit of joins may keep this account from a room, and from hearing the others; milliseconds. */
const JOIN_PATIENCE = 60_000;

/** Messages, and who is in a room; no typing, no presence, no state that is not asked for. */
const FILTER = JSON.stringify({
  presence: { types: [] },
  account_data: { types: [] },
  room: {
    ephemeral: { types: [] },
    account_data: { types: [] },
    state: { types: [] },
    timeline: { types: ['m.room.message'], limit: 100 },
  },
});

/** Follows the rooms of the account until it is closed. Outages are waited out with growing pauses. */
export function listenToRooms(options: ListenOptions): { close(): Promise<void> } {
  const closing = new AbortController();
  const ended = follow(options, closing.signal);
  return {
    async close() {
      closing.abort();
      await ended;
    },
  };
}

async function follow(options: ListenOptions, signal: AbortSignal): Promise<void> {
  const { clock, ear, file } = options;
  let since = readToken(file);
  let reachable = false;
  let backOff = 1_000;
  let told = '';
  while (!signal.aborted) {
    try {
      const answer = await syncOnce(options.client, since, reachable ? HOLD : 0, signal);
      await takeInvites(options, answer, signal);
      // What was said before this account ever listened is history.
      const heard = since === undefined ? [] : messagesOf(answer, options.self);
      if (heard.length > 0) await ear.hear(heard);
      if (answer.next_batch !== since) writeToken(file, answer.next_batch);
      since = answer.next_batch;
      if (!reachable) options.onReachable();
      [reachable, backOff, told] = [true, 1_000, ''];
    } catch (thrown) {
      if (signal.aborted) return;
      const error = options.explain(thrown);
      if (error.message !== told) ear.problem(error);
      [reachable, told] = [false, error.message];
      await clock.sleep(Math.max(backOff, rateLimitMs(thrown) ?? 0), signal);
      backOff = Math.min(backOff * 2, MAX_BACK_OFF);
    }
  }
}

function syncOnce(
  client: MatrixClient,
  since: string | undefined,
  timeout: number,
  abortSignal: AbortSignal,
): Promise<ISyncResponse> {
  const query = { filter: FILTER, timeout, set_presence: 'offline', ...(since === undefined ? {} : { since }) };
  return client.http.authedRequest<ISyncResponse>(Method.Get, '/sync', query, undefined, {
    abortSignal,
    priority: 'auto',
  });
}

/** What others said, in the order in which each room had it. */
function messagesOf({ rooms }: ISyncResponse, self: string): readonly RoomMessage[] {
  return Object.entries(rooms?.join ?? {}).flatMap(([room, { timeline }]) =>
    (timeline?.events ?? []).flatMap((event) => {
      const whole = 'event_id' in event && event.type === 'm.room.message' && event.sender !== self;
      const message = whole ? readMessage(event, room) : undefined;
      return message === undefined ? [] : [message];
    }),
  );
}

/** Rooms are joined at the word of those who may ask; everybody else's invitation stays open. */
async function takeInvites(
  { client, clock, ear, self, explain }: ListenOptions,
  { rooms }: ISyncResponse,
  signal: AbortSignal,
): Promise<void> {
  for (const [room, { invite_state: state }] of Object.entries(rooms?.invite ?? {})) {
    const events: readonly Pick<IEvent, 'type' | 'sender' | 'state_key'>[] = state?.events ?? [];
    const inviter = events.find(({ type, state_key }) => type === 'm.room.member' && state_key === self)?.sender;
    if (inviter === undefined) continue;
    if (!ear.mayInvite(inviter)) {
      ear.problem(new FlowError('notify-failed', `${inviter} invites to room ${room}, and is not one who may`));
      continue;
    }
    // A room that is gone meanwhile must not keep the others from being heard.
    await patiently({ clock, patience: JOIN_PATIENCE, signal }, () => client.joinRoom(room)).catch(
      (thrown: unknown) => {
        if (!signal.aborted) ear.problem(explain(thrown));
      },
    );
  }
}

function readToken(file: string): string | undefined {
  try {
    const token = readFileSync(file, 'utf8').trim();
    return token === '' ? undefined : token;
  } catch {
    return undefined;
  }
}

function writeToken(file: string, token: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const next = `${file}.next`;
  writeFileSync(next, `${token}\n`, { mode: 0o600 });
  renameSync(next, file);
}
