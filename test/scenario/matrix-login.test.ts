import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { initWorkspace } from '../../src/app.ts';
import { cleanEnvironment } from '../support/baton.ts';
import { cliWith } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { person } from '../support/synapse/accounts.ts';
import { onHomeserver, onOwnHomeserver } from '../support/synapse/homeserver.ts';
import type { Account, Homeserver } from '../support/synapse/accounts.ts';
import { relayTo } from '../support/synapse/relay.ts';
import { eventually } from '../support/waiting.ts';

let made = 0;

/** A Leader alone with an account, whose `baton.json` names the homeserver and no token. */
async function scene(homeserver: Homeserver, matrix: Record<string, unknown> = {}) {
  made += 1;
  const account = await homeserver.register(`alone${made}`);
  const node = person(homeserver, account);
  const room = await node.createRoom();
  const dir = join(testFolder('login'), 'lead');
  await initWorkspace({ dir, env: cleanEnvironment(), role: 'leader', as: account.userId });
  const config = {
    identity: { matrixUserId: account.userId, role: 'leader' },
    matrix: { homeserver: homeserver.url, ...matrix },
    log: { level: 'debug' },
  };
  writeFileSync(join(dir, 'baton.json'), `${JSON.stringify(config, undefined, 2)}\n`);
  const run = async (options: { input?: string; env?: NodeJS.ProcessEnv }, ...words: readonly string[]) => {
    const { code, stdout, stderr } = await cliWith(
      { cwd: dir, ...options, env: { ...cleanEnvironment(), ...options.env } },
      ...words,
      '--json',
    );
    return { code, printed: stdout + stderr, answer: JSON.parse(stdout) as Record<string, unknown> };
  };
  const send = (text: string) => run({}, 'message', 'send', '--target', room, '--message', text);
  return { account, node, room, dir, run, send };
}

function session(dir: string): { readonly access_token: string; readonly device_id: string } {
  const file = join(dir, '.baton/matrix/session.json');
  return JSON.parse(readFileSync(file, 'utf8')) as { access_token: string; device_id: string };
}

function worthless(homeserver: Homeserver, account: Account, accessToken: string): Promise<boolean> {
  const whoami = person(homeserver, { ...account, accessToken }).call('GET', '/account/whoami');
  return whoami.then(
    () => false,
    () => true,
  );
}

onHomeserver('baton matrix login', (homeserver) => {
  test('keeps a session for later commands, and logout ends it', async () => {
    const { account, node, room, dir, run, send } = await scene(homeserver());
    expect(await send('The first figures are in.')).toMatchObject({
      code: 1,
      answer: { code: 'notify-failed', error: expect.stringContaining('is not logged in at') as string },
    });
    const login = await run({ input: `${account.password}\n` }, 'matrix', 'login', '-');
    expect(login, login.printed).toMatchObject({
      code: 0,
      answer: { ok: true, userId: account.userId, homeserver: homeserver().url, deviceId: session(dir).device_id },
    });
    const { access_token: token } = session(dir);
    expect(login.printed).not.toContain(token);
    expect(statSync(join(dir, '.baton/matrix/session.json')).mode & 0o777).toBe(0o600);
    const sent = await send('The second figures are in.');
    expect(sent, sent.printed).toMatchObject({ code: 0 });
    expect((await node.messages(room)).map(({ content }) => content.body)).toContain('The second figures are in.');

    expect(await run({}, 'matrix', 'logout')).toMatchObject({ code: 0, answer: { ended: true, logsInAgain: false } });
    expect(await worthless(homeserver(), account, token)).toBe(true);
    expect(existsSync(join(dir, '.baton/matrix/session.json'))).toBe(false);
    expect(await run({}, 'matrix', 'logout')).toMatchObject({ code: 0, answer: { ended: false } });
  });

  test('takes the password from a file or the environment, on the same device', async () => {
    const { account, dir, run } = await scene(homeserver());
    const file = join(dir, '../password');
    writeFileSync(file, `${account.password}\n`);
    expect(await run({}, 'matrix', 'login', '--password-file', '../password')).toMatchObject({ code: 0 });
    const { device_id: device } = session(dir);
    const env = { PASSWORD: account.password };
    expect(await run({ env }, 'matrix', 'login', '--password-env', 'PASSWORD')).toMatchObject({ code: 0 });
    expect(session(dir).device_id).toBe(device);
  });

  test('refuses a wrong password, a missing one, and one that others could read; none of them is printed', async () => {
    const { account, dir, run } = await scene(homeserver());
    const secret = 'pw-planted-secret';
    const wrong = await run({ input: secret }, 'matrix', 'login', '-');
    expect(wrong).toMatchObject({
      code: 1,
      answer: {
        code: 'notify-failed',
        error: `${homeserver().url} does not take this password for ${account.userId}`,
      },
    });
    const argument = await run({}, 'matrix', 'login', secret);
    expect(argument).toMatchObject({ code: 2, answer: { ok: false } });
    expect(await run({}, 'matrix', 'login')).toMatchObject({
      code: 1,
      answer: { code: 'bad-config', error: 'nothing says where the password is' },
    });
    expect(await run({ input: '\n' }, 'matrix', 'login', '-')).toMatchObject({
      code: 1,
      answer: { code: 'bad-config', error: 'password: standard input is empty' },
    });
    expect(await run({}, 'matrix', 'login', '-', '--password-env', 'P')).toMatchObject({ code: 2 });
    expect(wrong.printed + argument.printed).not.toContain(secret);
    expect(existsSync(join(dir, '.baton/matrix/session.json'))).toBe(false);
  });

  test('is no use beside an access token, which goes first', async () => {
    const { run } = await scene(homeserver(), { accessTokenEnv: 'T' });
    expect(await run({ input: 'x' }, 'matrix', 'login', '-')).toMatchObject({
      code: 1,
      answer: { code: 'bad-config', error: 'baton.json names an access token, which goes before any login' },
    });
  });

  test('a node logs in by itself where baton.json says where the password is; no secret leaves .baton', async () => {
    const { account, node, room, dir, run } = await scene(homeserver(), { passwordEnv: 'MATRIX_PW' });
    const up = await startUp(dir, { MATRIX_PW: account.password });
    await eventually(
      () => existsSync(join(dir, 'shared')) && existsSync(join(dir, '.baton/matrix/since')),
      'it listens',
    );
    const first = session(dir);
    await person(homeserver(), { ...account, accessToken: first.access_token }).call('POST', '/logout', {});
    const sent = await run({}, 'message', 'send', '--target', room, '--message', 'The figures are in.');
    expect(sent, sent.printed).toMatchObject({ code: 0 });
    const second = session(dir);
    expect(second.device_id).toBe(first.device_id);
    const log = up.log();
    expect(await up.stop()).toBe(0);
    const again = await startUp(dir);
    await again.stop();
    expect((await node.messages(room)).length).toBe(1);

    const said = log + again.log() + git(dir, 'log', '-p', '--all') + filesOf(dir);
    for (const secret of [account.password, first.access_token, second.access_token])
      expect(said).not.toContain(secret);
    expect(git(dir, 'status', '--porcelain', '--ignored=no')).not.toContain('.baton');
  });
});

/** Everything in a workspace but the session itself. */
function filesOf(dir: string): string {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(dir, name)).isFile() && !name.endsWith('session.json'))
    .map((name) => readFileSync(join(dir, name), 'latin1'))
    .join('\n');
}

onOwnHomeserver('a node and its homeserver', { rateLimits: 'raised' }, (homeserver) => {
  test('a node without a session starts and works while the homeserver is away', async () => {
    const { account, run, dir, send } = await scene(homeserver(), { passwordEnv: 'MATRIX_PW' });
    await homeserver().halt();
    const up = await startUp(dir, { MATRIX_PW: account.password });
    expect(await run({}, 'project', 'create', 'Figures')).toMatchObject({ code: 0 });
    expect(await send('The figures are in.')).toMatchObject({
      code: 1,
      answer: { error: expect.stringContaining(`${homeserver().url} cannot be reached`) as string },
    });
    await homeserver().start();
    await eventually(() => existsSync(join(dir, '.baton/matrix/since')), 'it logs in and listens');
    expect(await up.stop()).toBe(0);
  });

  test('logging out while the homeserver is away forgets nothing, since the token would live on', async () => {
    const { account, run, dir } = await scene(homeserver());
    await run({ input: account.password }, 'matrix', 'login', '-');
    await homeserver().halt();
    expect(await run({}, 'matrix', 'logout')).toMatchObject({ code: 1, answer: { code: 'notify-failed' } });
    expect(session(dir).access_token).toMatch(/./);
    await homeserver().start();
    expect(await run({}, 'matrix', 'logout')).toMatchObject({ code: 0, answer: { ended: true } });
  });

  test('a node that listens ends once it is told to, however long the homeserver holds its answer', async () => {
    const held = Promise.withResolvers<void>();
    const through = await relayTo(homeserver().url, {
      keeps(path) {
        const isLong = path.includes('/sync?') && path.includes('timeout=30000');
        if (isLong) held.resolve();
        return isLong;
      },
    });
    const { account, run, dir } = await scene(homeserver(), { homeserver: through });
    expect(await run({ input: account.password }, 'matrix', 'login', '-')).toMatchObject({ code: 0 });
    const up = await startUp(dir);
    await held.promise;
    expect(await up.stop()).toBe(0);
    // Less than it takes the request to be given up by itself.
  }, 40_000);
});
