import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { createMatrixChat } from '../../../src/adapters/matrix/chat.ts';
import { sessionStore } from '../../../src/adapters/matrix/session.ts';
import type { Chat } from '../../../src/ports-chat.ts';
import { FlowError } from '../../../src/protocol/errors.ts';
import { testFolder } from '../../support/folders.ts';
import { person } from '../../support/synapse/accounts.ts';
import type { Account, Homeserver } from '../../support/synapse/accounts.ts';
import { onHomeserver, onOwnHomeserver } from '../../support/synapse/homeserver.ts';

let made = 0;

async function scene(homeserver: Homeserver) {
  made += 1;
  const account = await homeserver.register(`login${made}`);
  const node = person(homeserver, account);
  const dir = testFolder('login');
  return { account, node, dir, room: await node.createRoom() };
}

interface Opening {
  readonly dir: string;
  readonly self: string;
  readonly homeserver: string;
  readonly password?: () => string | undefined;
}

/** A chat without a token of its own. */
function open({ dir, self, homeserver, password = () => undefined }: Opening): Chat {
  const store = sessionStore(join(dir, 'session.json'), { homeserver, self });
  return createMatrixChat({ homeserver, self, dir, clock: systemClock, session: { store, password } });
}

function stored(dir: string): { readonly access_token: string; readonly device_id: string } {
  return JSON.parse(readFileSync(join(dir, 'session.json'), 'utf8')) as { access_token: string; device_id: string };
}

const say = (chat: Chat, room: string, txn: string) => chat.send({ txn, room, text: txn, mentions: [] });

/** Ends the session behind the node's back. */
function expire(homeserver: Homeserver, account: Account, token: string): Promise<unknown> {
  return person(homeserver, { ...account, accessToken: token }).call('POST', '/logout', {});
}

onHomeserver('a login by password', (homeserver) => {
  const opening = (dir: string, { userId, password }: Account): Opening => ({
    dir,
    self: userId,
    homeserver: homeserver().url,
    password: () => password,
  });

  test('is made once, by a device that shows whose it is, and later starts need no password', async () => {
    const { account, node, dir, room } = await scene(homeserver());
    const first = open(opening(dir, account));
    // Many requests at once make one login.
    await Promise.all([say(first, room, 'one'), first.joined(room), first.history(room, 1)]);
    await first.close();
    const { device_id: deviceId } = stored(dir);
    expect(statSync(join(dir, 'session.json')).mode & 0o777).toBe(0o600);
    const { devices } = (await node.call('GET', '/devices')) as { devices: readonly Record<string, unknown>[] };
    const name = account.userId.slice(1, account.userId.indexOf(':'));
    expect(devices.filter(({ device_id: id }) => id !== account.deviceId)).toMatchObject([
      { device_id: deviceId, display_name: `Baton ${name}` },
    ]);
    const later = open({ ...opening(dir, account), password: () => undefined });
    expect(await say(later, room, 'two')).toMatchObject({ reused: false });
    await later.close();
    expect((await node.messages(room)).map(({ content }) => content.body)).toEqual(['one', 'two']);
  });

  test('is made again on the same device when the token has become worthless, while the node runs and later', async () => {
    const { account, node, dir, room } = await scene(homeserver());
    const chat = open(opening(dir, account));
    await say(chat, room, 'one');
    await chat.close();
    const first = stored(dir);
    await expire(homeserver(), account, first.access_token);
    const again = open(opening(dir, account));
    await Promise.all([say(again, room, 'two'), again.joined(room)]);
    const second = stored(dir);
    expect(second).toMatchObject({ device_id: first.device_id });
    expect(second.access_token).not.toBe(first.access_token);
    await again.close();

    const running = open(opening(dir, account));
    await running.joined(room);
    await expire(homeserver(), account, second.access_token);
    expect(await say(running, room, 'three')).toMatchObject({ reused: false });
    await running.close();
    expect(stored(dir)).toMatchObject({ device_id: first.device_id });
    expect((await node.messages(room)).map(({ content }) => content.body)).toEqual(['one', 'two', 'three']);
  });

  test('that somebody else made on this machine is taken up by a chat that has none', async () => {
    const { account, dir, room } = await scene(homeserver());
    const waiting = open({ ...opening(dir, account), password: () => undefined });
    await expect(waiting.joined(room)).rejects.toMatchObject({
      code: 'notify-failed',
      retryable: true,
      message: `${account.userId} is not logged in at ${homeserver().url}`,
      remedy: expect.stringContaining('baton matrix login') as string,
    });
    const other = open(opening(dir, account));
    await other.joined(room);
    await other.close();
    expect(await waiting.joined(room)).toEqual([account.userId]);
    await waiting.close();
  });

  test('is refused for a wrong password, which is offered once and never told', async () => {
    const { account, dir, room } = await scene(homeserver());
    let given = 'pw-wrong-secret';
    const chat = open({ ...opening(dir, account), password: () => given });
    const attempt = () => chat.joined(room).catch((error: unknown) => error);
    const error = await attempt();
    expect(error).toMatchObject({
      code: 'notify-failed',
      retryable: true,
      message: `${homeserver().url} does not take this password for ${account.userId}`,
    });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(given);
    // The very same error: the homeserver was not asked again.
    expect(await attempt()).toBe(error);
    given = account.password;
    expect(await attempt()).toEqual([account.userId]);
    await chat.close();
  });

  test('says what is missing when the password is not where it should be', async () => {
    const { account, dir, room } = await scene(homeserver());
    const chat = open({
      ...opening(dir, account),
      password: () => {
        throw new FlowError('bad-config', 'matrix.passwordEnv: the environment variable P is not set', {
          remedy: 'set',
        });
      },
    });
    await expect(say(chat, room, 'x')).rejects.toMatchObject({
      code: 'notify-failed',
      retryable: true,
      message: `${account.userId} is not logged in at ${homeserver().url}: matrix.passwordEnv: the environment variable P is not set`,
    });
    await chat.close();
  });

  test('of another account or homeserver is not used', async () => {
    const { account, dir, room } = await scene(homeserver());
    const other = await homeserver().register(`other${made}`);
    const chat = open(opening(dir, account));
    await chat.joined(room);
    await chat.close();
    const stranger = open({ ...opening(dir, other), password: () => undefined });
    await expect(stranger.joined(room)).rejects.toThrow('is not logged in at');
    await stranger.close();
    writeFileSync(join(dir, 'session.json'), '{"schema": 1, "acc');
    const broken = open({ ...opening(dir, account), password: () => undefined });
    await expect(broken.joined(room)).rejects.toThrow('is not logged in at');
    await broken.close();
  });
});

onOwnHomeserver('a login on a homeserver with the limits of Synapse', { rateLimits: 'default' }, (homeserver) => {
  test('waits as long as the homeserver says, and asks no sooner', async () => {
    const { account, node, dir, room } = await scene(homeserver());
    const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: account.userId } };
    // Somebody uses up what the homeserver allows this account.
    for (let refused = false; !refused;) {
      refused = await node.call('POST', '/login', { ...login, password: account.password }).then(
        () => false,
        () => true,
      );
    }
    const chat = open({ dir, self: account.userId, homeserver: homeserver().url, password: () => account.password });
    for (let time = 0; time < 2; time += 1) {
      await expect(chat.joined(room)).rejects.toMatchObject({
        retryable: true,
        message: expect.stringMatching(/^logging in failed: the homeserver takes the next login in \d+ s$/) as string,
      });
    }
    await chat.close();
  });

  test('is not needed to start while the homeserver is away: a stored session works again once it is back', async () => {
    const { account, dir, room } = await scene(homeserver());
    const opening = { dir, self: account.userId, homeserver: homeserver().url };
    const { accessToken, deviceId } = account;
    sessionStore(join(dir, 'session.json'), opening).write({ accessToken, deviceId });
    await homeserver().halt();
    const chat = open(opening);
    await expect(chat.joined(room)).rejects.toMatchObject({ message: expect.stringContaining('cannot be reached') });
    await chat.close();
    await homeserver().start();
    const later = open(opening);
    expect(await later.joined(room)).toEqual([account.userId]);
    await later.close();
  });
});

describe('a homeserver that is not as expected', () => {
  /** Answers the login as it is told to, and everything else with 404. */
  async function standIn(flows: readonly string[], userId: string) {
    const asked: string[] = [];
    const server = createServer((request, answer) => {
      asked.push(`${request.method} ${request.url}`);
      const isLogin = request.url?.endsWith('/login') === true;
      const body =
        request.method === 'GET'
          ? { flows: flows.map((type) => ({ type })) }
          : { user_id: userId, access_token: 'syt_planted', device_id: 'D' };
      answer.writeHead(isLogin || request.url?.endsWith('/logout') === true ? 200 : 404, {
        'content-type': 'application/json',
      });
      answer.end(JSON.stringify(body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return { url: `http://127.0.0.1:${address.port}`, asked };
  }

  test('takes no passwords: the refusal says what to do instead, and no password is sent', async () => {
    const { url, asked } = await standIn(['m.login.sso'], '@a:b');
    const dir = testFolder('login');
    const chat = open({ dir, self: '@a:b', homeserver: url, password: () => 'secret' });
    await expect(chat.joined('!r:b')).rejects.toMatchObject({
      message: `${url} takes no passwords (it offers: m.login.sso)`,
      remedy: expect.stringContaining('matrix.accessTokenEnv') as string,
    });
    await chat.close();
    expect(asked.filter((request) => request.startsWith('POST'))).toEqual([]);
  });

  test('lets another account in: its token is given back and kept nowhere', async () => {
    const { url, asked } = await standIn(['m.login.password'], '@eve:b');
    const dir = testFolder('login');
    const chat = open({ dir, self: '@a:b', homeserver: url, password: () => 'secret' });
    await expect(chat.joined('!r:b')).rejects.toMatchObject({
      message: `${url} let @eve:b in, and this node is @a:b`,
    });
    await chat.close();
    expect(asked.at(-1)).toBe('POST /_matrix/client/v3/logout');
    expect(existsSync(join(dir, 'session.json')) && readFileSync(join(dir, 'session.json'), 'utf8')).not.toContain(
      'syt_',
    );
  });
});
