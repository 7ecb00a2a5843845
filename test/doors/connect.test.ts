import { describe, expect, test } from 'vitest';
import { connect, type Loaders } from '../../src/doors/connect.ts';
import { serveSocket } from '../../src/doors/socket/server.ts';
import { socketPath } from '../../src/doors/workspace.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import type { App } from '../../src/app-types.ts';
import { fakeApp } from './fake-app.ts';
import { tempWorkspace } from './temp.ts';

const none = (): Promise<never> => Promise.reject(new Error('not this'));
const held = (): never => {
  throw new FlowError('locked', 'held by another process');
};

/** An app module whose `openApp` does what the list says, one entry a call. */
function opening(...attempts: readonly (() => Promise<App> | App)[]): {
  readonly load: Loaders;
  readonly count: () => number;
} {
  let count = 0;
  const openApp = async (): Promise<App> => {
    const attempt = attempts[Math.min(count, attempts.length - 1)];
    count += 1;
    if (attempt === undefined) throw new Error('opened too often');
    return attempt();
  };
  return {
    load: { app: () => Promise.resolve({ openApp, startNode: none, initWorkspace: none }) },
    count: () => count,
  };
}

describe('how a door finds its app', () => {
  test('the running node is talked to, and nothing is opened', async () => {
    const root = tempWorkspace();
    const door = await serveSocket(fakeApp({ root, mode: 'team' }), socketPath(root, {}));
    const { load, count } = opening();
    const app = await connect({ root, env: {}, load });
    expect({ mode: app.mode, opened: count() }).toEqual({ mode: 'team', opened: 0 });
    await app.close();
    await door.close();
  });

  test('without a node the workspace is opened here', async () => {
    const root = tempWorkspace();
    const own = fakeApp({ root });
    expect(await connect({ root, env: {}, load: opening(() => own).load })).toBe(own);
  });

  test('another short call is waited for', async () => {
    const root = tempWorkspace();
    const own = fakeApp({ root });
    const { load, count } = opening(held, held, () => own);
    expect(await connect({ root, env: {}, load })).toBe(own);
    expect(count()).toBe(3);
  });

  test('a node that is just starting is talked to once it listens', async () => {
    const root = tempWorkspace();
    const node = fakeApp({ root, mode: 'team' });
    const { load } = opening(async () => {
      // The holder of the lock opens its socket a moment after it has taken the lock.
      await serveSocket(node, socketPath(root, {}));
      throw new FlowError('locked', 'starting');
    });
    const app = await connect({ root, env: {}, load });
    expect(await app.call({ tool: 't', action: 'a' })).toEqual({ ok: true, tool: 't', action: 'a' });
    expect(node.calls).toEqual([{ tool: 't', action: 'a' }]);
    await app.close();
  });

  test('any other refusal is the answer', async () => {
    const root = tempWorkspace();
    const { load, count } = opening(() => {
      throw new FlowError('bad-config', 'no');
    });
    await expect(connect({ root, env: {}, load })).rejects.toMatchObject({ code: 'bad-config' });
    expect(count()).toBe(1);
  });

  test('a path too long for a socket does not matter while nobody holds the workspace', async () => {
    const root = tempWorkspace();
    const own = fakeApp({ root });
    const env = { BATON_SOCKET: `/${'d'.repeat(120)}` };
    expect(await connect({ root, env, load: opening(() => own).load })).toBe(own);
  });

  test(
    'a holder that never lets go is reported, as the unreachable socket when that is why',
    { timeout: 30_000 },
    async () => {
      const root = tempWorkspace();
      const outcomes = await Promise.allSettled([
        connect({ root, env: {}, load: opening(held).load, backOff: [1, 1] }),
        connect({ root, env: { BATON_SOCKET: `/${'d'.repeat(120)}` }, load: opening(held).load, backOff: [1, 1] }),
      ]);
      expect(outcomes).toMatchObject([
        { status: 'rejected', reason: { code: 'locked' } },
        { status: 'rejected', reason: { code: 'bad-workspace' } },
      ]);
    },
  );
});
