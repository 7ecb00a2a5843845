import { MatrixError } from 'matrix-js-sdk';
import { FlowError } from '../../protocol/errors.ts';
import { localpartOf, sameIdentity } from '../../protocol/identity.ts';
import { createClient } from './client.ts';
import { rateLimitMs } from './errors.ts';

export interface LoginRequest {
  readonly homeserver: string;
  readonly self: string;
  readonly deviceId: string;
  readonly password: string;
}

/** What the homeserver decided; a refusal is final for this password, everything else is thrown. */
export type LoginOutcome = { readonly accessToken: string } | { readonly refused: FlowError };

/**
 * Asks for a token by password. The device keeps its id, so that a later login replaces its token instead of leaving
 * another device behind, and transaction ids go on being known.
 */
export async function logIn({ homeserver, self, deviceId, password }: LoginRequest): Promise<LoginOutcome> {
  const client = createClient({ homeserver, self });
  const { flows } = await client.loginFlows();
  if (!flows.some(({ type }) => type === 'm.login.password')) {
    const offered = flows.map(({ type }) => type).join(', ');
    return refused(
      `${homeserver} takes no passwords (it offers: ${offered === '' ? 'nothing' : offered})`,
      'get an access token from a client and name it with matrix.accessTokenEnv or matrix.accessTokenFile',
    );
  }
  let answer: Awaited<ReturnType<typeof client.loginRequest>>;
  try {
    answer = await client.loginRequest({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: self },
      password,
      device_id: deviceId,
      initial_device_display_name: `Baton ${localpartOf(self)}`,
    });
  } catch (thrown) {
    return refusalOf(thrown, homeserver, self);
  }
  if (sameIdentity(answer.user_id, self)) return { accessToken: answer.access_token };
  await endSession({ homeserver, self, accessToken: answer.access_token });
  return refused(
    `${homeserver} let ${answer.user_id} in, and this node is ${self}`,
    `give the password of ${self}, or correct identity.matrixUserId`,
  );
}

/** Makes a token worthless, with its device. One that the homeserver does not know is worthless already. */
export async function endSession(session: {
  readonly homeserver: string;
  readonly self: string;
  readonly accessToken: string;
}): Promise<void> {
  try {
    await createClient(session).logout();
  } catch (thrown) {
    if (!isUnknownToken(thrown)) throw thrown;
  }
}

export function isUnknownToken(thrown: unknown): boolean {
  return thrown instanceof MatrixError && thrown.errcode === 'M_UNKNOWN_TOKEN';
}

/** Whatever the homeserver may answer differently another time is thrown on. */
function refusalOf(thrown: unknown, homeserver: string, self: string): LoginOutcome {
  const { httpStatus = 0, errcode = 'no error code' } = thrown instanceof MatrixError ? thrown : {};
  if (rateLimitMs(thrown) !== undefined || httpStatus < 400 || httpStatus >= 500) throw thrown;
  return errcode === 'M_FORBIDDEN'
    ? refused(`${homeserver} does not take this password for ${self}`, 'correct the password, then try again')
    : refused(`${homeserver} does not let ${self} log in (${errcode})`, 'ask whoever runs the homeserver');
}

/** Worth another try for what waits in the outbox: a person may put it right meanwhile. */
function refused(message: string, remedy: string): LoginOutcome {
  return { refused: new FlowError('notify-failed', message, { remedy }) };
}
