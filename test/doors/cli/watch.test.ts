import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Happening } from '../../../src/app-types.ts';
import { runCli } from '../../../src/doors/cli/main.ts';
import { serveSocket, type SocketDoor } from '../../../src/doors/socket/server.ts';
import { socketPath } from '../../../src/doors/workspace.ts';
import { fakeApp, type FakeApp } from '../fake-app.ts';
import { tempWorkspace } from '../temp.ts';

const never = (): Promise<never> => Promise.reject(new Error('not this'));

/** `baton watch` in this process, and the node that it follows. */
async function watching(...words: readonly string[]) {
  const root = tempWorkspace();
  let door: SocketDoor | undefined;
  const start = async (): Promise<FakeApp> => {
    const app = fakeApp({ root });
    door = await serveSocket(app, socketPath(root, {}));
    return app;
  };
  onTestFinished(() => door?.close());
  const app = await start();
  const out: string[] = [];
  const unread = new AbortController();
  const code = runCli(['watch', ...words], {
    env: {},
    cwd: root,
    stdin: never,
    out: (text) => out.push(text),
    err: (text) => out.push(text),
    unread: unread.signal,
    terminal: { stdout: false, columns: 100 },
    load: { app: never, demo: never, chaos: never, mergeDriver: never },
  });
  const printed = (part: string): Promise<void> => vi.waitFor(() => expect(out.join('')).toContain(part), 10_000);
  await printed('node.watched');
  return { app, code, out, printed, unread, start, stop: () => door?.close() };
}

function tell({ followers }: FakeApp, ...happenings: readonly Partial<Happening>[]): void {
  for (const [follower] of followers)
    for (const happening of happenings)
      follower({ at: '2026-09-01T10:00:00Z', kind: 'event', what: 'task.delegated', ...happening });
}

describe('baton watch', () => {
  test('prints one line for each thing that happens, as plain text in a pipe, and ends with Ctrl-C', async () => {
    const { app, code, out, printed } = await watching();
    tell(
      app,
      { actor: 'lead', project: 'p', task: 't-1', from: 'pending', to: 'assigned', note: 'to ana\u001b[31m' },
      { kind: 'finding', what: 'orphan:t-2', task: 't-2', note: 'no plan holds it', remedy: 'cancel it' },
    );
    await printed('cancel it');
    process.emit('SIGINT');
    expect(await code).toBe(0);
    expect(out.slice(1)).toEqual([
      '2026-09-01T10:00:00Z  lead        task.delegated        t-1  pending → assigned  to ana\n',
      '2026-09-01T10:00:00Z  -           finding orphan:t-2    t-2  no plan holds it; cancel it\n',
    ]);
    await vi.waitFor(() => expect(app.followers.size).toBe(0));
  });

  test('prints a JSON document on every line, of what was asked for, and ends when nobody reads', async () => {
    const { app, code, out, printed, unread } = await watching('--json', '--project', 'p', '--task', 't-1');
    tell(
      app,
      { project: 'p', task: 't-1', id: 'e1' },
      { project: 'p', task: 't-2' },
      { project: 'q', task: 't-1' },
      { kind: 'message', what: 'm1' },
      { kind: 'gap', what: 'log', note: 'too much' },
    );
    await printed('too much');
    unread.abort();
    expect(await code).toBe(0);
    expect(out.map((text) => JSON.parse(text) as Happening).map(({ kind, what, id }) => [kind, what, id])).toEqual([
      ['node', 'node.watched', undefined],
      ['event', 'task.delegated', 'e1'],
      ['gap', 'log', undefined],
    ]);
  });

  test('waits for a node that has gone, and goes on from where its logs were', async () => {
    const { app, code, out, printed, start, stop } = await watching('--json');
    tell(app, { mark: { log: 'shared/events/2026-09/lead.jsonl', end: 70 } });
    await printed('"end":70');
    await stop();
    await printed('node.gone');
    const next = await start();
    await vi.waitFor(() => expect(next.followers.size).toBe(1), 10_000);
    expect([...next.followers.values()]).toEqual([{ 'shared/events/2026-09/lead.jsonl': 70 }]);
    await vi.waitFor(() => expect(out).toHaveLength(5), 10_000);
    process.emit('SIGTERM');
    expect(await code).toBe(0);
    expect(out.map((text) => (JSON.parse(text) as Happening).what)).toEqual([
      'node.watched',
      'task.delegated',
      'node.gone',
      'node',
      'node.watched',
    ]);
  });

  test('says where nobody tells it anything, and what starts a node', async () => {
    const out: string[] = [];
    const code = await runCli(['watch', '--json'], {
      env: {},
      cwd: tempWorkspace(),
      stdin: never,
      out: (text) => out.push(text),
      err: () => undefined,
      terminal: { stdout: false, columns: 100 },
      load: { app: never, demo: never, chaos: never, mergeDriver: never },
    });
    expect(code).toBe(1);
    expect(JSON.parse(out.join(''))).toMatchObject({
      ok: false,
      code: 'not-found',
      remedy: expect.stringContaining('`baton up`'),
    });
    expect(process.listenerCount('SIGINT')).toBe(0);
  });
});
