import { ConnectionError, HTTPError, MatrixError, safeGetRetryAfterMs } from 'matrix-js-sdk';
import type { Clock } from '../../ports.ts';
import { FlowError } from '../../protocol/errors.ts';

/** Whether the homeserver says that there is no such thing. */
export function isNotFound(error: unknown): boolean {
  return error instanceof MatrixError && error.errcode === 'M_NOT_FOUND';
}

/** Synapse says `M_UNKNOWN` of an account that was never there; a homeserver without profiles `M_UNRECOGNIZED`. */
export function hasNoProfile(error: unknown): boolean {
  return error instanceof MatrixError && error.httpStatus === 404 && error.errcode !== 'M_UNRECOGNIZED';
}

/** What a homeserver means to do when it says nothing about it. */
const DEFAULT_RETRY_MS = 5_000;

/** Milliseconds until the homeserver takes the next message; `undefined` when it refused for another reason. */
export function rateLimitMs(thrown: unknown): number | undefined {
  if (!(thrown instanceof HTTPError) || !thrown.isRateLimitError()) return undefined;
  return Math.max(1, safeGetRetryAfterMs(thrown, DEFAULT_RETRY_MS));
}

export function rateLimited(what: string, waitMs: number, next: 'message' | 'login' = 'message'): FlowError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new FlowError('notify-failed', `${what}: the homeserver takes the next ${next} in ${seconds} s`, {
    remedy: 'wait; the node tries again as soon as the homeserver takes it',
    data: { retryAfterMs: waitMs },
  });
}

/** Whether the homeserver, or the wait for it, refused for nothing but the number of messages. */
export function isRateLimit(thrown: unknown): boolean {
  return rateLimitMs(thrown) !== undefined || (thrown instanceof FlowError && 'retryAfterMs' in thrown.data);
}

/**
 * Does again what is refused for the number of such requests (of joins, of invitations), as long as that needs no more
 * than `patience` milliseconds. Throws what it was refused with then.
 */
export async function patiently<Value>(
  { clock, patience, signal }: { readonly clock: Clock; readonly patience: number; readonly signal?: AbortSignal },
  work: () => Promise<Value>,
): Promise<Value> {
  const deadline = clock.millis() + patience;
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      const wait = rateLimitMs(thrown);
      if (wait === undefined || clock.millis() + wait > deadline) throw thrown;
      await clock.sleep(wait, signal);
      signal?.throwIfAborted();
    }
  }
}

interface Attempt {
  /** As protocol.md §10.1 words it: `Matrix send failed`, `room membership check failed`. */
  readonly what: string;
  readonly self: string;
  readonly homeserver: string;
  readonly room?: string;
}

/** Whether there was no answer at all. `fetch` says so with a TypeError, as the language says of a fault in a program. */
function isAway(thrown: unknown): boolean {
  return (
    thrown instanceof ConnectionError ||
    (thrown instanceof TypeError && (thrown.message === 'fetch failed' || thrown.cause !== undefined))
  );
}

/**
 * What went wrong between node and homeserver, as a sentence with a remedy. Nothing of the request is kept, so that
 * no token can reach a log. Only what the homeserver can never take is not worth another try.
 */
export function toNotifyError(thrown: unknown, { what, self, homeserver, room }: Attempt): FlowError {
  if (thrown instanceof FlowError) return thrown;
  const data = thrown instanceof MatrixError ? dataOf(thrown) : {};
  const failed = (sentence: string, remedy: string, retryable = true): FlowError =>
    new FlowError('notify-failed', `${what}: ${sentence}`, { remedy, retryable, data });
  const wait = rateLimitMs(thrown);
  if (wait !== undefined) return rateLimited(what, wait);
  if (thrown instanceof MatrixError) {
    const { errcode = 'no error code', error = 'no reason given', httpStatus = 0 } = thrown;
    switch (errcode) {
      case 'M_UNKNOWN_TOKEN':
      case 'M_MISSING_TOKEN':
        return failed(
          `${homeserver} does not accept the access token of ${self}`,
          'put a valid token where the matrix section of baton.json says, or run `baton matrix login`, and start the node again',
        );
      case 'M_FORBIDDEN':
        return room === undefined
          ? failed(`${self} may not do that (${error})`, `see that ${homeserver} lets ${self} do it`)
          : failed(`${self} may not do that in room ${room} (${error})`, `invite ${self} to the room and let it join`);
      default:
        return failed(
          `${homeserver} answered ${httpStatus} ${errcode}: ${error}`,
          'mend what it names; messages are kept until then',
          httpStatus !== 400 && httpStatus !== 413,
        );
    }
  }
  if (isAway(thrown))
    return failed(`${homeserver} cannot be reached`, 'see that it runs; messages are kept until then');
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return failed(`${homeserver}: ${reason}`, 'try again; messages are kept until then');
}

/**
 * The homeserver's own word for what is wrong: callers may tell by it what it does not let them see. That it failed
 * itself is told as well: it is there, and the fault may be in what it was given.
 */
function dataOf({ errcode, httpStatus = 0 }: MatrixError): Readonly<Record<string, unknown>> {
  return { ...(errcode === undefined ? {} : { errcode }), ...(httpStatus >= 500 ? { httpStatus } : {}) };
}
