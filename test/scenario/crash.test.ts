import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectSocket } from '../../src/doors/socket/client.ts';
import type { Envelope } from '../../src/app-types.ts';
import { cliJson } from '../support/cli.ts';
import { filesOf, git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import type { RunningNode } from '../support/node.ts';
import { onPush, unplug } from '../support/remote.ts';
import { makeTeam } from '../support/team.ts';
import type { Team } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';

const ROOM = '!team:local';
const projectId = 'p';

/** A call to the running node, over its socket only; rejects when the node dies before it answers. */
async function ask(workspace: string, tool: string, action: string, payload: object): Promise<Envelope> {
  const app = await connectSocket(join(workspace, '.baton/node.sock'), workspace);
  if (app === undefined) throw new Error('no node answers');
  try {
    return await app.call({ tool, action, payload });
  } finally {
    await app.close();
  }
}

async function must(workspace: string, tool: string, action: string, payload: object): Promise<Envelope> {
  const answer = await ask(workspace, tool, action, payload);
  expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
  return answer;
}

const claim = (taskId: string): object => ({ projectId, taskId, roomId: ROOM, spec: `Do ${taskId}.` });

/** Lines of the room log of a clone that say `part`. */
function saidIn(workspace: string, part: string): number {
  const folder = join(workspace, '.baton/rooms');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line.includes(part)).length;
}

/** The remote kills the node at its next push, then goes on as `then` says. */
function killOnPush({ remote }: Team, hook: 'pre-receive' | 'post-receive', { pid }: RunningNode, then: string): void {
  onPush(remote, hook, `rm -f "$0"\nkill -9 ${pid}\n${then}`);
}

/** Everything that is on main of the remote can be read, and the clone shows nothing else. */
function expectWhole(workspace: string, remote: string, branch = 'main'): void {
  const problems: string[] = [];
  for (const [path, there] of filesOf(remote, branch)) {
    if (path.endsWith('.json')) JSON.parse(there);
    if (path.endsWith('.jsonl')) for (const line of there.split('\n')) JSON.parse(line);
    const here = existsSync(join(workspace, path)) ? readFileSync(join(workspace, path), 'utf8').trim() : 'missing';
    if (here !== there) problems.push(path);
  }
  expect(problems).toEqual([]);
  expect(git(workspace, 'status', '--porcelain')).toBe('');
}

/** A team whose Leader has a project of independent tasks for ana. */
async function planned(count: number): Promise<Team> {
  const team = await makeTeam();
  await cliJson(team.lead, 'project', 'create', 'P', '--project-id', projectId);
  const tasks = Array.from({ length: count }, (_, index) => ({
    taskId: `p-${String(index + 1).padStart(2, '0')}`,
    title: `Task ${index + 1}`,
    assignedTo: 'ana',
  }));
  const answer = await cliJson(team.lead, 'project', 'plan', projectId, '--tasks', JSON.stringify(tasks));
  expect(answer).toMatchObject({ ok: true });
  return team;
}

/** ana's clone after she has taken on p-01. */
async function underWay(options: { readonly notify?: boolean } = {}): Promise<Team> {
  const team = await planned(1);
  const payload = JSON.stringify({ ...claim('p-01'), ...options });
  expect(await cliJson(team.lead, 'taskflow', 'delegate_task', '--payload', payload)).toMatchObject({ ok: true });
  expect(await cliJson(team.ana, 'task', 'ack', 'p-01')).toMatchObject({ ok: true });
  return team;
}

const RESULT = { taskId: 'p-01', status: 'SUCCESS', summary: 'All done.' };

describe('a node that is killed', () => {
  test('before its push arrives leaves nothing of the call, and the repeated call does all of it once', async () => {
    const team = await planned(1);
    const node = await startUp(team.lead);
    const before = git(team.remote, 'rev-parse', 'main');
    killOnPush(team, 'pre-receive', node, 'exit 1');
    await expect(ask(team.lead, 'taskflow', 'delegate_task', claim('p-01'))).rejects.toThrow();
    await node.kill();
    expect(git(team.remote, 'rev-parse', 'main')).toBe(before);

    const again = await startUp(team.lead);
    expect(again.log()).toContain('took over the lock of a node that is gone');
    await must(team.lead, 'node', 'board', {});
    expect(saidIn(team.lead, 'TASK_ASSIGNED: p-01'), 'nothing is announced that never happened').toBe(0);
    const owed = (): readonly unknown[] =>
      (JSON.parse(readFileSync(join(team.lead, '.baton/outbox.json'), 'utf8')) as { owed: readonly unknown[] }).owed;
    await eventually(() => owed().length === 0 || undefined, 'what never happened is owed no more');
    expect(saidIn(team.lead, 'TASK_ASSIGNED: p-01')).toBe(0);
    await must(team.lead, 'taskflow', 'delegate_task', claim('p-01'));
    expect(saidIn(team.lead, 'TASK_ASSIGNED: p-01')).toBe(1);
    expect(await again.stop()).toBe(0);
    expectWhole(team.lead, team.remote);
  });

  test('after its push and before it has written the files takes them in at the next start, and announces once', async () => {
    const team = await planned(1);
    const node = await startUp(team.lead);
    killOnPush(team, 'post-receive', node, '');
    await expect(ask(team.lead, 'taskflow', 'delegate_task', claim('p-01'))).rejects.toThrow();
    await node.kill();
    expect(git(team.remote, 'show', 'main:shared/tasks/p-01/spec.md')).toBe('Do p-01.');
    expect(existsSync(join(team.lead, 'shared/tasks/p-01/spec.md'))).toBe(false);

    const again = await startUp(team.lead);
    await eventually(() => saidIn(team.lead, 'TASK_ASSIGNED: p-01') === 1 || undefined, 'the assignment is announced');
    expect(await must(team.lead, 'taskflow', 'delegate_task', claim('p-01'))).toMatchObject({
      task: { task_id: 'p-01', status: 'assigned' },
    });
    expect(await again.stop()).toBe(0);
    const third = await startUp(team.lead);
    expect(await third.stop()).toBe(0);
    expect(saidIn(team.lead, 'TASK_ASSIGNED: p-01')).toBe(1);
    expectWhole(team.lead, team.remote);
  });

  test('after the files are written and before anything is said says it at the next start, once', async () => {
    // Nothing to say before the submission: the rooms are read for the first time when it is to be announced.
    const team = await underWay({ notify: false });
    const node = await startUp(team.ana);
    // Reading this log waits for a writer that never comes: the node stands still just before it speaks.
    const wall = join(team.ana, '.baton/rooms/wall.jsonl');
    mkdirSync(join(team.ana, '.baton/rooms'), { recursive: true });
    execFileSync('mkfifo', [wall]);
    const call = ask(team.ana, 'taskflow', 'submit_task', RESULT).catch((error: unknown) => error);
    await eventually(
      () => existsSync(join(team.ana, 'shared/tasks/p-01/result.md')) || undefined,
      'the files of the submission are written',
    );
    await eventually(
      () => git(team.ana, 'rev-parse', 'HEAD') === git(team.remote, 'rev-parse', 'lanes/ana') || undefined,
      'the lane is published',
    );
    await node.kill();
    expect(await call).toBeInstanceOf(Error);
    rmSync(wall);
    expect(saidIn(team.ana, 'TASK_COMPLETED: p-01')).toBe(0);

    const again = await startUp(team.ana);
    await eventually(() => saidIn(team.ana, 'TASK_COMPLETED: p-01') === 1 || undefined, 'the completion is announced');
    expect(await must(team.ana, 'taskflow', 'submit_task', RESULT)).toMatchObject({ reused: true, synced: true });
    expect(await again.stop()).toBe(0);
    expect(saidIn(team.ana, 'TASK_COMPLETED: p-01')).toBe(1);
    expectWhole(team.ana, team.remote, 'lanes/ana');
  });

  test('again and again at any moment loses nothing that it answered, and announces everything once', async () => {
    const count = 24;
    const team = await planned(count);
    const tasks = Array.from({ length: count }, (_, index) => `p-${String(index + 1).padStart(2, '0')}`);
    const answered: string[] = [];
    const left = [...tasks];
    let wasKilled = false;
    for (let round = 1; left.length > 0; round += 1) {
      const node = await startUp(team.lead);
      // A moment that differs from round to round; the last one is left in peace.
      const doomed = round < 7 ? setTimeout(() => void node.kill(), 40 + 83 * round) : undefined;
      try {
        for (let taskId = left[0]; taskId !== undefined; taskId = left[0]) {
          const answer = await ask(team.lead, 'taskflow', 'delegate_task', claim(taskId));
          expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
          answered.push(taskId);
          left.shift();
        }
      } catch (error) {
        if (doomed === undefined) throw error;
      }
      clearTimeout(doomed);
      wasKilled = doomed !== undefined;
      if (wasKilled) await node.kill();
      else expect(await node.stop()).toBe(0);
    }
    expect(answered).toEqual(tasks);
    // What a killed one left half done is made good by the next start.
    if (wasKilled) expect(await (await startUp(team.lead)).stop()).toBe(0);
    const told = tasks.map((taskId) => [taskId, saidIn(team.lead, `TASK_ASSIGNED: ${taskId} `)]);
    expect(told).toEqual(tasks.map((taskId) => [taskId, 1]));
    const published = filesOf(team.remote, 'main');
    for (const taskId of tasks) {
      const meta = JSON.parse(published.get(`shared/tasks/${taskId}/meta.json`) ?? '{}') as object;
      expect(meta).toMatchObject({ task_id: taskId, status: 'assigned' });
    }
    expectWhole(team.lead, team.remote);
  });
});

test('work that is submitted while the remote is away is kept, and published and announced once when it is back', async () => {
  const team = await underWay();
  const [lead, ana] = [await startUp(team.lead), await startUp(team.ana)];
  mkdirSync(join(team.ana, 'shared/tasks/p-01/workspace'), { recursive: true });
  const file = 'shared/tasks/p-01/workspace/out.md';
  writeFileSync(join(team.ana, file), 'out\n');
  const result = { ...RESULT, deliverables: [file] };

  const back = unplug(team.remote);
  const kept = await ask(team.ana, 'taskflow', 'submit_task', result);
  expect(kept).toMatchObject({
    ok: false,
    code: 'sync-failed',
    retryable: true,
    statePersisted: true,
    synced: false,
    task: { status: 'submitted' },
  });
  expect(saidIn(team.ana, 'TASK_COMPLETED: p-01')).toBe(0);
  // Asked again meanwhile, the answer is the same, and nothing is submitted a second time.
  expect(await ask(team.ana, 'taskflow', 'submit_task', result)).toMatchObject({
    ok: false,
    code: 'sync-failed',
    statePersisted: true,
  });
  expect(git(team.ana, 'log', '--format=%s', 'lanes/ana', '--grep', 'submit_task').split('\n')).toHaveLength(1);

  back();
  await eventually(
    () => git(team.remote, 'ls-tree', '-r', '--name-only', 'main').includes(file) || undefined,
    'the lane is pushed by itself, and integrated',
  );
  await eventually(() => saidIn(team.ana, 'TASK_COMPLETED: p-01') === 1 || undefined, 'the completion is announced');
  const { submission_id: submission } = kept['task'] as { submission_id: string };
  expect(await must(team.ana, 'taskflow', 'submit_task', result)).toMatchObject({
    reused: true,
    synced: true,
    task: { submission_id: submission },
  });
  await eventually(() => saidIn(team.lead, 'TASK_COMPLETED: p-01') === 1 || undefined, "the Leader's room hears of it");
  expect(await must(team.lead, 'taskflow', 'check_task', { taskId: 'p-01' })).toMatchObject({ effective: true });
  expect([await ana.stop(), await lead.stop()]).toEqual([0, 0]);
  expect([saidIn(team.ana, 'TASK_COMPLETED: p-01'), saidIn(team.lead, 'TASK_COMPLETED: p-01')]).toEqual([1, 1]);
});
