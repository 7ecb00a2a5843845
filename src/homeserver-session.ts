import { join } from 'node:path';
import { systemClock } from './adapters/clock.ts';
import { namesToken, sessionFile } from './chat.ts';
import { loadConfig } from './config.ts';
import type { BatonConfig } from './config.ts';
import { FlowError } from './protocol/errors.ts';

interface Place {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface LoginOptions extends Place {
  /** Where the password is; absent: where `baton.json` says. */
  readonly password?: { readonly text: string } | { readonly file: string } | { readonly variable: string };
}

/** Who is logged in; never the token. */
export interface LoggedIn {
  readonly userId: string;
  readonly homeserver: string;
  readonly deviceId: string;
}

/**
 * `baton matrix login`: gets a token by password and keeps it for every later start. Needs no lock: a node that runs
 * takes the session up when it next asks for one. Throws `FlowError`.
 */
export async function logInToHomeserver({ root, env, password: given }: LoginOptions): Promise<LoggedIn> {
  const { matrix, self, store, sdk } = await openSession({ root, env });
  const { homeserver } = matrix;
  if (namesToken(matrix)) {
    throw new FlowError('bad-config', 'baton.json names an access token, which goes before any login', {
      remedy: 'take matrix.accessTokenEnv and matrix.accessTokenFile out of it first',
    });
  }
  const password = passwordOf(given, matrix, { root, env }, sdk);
  const deviceId = matrix.deviceId ?? store.read()?.deviceId ?? sdk.newDevice(systemClock);
  try {
    const outcome = await sdk.logIn({ homeserver, self, deviceId, password });
    if ('refused' in outcome) throw outcome.refused;
    store.write({ deviceId, accessToken: outcome.accessToken });
  } catch (thrown) {
    throw sdk.toNotifyError(thrown, { what: 'logging in failed', self, homeserver });
  }
  return { userId: self, homeserver, deviceId };
}

export interface LoggedOut {
  /** False when nobody was logged in here. */
  readonly ended: boolean;
  /** `baton.json` says where the password is, so a node that starts or runs logs in again. */
  readonly logsInAgain: boolean;
}

/** `baton matrix logout`: makes the token worthless at the homeserver, and only then forgets it. Throws `FlowError`. */
export async function logOutOfHomeserver(place: Place): Promise<LoggedOut> {
  const { matrix, self, store, sdk } = await openSession(place);
  const { homeserver } = matrix;
  const logsInAgain = !namesToken(matrix) && (matrix.passwordEnv ?? matrix.passwordFile) !== undefined;
  const accessToken = store.read()?.accessToken;
  if (accessToken !== undefined) {
    try {
      await sdk.endSession({ homeserver, self, accessToken });
    } catch (thrown) {
      throw sdk.toNotifyError(thrown, { what: 'logging out failed', self, homeserver });
    }
  }
  store.remove();
  return { ended: accessToken !== undefined, logsInAgain };
}

type Sdk = typeof import('./adapters/matrix/main.ts');
type MatrixSettings = NonNullable<BatonConfig['matrix']>;

async function openSession({ root, env }: Place) {
  const { matrix, identity } = loadConfig(root, env);
  if (matrix === undefined) {
    throw new FlowError('bad-config', 'no homeserver is configured', {
      remedy: 'add a matrix section to baton.json: {"homeserver": "https://…"}',
    });
  }
  const sdk = await import('./adapters/matrix/main.ts');
  const self = identity.matrixUserId;
  const store = sdk.sessionStore(sessionFile(join(root, '.baton')), { homeserver: matrix.homeserver, self });
  return { matrix, self, store, sdk };
}

function passwordOf(given: LoginOptions['password'], matrix: MatrixSettings, { root, env }: Place, sdk: Sdk): string {
  if (given !== undefined && 'text' in given) return sdk.requirePassword(given.text, 'standard input', 'password');
  const source =
    given === undefined ? matrix : 'file' in given ? { passwordFile: given.file } : { passwordEnv: given.variable };
  const password = sdk.readPassword(source, { root, env });
  if (password !== undefined) return password;
  throw new FlowError('bad-config', 'nothing says where the password is', {
    remedy: 'pass --password-file FILE or --password-env NAME, or - and the password on standard input',
  });
}
