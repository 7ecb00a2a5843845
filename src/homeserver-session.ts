import { join } from 'node:path';
import { systemClock } from './adapters/clock.ts';
import { namesToken, sessionFile } from './chat.ts';
import { loadConfig } from './config.ts';
import { FlowError } from './protocol/errors.ts';
import { createSecrets, redactedAll } from './protocol/secrets/known.ts';

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
  const { matrix, self, store, newDevice, logIn, explain, passwordFrom } = await openSession({ root, env });
  if (namesToken(matrix)) {
    throw new FlowError('bad-config', 'baton.json names an access token, which goes before any login', {
      remedy: 'take matrix.accessTokenEnv and matrix.accessTokenFile out of it first',
    });
  }
  const password = passwordFrom(given);
  try {
    const deviceId = matrix.deviceId ?? store.read()?.deviceId ?? newDevice();
    const outcome = await logIn(deviceId, password);
    if ('refused' in outcome) throw outcome.refused;
    store.write({ deviceId, accessToken: outcome.accessToken });
    return { userId: self, homeserver: matrix.homeserver, deviceId };
  } catch (thrown) {
    throw withoutPassword(explain(thrown, 'logging in failed'), password);
  }
}

/** A homeserver may repeat what it was sent. */
function withoutPassword({ code, message, remedy, data, retryable }: FlowError, password: string): FlowError {
  const secrets = createSecrets({});
  secrets.learn(password);
  const details = { data: redactedAll(data, secrets.redact), retryable };
  return new FlowError(code, secrets.redact(message), { ...details, ...(remedy === undefined ? {} : { remedy }) });
}

export interface LoggedOut {
  /** False when nobody was logged in here. */
  readonly ended: boolean;
  /** `baton.json` says where the password is, so a node that starts or runs logs in again. */
  readonly logsInAgain: boolean;
}

/** `baton matrix logout`: makes the token worthless at the homeserver, and only then forgets it. Throws `FlowError`. */
export async function logOutOfHomeserver(place: Place): Promise<LoggedOut> {
  const { matrix, store, endSession, explain } = await openSession(place);
  const accessToken = store.read()?.accessToken;
  try {
    if (accessToken !== undefined) await endSession(accessToken);
    store.remove();
  } catch (thrown) {
    throw explain(thrown, 'logging out failed');
  }
  const logsInAgain = !namesToken(matrix) && (matrix.passwordEnv ?? matrix.passwordFile) !== undefined;
  return { ended: accessToken !== undefined, logsInAgain };
}

async function openSession({ root, env }: Place) {
  const { matrix, identity } = loadConfig(root, env);
  if (matrix === undefined) {
    throw new FlowError('bad-config', 'no homeserver is configured', {
      remedy: 'add a matrix section to baton.json: {"homeserver": "https://…"}',
    });
  }
  // The SDK is large, and most commands start without it.
  const { endSession, logIn, newDevice, readPassword, requirePassword, sessionStore, toNotifyError } =
    await import('./adapters/matrix/main.ts');
  const self = identity.matrixUserId;
  const { homeserver } = matrix;
  return {
    matrix,
    self,
    store: sessionStore(sessionFile(join(root, '.baton')), { homeserver, self }),
    newDevice: () => newDevice(systemClock),
    logIn: (deviceId: string, password: string) => logIn({ homeserver, self, deviceId, password }),
    endSession: (accessToken: string) => endSession({ homeserver, self, accessToken }),
    explain: (thrown: unknown, what: string) => toNotifyError(thrown, { what, self, homeserver }),
    passwordFrom: (given: LoginOptions['password']): string => {
      if (given !== undefined && 'text' in given) return requirePassword(given.text, 'standard input', 'password');
      const named =
        given === undefined ? matrix : 'file' in given ? { passwordFile: given.file } : { passwordEnv: given.variable };
      const password = readPassword(named, { root, env });
      if (password !== undefined) return password;
      throw new FlowError('bad-config', 'nothing says where the password is', {
        remedy: 'pass --password-file FILE or --password-env NAME, or - and the password on standard input',
      });
    },
  };
}
