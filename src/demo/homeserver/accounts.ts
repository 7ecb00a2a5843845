import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/** A homeserver on which the demo, or a test, may make accounts. */
export interface Homeserver {
  readonly url: string;
  readonly serverName: string;
  /** A new account. On a homeserver that others use as well, its localpart gets a suffix of its own. */
  register(localpart: string): Promise<Account>;
}

export interface Account {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
  readonly password: string;
}

type Json = Readonly<Record<string, unknown>>;

class Refusal extends Error {
  /** Milliseconds until the homeserver takes it, when nothing but the number of requests was wrong. */
  readonly retryAfter: number | undefined;

  constructor(what: string, status: number, answer: Json) {
    super(`${what}: ${status} ${JSON.stringify(answer)}`);
    const { retry_after_ms: wait } = answer;
    this.retryAfter = status === 429 ? (typeof wait === 'number' ? wait : 5_000) : undefined;
  }
}

/** One request of the client-server API, as plain as it is specified. Throws with what the homeserver answered. */
async function request(method: string, url: string, body?: Json, accessToken?: string): Promise<Json> {
  const response = await fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Json;
  if (!response.ok) throw new Refusal(`${method} ${new URL(url).pathname}`, response.status, answer);
  return answer;
}

/** Asks again as often as the homeserver says that it was asked too often. */
async function patiently<Value>(work: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      const wait = thrown instanceof Refusal ? thrown.retryAfter : undefined;
      if (wait === undefined) throw thrown;
      await pause(wait);
    }
  }
}

function accountOf(answer: Json, password: string): Account {
  return {
    userId: String(answer['user_id']),
    accessToken: String(answer['access_token']),
    deviceId: String(answer['device_id']),
    password,
  };
}

/** A new device of an account, as a client logs in. */
export async function logIn(url: string, user: string, password: string): Promise<Account> {
  const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password };
  return accountOf(await request('POST', `${url}/_matrix/client/v3/login`, login), password);
}

/** Registration with the secret that only the homeserver's owner knows; not rate-limited. */
export function registerBySecret(url: string, secret: string): Homeserver['register'] {
  return async (localpart) => {
    const endpoint = `${url}/_synapse/admin/v1/register`;
    const { nonce } = await request('GET', endpoint);
    const password = randomBytes(12).toString('hex');
    const mac = createHmac('sha1', secret).update([nonce, localpart, password, 'notadmin'].join('\0')).digest('hex');
    const form = { nonce, username: localpart, password, admin: false, mac };
    return accountOf(await request('POST', endpoint, form), password);
  };
}

/** Somebody else's homeserver, which lets anybody register or whose secret is known. */
export async function foreignHomeserver(given: string, secret: string | undefined): Promise<Homeserver> {
  const url = given.replace(/\/+$/, '');
  await request('GET', `${url}/_matrix/client/versions`).catch((error: unknown) => {
    throw new Error(
      `${url} does not answer as a homeserver (${error instanceof Error ? error.message : String(error)})`,
    );
  });
  const register =
    secret === undefined
      ? async (username: string): Promise<Account> => {
          const auth = { type: 'm.login.dummy' };
          const password = randomBytes(12).toString('hex');
          const form = { username, password, auth };
          return accountOf(await request('POST', `${url}/_matrix/client/v3/register`, form), password);
        }
      : registerBySecret(url, secret);
  const unique = (localpart: string): Promise<Account> => register(`${localpart}-${randomBytes(4).toString('hex')}`);
  const probe = await unique('probe');
  return { url, serverName: probe.userId.slice(probe.userId.indexOf(':') + 1), register: unique };
}

/**
 * Somebody with an account who uses the client-server API directly, and no part of Baton. Waits where the homeserver
 * limits the number of requests, unless not `patient`; what is given to `call` is asked once.
 */
export function person(
  homeserver: Pick<Homeserver, 'url'>,
  { accessToken, userId }: Pick<Account, 'accessToken' | 'userId'>,
  { patient = true } = {},
) {
  const call = (method: string, path: string, body?: Json): Promise<Json> =>
    request(method, `${homeserver.url}/_matrix/client/v3${path}`, body, accessToken);
  const ask: typeof call = (...asked) => (patient ? patiently(() => call(...asked)) : call(...asked));
  const inRoom = (room: string, rest: string): string => `/rooms/${encodeURIComponent(room)}${rest}`;
  return {
    userId,
    call,
    async createRoom(options: Json = {}): Promise<string> {
      return String((await ask('POST', '/createRoom', { preset: 'private_chat', ...options }))['room_id']);
    },
    join: (room: string): Promise<Json> => ask('POST', inRoom(room, '/join'), {}),
    invite: (room: string, user: string): Promise<Json> => ask('POST', inRoom(room, '/invite'), { user_id: user }),
    /** Says something as a client does, with the metadata of those it mentions; its event id. */
    say(room: string, body: string, mentions: readonly string[] = []): Promise<string> {
      return this.send(room, { body, 'm.mentions': { user_ids: mentions } });
    },
    /** A message of any content; its event id. */
    async send(room: string, content: Json): Promise<string> {
      const path = inRoom(room, `/send/m.room.message/${randomBytes(8).toString('hex')}`);
      return String((await ask('PUT', path, { msgtype: 'm.text', ...content }))['event_id']);
    },
    async joined(room: string): Promise<readonly string[]> {
      return Object.keys((await ask('GET', inRoom(room, '/joined_members')))['joined'] as object);
    },
    /** Everything that was ever said in a room, oldest first, as the homeserver gives it out. */
    async messages(room: string): Promise<readonly RoomEvent[]> {
      const events: RoomEvent[] = [];
      let from = '';
      for (;;) {
        const page = await ask('GET', inRoom(room, `/messages?dir=f&limit=100${from}`));
        events.push(...(page['chunk'] as readonly RoomEvent[]));
        if (typeof page['end'] !== 'string') return events.filter(({ type }) => type === 'm.room.message');
        from = `&from=${encodeURIComponent(page['end'])}`;
      }
    },
  };
}

export type Person = ReturnType<typeof person>;

export interface RoomEvent {
  readonly type: string;
  readonly event_id: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: {
    readonly msgtype?: string;
    readonly body?: string;
    readonly format?: string;
    readonly formatted_body?: string;
    readonly 'm.mentions'?: { readonly user_ids?: readonly string[] };
  };
}
