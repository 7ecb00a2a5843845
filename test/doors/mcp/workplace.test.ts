import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createWorkplace } from '../../../src/doors/mcp/workplace.ts';
import { connectSocket } from '../../../src/doors/socket/client.ts';
import { serveSocket } from '../../../src/doors/socket/server.ts';
import { socketPath } from '../../../src/doors/workspace.ts';
import { FlowError } from '../../../src/protocol/errors.ts';
import { fakeApp, type FakeApp } from '../fake-app.ts';
import { tempWorkspace } from '../temp.ts';

const none = (): Promise<never> => Promise.reject(new Error('not this'));

function workplace(root: string, start: () => FakeApp, env: NodeJS.ProcessEnv = {}) {
  const notes: string[] = [];
  const place = createWorkplace({
    root,
    env,
    load: { app: () => Promise.resolve({ openApp: none, startNode: async () => start(), initWorkspace: none }) },
    note: (text) => notes.push(text),
  });
  return { place, notes };
}

describe('the workspace behind an MCP server', () => {
  test('is a node of its own when none runs: others reach it, and it stops with the server', async () => {
    const root = tempWorkspace();
    const node = fakeApp({ root });
    const { place } = workplace(root, () => node);
    expect(await place.app()).toBe(node);
    const other = await connectSocket(socketPath(root, {}), root);
    expect(await other?.call({ tool: 't', action: 'a' })).toEqual({ ok: true, tool: 't', action: 'a' });
    await place.close();
    expect({ stopped: node.state.stopped, socket: existsSync(socketPath(root, {})) }).toEqual({
      stopped: 1,
      socket: false,
    });
    await expect(place.app()).rejects.toMatchObject({ message: 'the server is stopping' });
  });

  test('is the running node when there is one, and becomes the node when that one goes', async () => {
    const root = tempWorkspace();
    const theirs = fakeApp({ root, mode: 'team' });
    const door = await serveSocket(theirs, socketPath(root, {}));
    const own = fakeApp({ root });
    const { place } = workplace(root, () => own);
    const remote = await place.app();
    expect(remote.mode).toBe('team');
    await door.close();
    await expect(remote.call({ tool: 't', action: 'lost' })).rejects.toMatchObject({ retryable: true });
    expect(await place.app()).toBe(own);
    await place.close();
    expect({ theirs: theirs.state.stopped, own: own.state.stopped }).toEqual({ theirs: 0, own: 1 });
  });

  test('is opened once, however many ask at once', async () => {
    const root = tempWorkspace();
    let started = 0;
    const { place } = workplace(root, () => {
      started += 1;
      return fakeApp({ root });
    });
    await Promise.all([place.app(), place.app(), place.app()]);
    expect(started).toBe(1);
    await place.close();
  });

  test('that could not be opened is tried again at the next call', async () => {
    const root = tempWorkspace();
    const node = fakeApp({ root });
    let attempts = 0;
    const { place } = workplace(root, () => {
      attempts += 1;
      if (attempts === 1) throw new FlowError('bad-config', 'not yet');
      return node;
    });
    await expect(place.app()).rejects.toMatchObject({ code: 'bad-config' });
    expect(await place.app()).toBe(node);
    await place.close();
  });

  test('serves its agent also where no socket can be, and says so', async () => {
    const root = tempWorkspace();
    const node = fakeApp({ root });
    const { place, notes } = workplace(root, () => node, { BATON_SOCKET: `/${'d'.repeat(120)}` });
    expect(await place.app()).toBe(node);
    expect(notes.join('\n')).toContain('BATON_SOCKET=/short/path');
    await place.close();
    expect(node.state.stopped).toBe(1);
  });
});
