import { resolve } from 'node:path';
import type { Command } from 'commander';
import { show, UsageError, workspaceOf, type Session } from './session.ts';

interface LoginFlags {
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
}

/** `baton matrix login|logout`: the session of this workspace's account at its homeserver. */
export function defineMatrix(command: Command, session: Session): void {
  command
    .command('login')
    .description('log in with the password once; later starts need no password')
    .argument('[-]', 'read the password from standard input')
    .option('--password-file <file>', 'a file that holds the password and nothing else')
    .option('--password-env <name>', 'the environment variable that holds the password')
    .action(async (dash: string | undefined, flags: LoginFlags) => {
      await logIn(dash, flags, session);
    });
  command
    .command('logout')
    .description('end the session at the homeserver and forget it here')
    .action(async () => {
      await logOut(session);
    });
}

const SEE_ALSO = 'see `baton matrix login --help`';

async function logIn(
  dash: string | undefined,
  { passwordFile, passwordEnv }: LoginFlags,
  session: Session,
): Promise<void> {
  // Never repeated: it may be a password.
  if (dash !== undefined && dash !== '-')
    throw new UsageError(
      'a password on the command line can be read by every process; pass - and pipe it in',
      SEE_ALSO,
    );
  if ([dash, passwordFile, passwordEnv].filter((source) => source !== undefined).length > 1)
    throw new UsageError('the password can come from one place only', SEE_ALSO);
  const { io } = session;
  const root = workspaceOf(session);
  const { logInToHomeserver } = await import('../../app.ts');
  const password =
    dash !== undefined
      ? { text: await io.stdin() }
      : passwordFile !== undefined
        ? { file: resolve(io.cwd, passwordFile) }
        : passwordEnv !== undefined
          ? { variable: passwordEnv }
          : undefined;
  const loggedIn = await logInToHomeserver({ root, env: io.env, ...(password === undefined ? {} : { password }) });
  show(
    session,
    { ok: true, action: 'matrix login', ...loggedIn },
    (palette) =>
      `${palette.green('logged in')}  ${loggedIn.userId} at ${loggedIn.homeserver} (device ${loggedIn.deviceId})`,
  );
}

async function logOut(session: Session): Promise<void> {
  const { logOutOfHomeserver } = await import('../../app.ts');
  const { ended, logsInAgain } = await logOutOfHomeserver({ root: workspaceOf(session), env: session.io.env });
  show(session, { ok: true, action: 'matrix logout', ended, logsInAgain }, (palette) =>
    [
      ended ? `${palette.green('logged out')}  the token is worthless now` : 'nobody was logged in',
      ...(logsInAgain
        ? [`${palette.yellow('but')}  baton.json says where the password is, so the node logs in again`]
        : []),
    ].join('\n'),
  );
}
