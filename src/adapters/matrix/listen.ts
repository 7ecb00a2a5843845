import { MatrixError, Method } from 'matrix-js-sdk';
import type { ISyncResponse, MatrixClient } from 'matrix-js-sdk';
import type { Clock } from '../../ports.ts';
import type { Ear, RoomMessage } from '../../ports-chat.ts';
import { FlowError } from '../../protocol/errors.ts';
import { stampOf } from '../../protocol/timestamps.ts';
import type { Access } from './access.ts';
import { rateLimitMs } from './errors.ts';
import { createInvitations } from './invitations.ts';
import type { Invitations } from './invitations.ts';
import { isUnknownToken } from './login.ts';
import type { HeardFile } from './since.ts';
import { TIMELINE_TYPES, newsOf } from './timeline.ts';
import type { Timeline } from './timeline.ts';

export interface ListenOptions {
  readonly client: MatrixClient;
  readonly access: Access;
  readonly self: string;
  readonly clock: Clock;
  readonly ear: Ear;
  readonly heardFile: HeardFile;
  /** Whatever is thrown as a sentence (`errors.ts`). */
  readonly explain: (thrown: unknown) => FlowError;
  /** The homeserver answers: for the first time, or again. */
  readonly onReachable: () => void;
}

export interface Listening {
  close(): Promise<void>;
  /** When the homeserver answered last, and why it does not any more. */
  state(): { readonly heardAt?: string; readonly problem?: string };
}

/** How long the homeserver holds a request when nobody says anything; milliseconds. */
const HOLD = 30_000;
const MAX_BACK_OFF = 30_000;

const NOTHING = { types: [] };

/** What is said, and who comes in; no typing, no presence, no other state. */
const FILTER = {
  presence: NOTHING,
  account_data: NOTHING,
  room: {
    ephemeral: NOTHING,
    account_data: NOTHING,
    state: NOTHING,
    timeline: { types: TIMELINE_TYPES, limit: 100 },
  },
};

/**
 * Into which rooms this account is invited and which it has left, without what was said in them. `ask` is a word that
 * was not used before.
 */
export function roomsOutside(client: MatrixClient, ask: string, signal?: AbortSignal): Promise<ISyncResponse> {
  // A room of which nothing passes is not told at all.
  const timeline = { types: ['m.room.member'], limit: 1 };
  const room = { include_leave: true, ephemeral: NOTHING, account_data: NOTHING, state: NOTHING, timeline };
  return sync(client, { filter: anew({ presence: NOTHING, account_data: NOTHING, room }, ask), timeout: 0 }, signal);
}

/**
 * A filter that lets through the same and was never asked with: Synapse answers a question without a mark from its
 * memory when it was asked before in the last two minutes, and that answer is of no use as a beginning.
 */
function anew(filter: Readonly<Record<string, unknown>>, ask: string): string {
  return JSON.stringify({ ...filter, presence: { ...NOTHING, not_types: [`dev.batond.asked.${ask}`] } });
}

/** Follows the rooms of the account until it is closed. Outages are waited out with growing pauses. */
export function listenToRooms(options: ListenOptions): Listening {
  const closing = new AbortController();
  let heardAt: string | undefined;
  let problem: string | undefined;
  const ended = follow(options, closing.signal, (trouble) => {
    problem = trouble;
    if (trouble === undefined) heardAt = options.clock.now();
  });
  return {
    async close() {
      closing.abort();
      await ended;
    },
    state: () => ({
      ...(heardAt === undefined ? {} : { heardAt }),
      ...(problem === undefined ? {} : { problem }),
    }),
  };
}

async function follow(
  options: ListenOptions,
  signal: AbortSignal,
  note: (problem: string | undefined) => void,
): Promise<void> {
  const { client, access, clock, ear } = options;
  const invitations = createInvitations(options);
  const read = once((room) => undecipherable(room), ear);
  let since = startingPoint(options);
  let started = false;
  let reachable = false;
  let backOff = 1_000;
  let told = '';
  while (!signal.aborted) {
    try {
      // Answers tell of an invitation once; those from before this process are asked for.
      if (!started) await access.as(async () => invitations.note(await roomsOutside(client, clock.id(), signal)));
      started = true;
      const timeout = reachable ? HOLD : 0;
      const query =
        since === undefined
          ? { filter: anew(FILTER, clock.id()), timeout }
          : { filter: JSON.stringify(FILTER), timeout, since };
      const answer = await access.as(() => sync(client, query, signal));
      await takeUp(options, { answer, since, invitations, read, signal });
      if (answer.next_batch !== since)
        options.heardFile.write({ token: answer.next_batch, at: stampOf(clock.millis()) });
      since = answer.next_batch;
      note(undefined);
      if (!reachable) options.onReachable();
      [reachable, backOff, told] = [true, 1_000, ''];
    } catch (thrown) {
      if (signal.aborted) return;
      if (since !== undefined && isUnknownMark(thrown)) {
        since = undefined;
        ear.problem(startingAnew('the homeserver does not know it'));
        continue;
      }
      const error = options.explain(thrown);
      note(error.message);
      if (error.message !== told) ear.problem(error);
      [reachable, told] = [false, error.message];
      await clock.sleep(Math.max(backOff, rateLimitMs(thrown) ?? 0), signal);
      backOff = Math.min(backOff * 2, MAX_BACK_OFF);
    }
  }
}

function sync(
  client: MatrixClient,
  query: Readonly<Record<string, string | number>>,
  signal?: AbortSignal,
): Promise<ISyncResponse> {
  return client.http.authedRequest<ISyncResponse>(
    Method.Get,
    '/sync',
    { ...query, set_presence: 'offline' },
    undefined,
    { ...(signal === undefined ? {} : { abortSignal: signal }), priority: 'auto' },
  );
}

interface Answer {
  readonly answer: ISyncResponse;
  readonly since: string | undefined;
  readonly invitations: Invitations;
  /** Told of a room in which something cannot be read. */
  readonly read: (room: string) => void;
  readonly signal: AbortSignal;
}

async function takeUp(options: ListenOptions, { answer, since, invitations, read, signal }: Answer): Promise<void> {
  const { client, access, self, ear, explain } = options;
  invitations.note(answer);
  await access.as(() => invitations.follow(signal));
  // What was said before this account ever listened is history.
  if (since === undefined) return;
  const heard: RoomMessage[] = [];
  for (const [room, { timeline }] of Object.entries(answer.rooms?.join ?? {})) {
    try {
      const news = await access.as(() => newsOf({ client, self, since, signal }, room, timeline as Timeline));
      heard.push(...news.messages);
      if (news.encrypted) read(room);
    } catch (thrown) {
      // A room whose past is closed to this account must not keep it deaf for all others.
      if (!isRefusal(thrown)) throw thrown;
      ear.problem(explain(thrown));
    }
  }
  if (heard.length > 0) await ear.hear(heard);
}

function startingPoint({ heardFile, ear }: ListenOptions): string | undefined {
  const heard = heardFile.read();
  if (heard !== 'unusable') return heard?.token;
  ear.problem(startingAnew('the file is broken, or of another account or homeserver'));
  return undefined;
}

/** Said once: history is never taken for news, so what came in between has to be read by people. */
function startingAnew(reason: string): FlowError {
  return new FlowError('notify-failed', `the mark in .baton/matrix/since is of no use (${reason})`, {
    remedy: 'nothing: listening begins now; work is taken up from the files, commands said meanwhile need saying again',
  });
}

function undecipherable(room: string): FlowError {
  return new FlowError('notify-failed', `room ${room} is encrypted: what is said there cannot be read by Baton`, {
    remedy: 'make a room without encryption and name it in shared/team.json',
  });
}

function once(problemOf: (room: string) => FlowError, ear: Ear): (room: string) => void {
  const told = new Set<string>();
  return (room) => {
    if (!told.has(room)) ear.problem(problemOf(room));
    told.add(room);
  };
}

/**
 * A homeserver that was set up anew, or another one under the same address. There is no code for it: Synapse says
 * `Invalid stream token`, others name `since`. Any other refusal says nothing of the mark, and giving that up would lose
 * what was said meanwhile.
 */
export function isUnknownMark(thrown: unknown): boolean {
  if (!(thrown instanceof MatrixError) || thrown.httpStatus !== 400) return false;
  return /\bsince\b|\btoken\b/i.test(thrown.data.error ?? '');
}

function isRefusal(thrown: unknown): boolean {
  const { httpStatus = 0 } = thrown instanceof MatrixError ? thrown : {};
  return httpStatus >= 400 && httpStatus < 500 && rateLimitMs(thrown) === undefined && !isUnknownToken(thrown);
}
