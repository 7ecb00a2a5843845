import type { MatrixClient } from 'matrix-js-sdk';
import type { Clock } from '../../ports.ts';
import { FlowError } from '../../protocol/errors.ts';
import { sameIdentity } from '../../protocol/identity.ts';
import { rateLimitMs, rateLimited } from './errors.ts';
import { isUnknownToken, logIn } from './login.ts';
import type { SessionStore } from './session.ts';

/** Where the token of an account comes from when none is given: a stored session, and a password for a new one. */
export interface SessionSource {
  readonly store: SessionStore;
  readonly deviceId?: string;
  /** `undefined` when nothing says where it is. Throws `FlowError` when it is not there. */
  readonly password: () => string | undefined;
}

export interface AccessOptions {
  /** Its token is replaced when there is another one. */
  readonly client: MatrixClient;
  readonly self: string;
  readonly homeserver: string;
  readonly clock: Clock;
  /** Absent: the client has its token, and there is no other. */
  readonly session?: SessionSource;
}

export interface Access {
  /**
   * Runs requests as the account itself. A token that the homeserver no longer takes is replaced once, where there is
   * another session or a password.
   */
  as<Value>(work: () => Promise<Value>): Promise<Value>;
}

/** So soon after a login whose token was not taken once, another one would only repeat it; milliseconds. */
const LOGIN_PAUSE = 60_000;

export function openAccess({ client, self, homeserver, clock, session }: AccessOptions): Access {
  let checked: Promise<void> | undefined;
  let renewing: Promise<void> | undefined;
  /** A password that was refused is not offered again: homeservers lock accounts for that. */
  let refused: { readonly password: string; readonly error: FlowError } | undefined;
  let noLoginBefore = 0;
  let unprovenUntil = 0;

  async function replacing<Value>(work: () => Promise<Value>): Promise<Value> {
    const used = client.getAccessToken() ?? undefined;
    try {
      return await taken(work);
    } catch (thrown) {
      if (session === undefined || !isUnknownToken(thrown)) throw thrown;
      await renew(session, used);
      return taken(work);
    }
  }

  async function taken<Value>(work: () => Promise<Value>): Promise<Value> {
    const value = await work();
    unprovenUntil = 0;
    return value;
  }

  async function check(): Promise<void> {
    if (session !== undefined && client.getAccessToken() === null) await renew(session, undefined);
    await replacing(() => checkAccount(client, self));
  }

  /** Many requests may find the same token worthless; one of them gets the next. */
  function renew(source: SessionSource, worthless: string | undefined): Promise<void> {
    if (worthless !== undefined && client.getAccessToken() !== worthless) return Promise.resolve();
    renewing ??= obtain(source, worthless).finally(() => (renewing = undefined));
    return renewing;
  }

  async function obtain({ store, deviceId: wanted, password }: SessionSource, worthless?: string): Promise<void> {
    const stored = store.read();
    if (stored?.accessToken !== undefined && stored.accessToken !== worthless) {
      client.setAccessToken(stored.accessToken);
      return;
    }
    const deviceId = wanted ?? stored?.deviceId ?? newDevice(clock);
    const accessToken = await login(deviceId, passwordFrom(password, self, homeserver), () =>
      store.write({ deviceId }),
    );
    store.write({ deviceId, accessToken });
    client.setAccessToken(accessToken);
  }

  async function login(deviceId: string, password: string, before: () => void): Promise<string> {
    if (refused?.password === password) throw refused.error;
    const wait = Math.max(noLoginBefore, unprovenUntil) - clock.millis();
    if (wait > 0) throw rateLimited('logging in failed', wait, 'login');
    // Noted first, so that a crash behind the homeserver's answer leaves no device that nobody knows.
    before();
    try {
      const outcome = await logIn({ homeserver, self, deviceId, password });
      if ('refused' in outcome) {
        refused = { password, error: outcome.refused };
        throw outcome.refused;
      }
      unprovenUntil = clock.millis() + LOGIN_PAUSE;
      return outcome.accessToken;
    } catch (thrown) {
      const limit = rateLimitMs(thrown);
      if (limit === undefined) throw thrown;
      noLoginBefore = clock.millis() + limit;
      throw rateLimited('logging in failed', limit, 'login');
    }
  }

  return {
    async as(work) {
      checked ??= check().catch((error: unknown) => {
        checked = undefined;
        throw error;
      });
      await checked;
      return replacing(work);
    },
  };
}

/** A name that no other device of the account has; told by a client among the account's sessions. */
export function newDevice(clock: Pick<Clock, 'hex'>): string {
  return `BATON${clock.hex(5).toUpperCase()}`;
}

function passwordFrom(password: SessionSource['password'], self: string, homeserver: string): string {
  const notLoggedIn = `${self} is not logged in at ${homeserver}`;
  let given: string | undefined;
  try {
    given = password();
  } catch (thrown) {
    if (!(thrown instanceof FlowError)) throw thrown;
    const remedy = thrown.remedy ?? 'run `baton matrix login`';
    throw new FlowError('notify-failed', `${notLoggedIn}: ${thrown.message}`, { remedy });
  }
  if (given !== undefined) return given;
  throw new FlowError('notify-failed', notLoggedIn, {
    remedy: 'run `baton matrix login`; a node that runs takes it up by itself',
  });
}

/** The token is one's own, or messages would speak in another's name. */
async function checkAccount(client: MatrixClient, self: string): Promise<void> {
  const { user_id: owner } = await client.whoami();
  if (sameIdentity(owner, self)) return;
  throw new FlowError('notify-failed', `the access token belongs to ${owner}, and this node is ${self}`, {
    remedy: `put ${self}'s own token where the matrix section of baton.json says, or correct identity.matrixUserId`,
  });
}
