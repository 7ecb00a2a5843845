import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished, describe, expect, test } from 'vitest';
import { initWorkspace, openApp } from '../../src/app.ts';
import type { App, Envelope } from '../../src/app-types.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';

const env = { PATH: process.env['PATH'] };
const ana = { localpart: 'ana', role: 'worker' };

/** A Leader's workspace without a remote, with a project `p` of one task for ana. */
async function open(): Promise<App> {
  const dir = join(testFolder('op'), 'ws');
  await initWorkspace({ dir, env, as: 'lead', role: 'leader' });
  const app = await openApp({ root: dir, env, log: { debug() {}, info() {}, warn() {}, error() {} } });
  onTestFinished(() => app.close());
  await app.call({ tool: 'projectflow', action: 'create_project', payload: { projectId: 'p', title: 'P' } });
  const tasks = [{ taskId: 'p-01', title: 'T', assignedTo: 'ana' }];
  await app.call({ tool: 'projectflow', action: 'plan_dag', payload: { projectId: 'p', tasks } });
  return app;
}

const delegate = (app: App): Promise<Envelope> =>
  app.call({
    tool: 'taskflow',
    action: 'delegate_task',
    payload: { projectId: 'p', taskId: 'p-01', roomId: '!r:local', spec: 'Do it.' },
  });

function put(app: App, path: string, text: string): void {
  mkdirSync(dirname(join(app.root, path)), { recursive: true });
  writeFileSync(join(app.root, path), text);
}

describe('an operation on a workspace', () => {
  test.each([
    ['taskflow', 'delegate_task', { projectId: 'p', taskId: 'p-01', roomId: '!r:x', spec: 'S' }, 'leader'],
    ['taskflow', 'cancel_task', { taskId: 'p-01', reason: 'R' }, 'leader'],
    ['projectflow', 'accept_task_result', { projectId: 'p', taskId: 'p-01' }, 'leader'],
    ['projectflow', 'cancel_task', { taskId: 'p-01', reason: 'R' }, 'leader'],
  ])('is refused to a worker by the name that was called: %s %s', async (tool, action, payload, role) => {
    const app = await open();
    const head = git(app.root, 'rev-parse', 'HEAD');
    expect(await app.call({ tool, action, payload, actor: ana })).toMatchObject({
      ok: false,
      code: 'wrong-role',
      error: `${action} requires ${role} role`,
    });
    expect([git(app.root, 'rev-parse', 'HEAD'), git(app.root, 'status', '--porcelain')]).toEqual([head, '']);
  });

  test.each([
    ['ack_task', {}],
    ['submit_task', { status: 'SUCCESS', summary: 'S' }],
    ['report_progress', { note: 'N' }],
  ])('is refused to a leader by the name that was called: %s', async (action, payload) => {
    const app = await open();
    expect(await app.call({ tool: 'taskflow', action, payload: { taskId: 'p-01', ...payload } })).toMatchObject({
      ok: false,
      code: 'wrong-role',
      error: `${action} requires worker role`,
    });
  });

  test('that cannot be carried out here is answered without a stack or a path of this machine', async () => {
    const app = await open();
    rmSync(join(app.root, '.baton/outbox.json'), { force: true });
    mkdirSync(join(app.root, '.baton/outbox.json/in-the-way'), { recursive: true });
    const broken = await delegate(app);
    const reason = 'the record of what is to be said cannot be written (EISDIR)';
    expect(broken).toMatchObject({ ok: false, code: 'bad-workspace', error: reason });
    renameSync(join(app.root, '.git'), join(app.root, 'git.away'));
    const gone = await app.call({ tool: 'projectflow', action: 'pause_project', payload: { projectId: 'p' } });
    expect(gone).toMatchObject({ ok: false, code: 'git-failed', error: expect.stringContaining("repository: '.git'") });
    for (const { error } of [broken, gone]) expect(error).not.toMatch(new RegExp(`${app.root}|\\n`));
    renameSync(join(app.root, 'git.away'), join(app.root, '.git'));
  });

  test('of filesync names the commit that holds what was fetched or published', async () => {
    const app = await open();
    await delegate(app);
    // What the delegation brings about is over then.
    await app.sync();
    const payload = { path: 'shared/tasks/p-01' };
    const shown = { path: 'shared/tasks/p-01/', kind: 'shared', localPath: 'shared/tasks/p-01/' };
    const head = (): string => git(app.root, 'rev-parse', 'HEAD');

    expect(await app.call({ tool: 'filesync', action: 'pull', payload })).toEqual({
      ok: true,
      tool: 'filesync',
      action: 'pull',
      ...shown,
      pulled: true,
      commit: head(),
    });
    put(app, 'shared/tasks/p-01/workspace/a.txt', 'a\n');
    const published = {
      ok: true,
      tool: 'filesync',
      action: 'push',
      ...shown,
      exclude: [],
      pushed: true,
      synced: true,
      remote: null,
      durability: 'committed',
    };
    const first = await app.call({ tool: 'filesync', action: 'push', payload, actor: ana });
    expect(first).toEqual({ ...published, commit: head() });
    expect(git(app.root, 'ls-files', 'shared/tasks/p-01/workspace')).toBe('shared/tasks/p-01/workspace/a.txt');
    expect(await app.call({ tool: 'filesync', action: 'push', payload, actor: ana })).toEqual(first);
  });
});
