import { connectSocket, type RemoteApp } from '../../../src/doors/socket/client.ts';
import { runCli } from '../../../src/doors/cli/main.ts';
import { socketPath } from '../../../src/doors/workspace.ts';
import { describe, expect, test } from 'vitest';
import { fakeApp } from '../fake-app.ts';
import { tempWorkspace } from '../temp.ts';

const never = (): Promise<never> => Promise.reject(new Error('not this'));

/** `baton up` in this process; `printed` settles with its first words, which say that it is up. */
function up(env: NodeJS.ProcessEnv = {}) {
  const root = tempWorkspace();
  const node = fakeApp({ root });
  const printed = Promise.withResolvers<string>();
  const err: string[] = [];
  const code = runCli(['up', '--json'], {
    env,
    cwd: root,
    stdin: never,
    out: (text) => printed.resolve(text),
    err: (text) => err.push(text),
    terminal: { stdout: false, columns: 80 },
    load: {
      app: () =>
        Promise.resolve({
          openApp: never,
          startNode: () => Promise.resolve(node),
          initWorkspace: never,
          lookAt: never,
        }),
      demo: never,
      chaos: never,
      mergeDriver: never,
    },
  });
  return { root, node, code, err, printed: printed.promise };
}

describe('baton up', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('is reachable until %s, and then stops its node', async (signal) => {
    const { root, node, code, printed } = up();
    expect(JSON.parse(await printed)).toMatchObject({ ok: true, action: 'up', root, mode: 'solo', pid: process.pid });
    const remote = (await connectSocket(socketPath(root, {}), root)) as RemoteApp;
    expect(await remote.sync()).toEqual({ ok: true, action: 'sync' });
    process.emit(signal);
    expect(await code).toBe(0);
    await remote.closed;
    expect({ stopped: node.state.stopped, listeners: process.listenerCount(signal) }).toEqual({
      stopped: 1,
      listeners: 0,
    });
  });

  test('ends with the node when that stops by itself', async () => {
    const { node, code, printed } = up();
    await printed;
    await node.stop();
    expect(await code).toBe(0);
  });

  test('is refused before anything starts when its socket could not be', async () => {
    const { node, code, printed } = up({ BATON_SOCKET: `/${'d'.repeat(120)}` });
    expect(await code).toBe(1);
    expect(JSON.parse(await printed)).toMatchObject({ ok: false, code: 'bad-workspace' });
    expect(node.state.stopped).toBe(0);
  });
});
