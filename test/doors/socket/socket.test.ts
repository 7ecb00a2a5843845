import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Envelope, ToolCall } from '../../../src/app-types.ts';
import { connectSocket, type RemoteApp } from '../../../src/doors/socket/client.ts';
import { serveSocket } from '../../../src/doors/socket/server.ts';
import { socketPath } from '../../../src/doors/workspace.ts';
import { FlowError } from '../../../src/protocol/errors.ts';
import { fakeApp, LEAD, type FakeAppOptions } from '../fake-app.ts';
import { tempWorkspace } from '../temp.ts';

async function pair(options: FakeAppOptions = {}) {
  const root = tempWorkspace();
  const app = fakeApp({ root, ...options });
  const path = socketPath(root, {});
  const door = await serveSocket(app, path);
  onTestFinished(() => door.close());
  const remote = await connectSocket(path, root);
  if (remote === undefined) throw new Error('nobody answered');
  onTestFinished(() => remote.close());
  return { root, app, path, door, remote };
}

const refusal = async (work: Promise<unknown>): Promise<unknown> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof FlowError
    ? { code: error.code, message: error.message, remedy: error.remedy, data: error.data, retryable: error.retryable }
    : error;
};

describe('the app behind a socket', () => {
  test('lets go of a caller that changed something once the index shows it, and of one that looked at once', async () => {
    const index = Promise.withResolvers<void>();
    const answer = ({ tool, action }: ToolCall): Envelope =>
      action === 'look' ? { ok: true, tool, action } : { ok: true, tool, action, durability: 'replicated' };
    const { path, root, remote } = await pair({ answer, indexed: () => index.promise });
    await remote.call({ tool: 'taskflow', action: 'look' });
    await remote.close();
    const other = await connectSocket(path, root);
    await other?.call({ tool: 'taskflow', action: 'ack_task' });
    let isClosed = false;
    const closing = other?.close().then(() => (isClosed = true));
    const again = await connectSocket(path, root);
    expect([again?.mode, isClosed]).toEqual(['solo', false]);
    index.resolve();
    await closing;
    expect(isClosed).toBe(true);
    await again?.close();
  });

  test('lets go of a caller that changed something when the node has gone', async () => {
    const answer = ({ tool, action }: ToolCall): Envelope => ({ ok: true, tool, action, durability: 'replicated' });
    const never = Promise.withResolvers<void>();
    const { path, root, door, remote } = await pair({ answer, indexed: () => never.promise });
    const other = await connectSocket(path, root);
    for (const one of [remote, other]) await one?.call({ tool: 'taskflow', action: 'ack_task' });
    const closing = other?.close();
    void door.close();
    await remote.closed;
    await remote.close();
    never.resolve();
    await closing;
  });

  test('is the app: identity, calls, sync and texts come through as they are', async () => {
    const answer: Envelope = {
      ok: false,
      tool: 'taskflow',
      action: 'ack_task',
      code: 'paused',
      error: '計画は止まっている',
      deep: { list: [1, null] },
    };
    const { app, remote } = await pair({ mode: 'team', files: { 'shared/a.md': 'täxt\n' }, answer: () => answer });
    expect({ identity: remote.identity, mode: remote.mode, root: remote.root }).toEqual({
      identity: LEAD,
      mode: 'team',
      root: app.root,
    });
    const call = {
      tool: 'taskflow',
      action: 'ack_task',
      payload: { taskId: 'a' },
      dryRun: true,
      actor: { localpart: 'bo', role: 'worker' },
    };
    expect(await remote.call(call)).toEqual(answer);
    expect(app.calls).toEqual([call]);
    expect(await remote.sync()).toEqual({ ok: true, action: 'sync' });
    expect(await remote.text('shared/a.md')).toBe('täxt\n');
    expect(await remote.text('shared/none.md')).toBeUndefined();
  });

  test('refuses with the same error as the app itself', async () => {
    const { app, remote } = await pair();
    app.text = () =>
      Promise.reject(
        new FlowError('invalid-argument', 'not a shared path', { remedy: 'use shared/', data: { path: 'x' } }),
      );
    expect(await refusal(remote.text('x'))).toEqual({
      code: 'invalid-argument',
      message: 'not a shared path',
      remedy: 'use shared/',
      data: { path: 'x' },
      retryable: false,
    });
    app.call = () => Promise.reject(new TypeError('a bug'));
    expect(await refusal(remote.call({ tool: 'taskflow', action: 'x' }))).toMatchObject({
      code: 'internal',
      message: 'taskflow x failed: a bug',
    });
  });

  test('answers many callers at once, each its own', async () => {
    const { root, path, remote } = await pair({ answer: async ({ action }) => ({ ok: true, action }) });
    const others = await Promise.all(Array.from({ length: 5 }, () => connectSocket(path, root)));
    const remotes = [remote, ...others.filter((other): other is RemoteApp => other !== undefined)];
    const actions = remotes.flatMap((caller, index) =>
      Array.from({ length: 10 }, (_, call) => ({ caller, action: `${index}-${call}` })),
    );
    const answers = await Promise.all(actions.map(({ caller, action }) => caller.call({ tool: 't', action })));
    expect(answers.map(({ action }) => action)).toEqual(actions.map(({ action }) => action));
    for (const other of others) await other?.close();
  });

  test('tells a follower what happens, from where it heard last, until it hangs up', async () => {
    const { app, remote } = await pair();
    const marks = { 'shared/events/2026-09/lead.jsonl': 7 };
    const heard = Promise.withResolvers<unknown>();
    expect(await remote.follow(marks, heard.resolve)).toEqual(marks);
    const happening = { at: '2026-09-01T10:00:00Z', kind: 'event', what: 'täsk' } as const;
    expect([...app.followers.values()]).toEqual([marks]);
    for (const [tell] of app.followers) tell(happening);
    expect(await heard.promise).toEqual(happening);
    await remote.close();
    await vi.waitFor(() => expect(app.followers.size).toBe(0));
  });

  test('keeps little for a follower who does not read, and says then how much is missing', async () => {
    const { app, path } = await pair();
    const sleeper = createConnection(path);
    onTestFinished(() => void sleeper.destroy());
    await once(sleeper, 'connect');
    const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'baton/follow', params: {} });
    sleeper.write(`Content-Length: ${request.length}\r\n\r\n${request}`);
    await once(sleeper, 'readable');
    const [tell] = [...app.followers.keys()];
    const long = { at: '', kind: 'event', what: 'x'.repeat(2_000) } as const;
    for (let told = 0; told < 5_000; told += 1) tell?.(long);
    let read = '';
    sleeper.setEncoding('utf8').on('data', (chunk: string) => (read += chunk));
    await vi.waitFor(() => expect(read).toContain('"kind":"gap"'), 10_000);
    expect(read).toContain('4000 happenings were not told');
  });

  test('is told at once that the node has stopped, and a call under way is answered before', async () => {
    const held = Promise.withResolvers<Envelope>();
    const asked = Promise.withResolvers<void>();
    const { door, remote } = await pair({
      answer: () => {
        asked.resolve();
        return held.promise;
      },
    });
    const answer = remote.call({ tool: 'taskflow', action: 'ack_task' });
    await asked.promise;
    const closing = door.close();
    held.resolve({ ok: true, action: 'ack_task' });
    expect(await answer).toEqual({ ok: true, action: 'ack_task' });
    await closing;
    await remote.closed;
    expect(await refusal(remote.call({ tool: 'taskflow', action: 'again' }))).toMatchObject({
      code: 'internal',
      retryable: true,
    });
  });

  test('is for its owner alone, whatever the umask lets others do', async () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const { path } = await pair();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('is not there when nobody listens', async () => {
    const root = tempWorkspace();
    expect(await connectSocket(socketPath(root, {}), root)).toBeUndefined();
  });

  test('is refused when the node there serves another workspace', async () => {
    const { path } = await pair();
    expect(await refusal(connectSocket(path, tempWorkspace()))).toMatchObject({ code: 'bad-workspace' });
  });
});

describe('the socket of a node', () => {
  test('replaces the file that a killed node left behind', async () => {
    const root = tempWorkspace();
    const path = socketPath(root, {});
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const killed = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(existsSync(path)).toBe(true);
    const door = await serveSocket(fakeApp({ root }), path);
    const remote = await connectSocket(path, root);
    expect(remote?.identity).toEqual(LEAD);
    await remote?.close();
    await door.close();
    expect(existsSync(path)).toBe(false);
  });

  test('is not taken from a process that answers on it', async () => {
    const { root, path } = await pair();
    expect(await refusal(serveSocket(fakeApp({ root }), path))).toMatchObject({ code: 'locked' });
  });

  test('leaves a file alone that is no socket', async () => {
    const root = tempWorkspace();
    const path = join(root, '.baton', 'node.sock');
    writeFileSync(path, 'mine');
    expect(await refusal(serveSocket(fakeApp({ root }), path))).toMatchObject({ code: 'bad-workspace' });
    expect(existsSync(path)).toBe(true);
  });

  test('drops a caller that speaks something else, and goes on', async () => {
    const { root, path } = await pair();
    const stranger = createConnection(path);
    await once(stranger, 'connect');
    stranger.end('GET / HTTP/1.1\r\n\r\n');
    const remote = await connectSocket(path, root);
    expect(await remote?.sync()).toEqual({ ok: true, action: 'sync' });
    await remote?.close();
  });
});

describe('the path of the socket', () => {
  test('lies in .baton, or where BATON_SOCKET says', () => {
    expect(socketPath('/srv/team', {})).toBe('/srv/team/.baton/node.sock');
    expect(socketPath('/work', { BATON_SOCKET: '/tmp/b.sock' })).toBe('/tmp/b.sock');
  });

  test('is refused when the system could not hold it, with the way out', async () => {
    const deep = `/${'d'.repeat(100)}`;
    expect(await refusal((async () => socketPath(deep, {}))())).toMatchObject({
      code: 'bad-workspace',
      message: expect.stringContaining('local socket'),
      remedy: expect.stringContaining('BATON_SOCKET=/short/path'),
    });
    expect(socketPath(deep, { BATON_SOCKET: '/short/path' })).toBe('/short/path');
  });

  test("at the limit can be listened on, so the limit is the system's own", async () => {
    const limit = process.platform === 'darwin' ? 103 : 107;
    const root = tempWorkspace();
    const path = socketPath(root, { BATON_SOCKET: join(root, 's'.repeat(limit - Buffer.byteLength(root) - 1)) });
    expect(Buffer.byteLength(path)).toBe(limit);
    const server = createServer().listen(path);
    await once(server, 'listening');
    await new Promise((resolve) => server.close(resolve));
  });
});
