import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { initWorkspace, startNode } from '../../src/app.ts';
import type { Envelope, RunningNode } from '../../src/app-types.ts';
import type { Sync } from '../../src/ports.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { findSecrets } from '../../src/protocol/secrets/scan.ts';
import { startDaemon } from '../../src/services/daemon.ts';
import { SOME_KEY } from '../protocol/secrets/samples.ts';
import { cleanEnvironment } from '../support/baton.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { eventually } from '../support/waiting.ts';
import { daemonParts } from './daemon-parts.ts';

interface Node extends RunningNode {
  readonly logged: readonly string[];
  must(tool: string, action: string, payload: object, as?: string): Promise<Envelope>;
}

const PLAN = 'shared/projects/p/plan.md';

async function startIn(dir: string, role: 'leader' | 'worker', as: string, remote?: string): Promise<Node> {
  const env = cleanEnvironment();
  await initWorkspace({ dir, env, role, as, ...(remote === undefined ? {} : { remote }) });
  const logged: string[] = [];
  const note = (fields: Record<string, unknown>, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const node = await startNode({ root: dir, env, log: { debug: note, info: note, warn: note, error: note } });
  onTestFinished(() => node.stop());
  return {
    ...node,
    logged,
    async must(tool, action, payload, who) {
      const actor = who === undefined ? {} : { actor: { localpart: who, role: 'worker' } };
      const answer = await node.call({ tool, action, payload, ...actor });
      expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
      return answer;
    },
  };
}

const put = (dir: string, path: string, text: string): void => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
};
const read = (dir: string, path: string): string => readFileSync(join(dir, path), 'utf8');
const record = (dir: string, path: string): Record<string, unknown> =>
  JSON.parse(read(dir, path)) as Record<string, unknown>;

function said(dir: string, part: string): number {
  const rooms = join(dir, '.baton/rooms');
  return readdirSync(rooms)
    .flatMap((name) => read(rooms, name).split('\n'))
    .filter((line) => line.includes(part)).length;
}

/** Project p with one task of ana's, delegated. */
async function plan(node: Node): Promise<void> {
  await node.must('projectflow', 'create_project', { projectId: 'p', title: 'P', source: 'team-admin' });
  const tasks = [{ taskId: 'p-01', title: 'Only', assignedTo: 'ana' }];
  await node.must('projectflow', 'plan_dag', { projectId: 'p', tasks });
  const claim = { projectId: 'p', taskId: 'p-01', roomId: '!team:local', spec: 'Do it.' };
  await node.must('taskflow', 'delegate_task', claim);
}

function accept(dir: string): void {
  put(dir, PLAN, read(dir, PLAN).replace('- [~] p-01', '- [x] p-01'));
}

describe('a running node', () => {
  test('takes up a marker edited by hand: the record is completed, all is committed, and the requester hears', async () => {
    const dir = join(testFolder('node'), 'lead');
    const node = await startIn(dir, 'leader', 'lead');
    await plan(node);
    await node.must('taskflow', 'submit_task', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, 'ana');
    accept(dir);
    await eventually(
      () => record(dir, 'shared/tasks/p-01/meta.json')['status'] === 'completed' || undefined,
      'the record follows the marker',
    );
    await eventually(() => {
      const report = record(dir, 'shared/projects/p/meta.json')['requester_report'] as { pending: boolean } | undefined;
      return report?.pending === false || undefined;
    }, 'the report is sent');
    await eventually(() => git(dir, 'status', '--porcelain') === '' || undefined, 'everything is committed');
    expect(git(dir, 'show', `HEAD:${PLAN}`)).toContain('- [x] p-01');
    expect(said(dir, '1 of 1 task is completed.')).toBe(1);
    expect(await node.must('projectflow', 'complete_project', { projectId: 'p' })).toMatchObject({
      project: { status: 'completed' },
    });
  });

  test('takes up what was edited while no node ran', async () => {
    const dir = join(testFolder('node'), 'lead');
    const first = await startIn(dir, 'leader', 'lead');
    await plan(first);
    await first.must('taskflow', 'submit_task', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, 'ana');
    await first.stop();
    accept(dir);
    const second = await startIn(dir, 'leader', 'lead');
    await eventually(
      () => record(dir, 'shared/tasks/p-01/meta.json')['status'] === 'completed' || undefined,
      'the record follows the marker',
    );
    await second.stop();
    expect(git(dir, 'show', `HEAD:${PLAN}`)).toContain('- [x] p-01');
  });

  test('lets a file that is written in pieces be finished before it is published', async () => {
    const dir = join(testFolder('node'), 'lead');
    const node = await startIn(dir, 'leader', 'lead');
    put(dir, 'shared/projects/q/meta.json', '{ "project_id": "q",');
    await eventually(
      () => node.logged.some((line) => line.startsWith('shared/projects/q/meta.json:1:21')) || undefined,
      'the first piece is noticed',
    );
    expect(git(dir, 'ls-files', 'shared/projects/q')).toBe('');
    put(dir, 'shared/projects/q/meta.json', '{ "project_id": "q", "title": "Q", "status": "active" }');
    await eventually(
      () => git(dir, 'ls-files', 'shared/projects/q') !== '' || undefined,
      'the finished file is committed',
    );
  });

  test('takes up what was held back for a secret as soon as that is allowed', async () => {
    const dir = join(testFolder('node'), 'lead');
    const node = await startIn(dir, 'leader', 'lead');
    await node.must('projectflow', 'create_project', { projectId: 'p', title: 'P', source: 'team-admin' });
    put(dir, 'shared/projects/p/notes.md', `token: ${SOME_KEY}\n`);
    const refusal = await eventually(
      () => node.logged.find((line) => line.includes('cannot be published') && line.includes('notes.md')),
      'it is held back',
    );
    expect(refusal).not.toContain(SOME_KEY);
    const [found] = findSecrets(`token: ${SOME_KEY}\n`);
    const team = record(dir, 'shared/team.json');
    const policies = { ...(team['policies'] as object), allowedSecrets: [found?.fingerprint] };
    put(dir, 'shared/team.json', `${JSON.stringify({ ...team, policies }, undefined, 2)}\n`);
    await eventually(
      () => git(dir, 'ls-files', 'shared/projects/p/notes.md') !== '' || undefined,
      'it is committed, and nobody has asked for it',
    );
  });

  test('of a Worker publishes what is its own, and says what is not', async () => {
    const folder = testFolder('node');
    const remote = join(folder, 'team.git');
    const lead = await startIn(join(folder, 'lead'), 'leader', 'lead', remote);
    const dir = join(folder, 'ana');
    const ana = await startIn(dir, 'worker', 'ana', remote);
    await plan(lead);
    await ana.must('taskflow', 'ack_task', { taskId: 'p-01' });
    accept(dir);
    put(dir, 'shared/tasks/p-01/workspace/draft.md', 'draft\n');
    await eventually(
      () =>
        git(remote, 'ls-tree', '-r', '--name-only', 'main').includes('shared/tasks/p-01/workspace/draft.md') ||
        undefined,
      'the draft is published and integrated',
    );
    await eventually(
      () => ana.logged.some((line) => line.includes('owned by somebody else') && line.includes(PLAN)) || undefined,
      'the foreign edit is told',
    );
    expect(git(remote, 'show', `lanes/ana:${PLAN}`)).toContain('- [~] p-01');
    expect(git(remote, 'show', `main:${PLAN}`)).toContain('- [~] p-01');
  });

  test('stops once, gives up the workspace, and refuses what comes later', async () => {
    const dir = join(testFolder('node'), 'lead');
    const node = await startIn(dir, 'leader', 'lead');
    await Promise.all([node.stop(), node.stop()]);
    await node.stopped;
    expect(readdirSync(join(dir, '.baton')).filter((name) => name.includes('lock'))).toEqual([]);
    expect(
      await node.call({ tool: 'projectflow', action: 'create_project', payload: { title: 'Late' } }),
    ).toMatchObject({ ok: false, code: 'locked', error: 'the node is stopping' });
    const next = await startIn(dir, 'leader', 'lead');
    await next.must('projectflow', 'create_project', { title: 'In time' });
  });
});

test('pushes that come in while the remote is taken up are taken up together', async () => {
  const answered = Promise.withResolvers<void>();
  let pulls = 0;
  let pushed: () => void = () => undefined;
  const nothing = { remote: true, changed: [], refusals: [], conflicts: [] };
  const daemon = await startDaemon({
    ...daemonParts({
      // The first pull is the one of its start.
      pull: () => (pulls++ === 1 ? answered.promise.then(() => nothing) : Promise.resolve(nothing)),
    }),
    watchRemote(onChange) {
      pushed = () => onChange(['refs/heads/lanes/ana']);
      return Promise.resolve({ close: () => Promise.resolve() });
    },
    pollInterval: 3_600_000,
  });
  pushed();
  await eventually(() => pulls === 2 || undefined, 'the first push is being taken up');
  for (let count = 0; count < 50; count += 1) pushed();
  answered.resolve();
  await daemon[Symbol.asyncDispose]();
  expect(pulls).toBe(3);
});

/** Runs a daemon for so many minutes of its own clock; what it took up, looked at and said meanwhile. */
async function running(
  minutes: number,
  sync: Partial<Sync>,
): Promise<{ adopted: unknown[]; looks: number; warned: unknown[] }> {
  const [adopted, warned]: [unknown[], unknown[]] = [[], []];
  let [looks, elapsed] = [0, 0];
  const enough = Promise.withResolvers<void>();
  const parts = daemonParts({
    adopt(paths) {
      adopted.push(paths);
      return Promise.resolve({ adopted: [], foreign: paths });
    },
    ...sync,
  });
  const daemon = await startDaemon({
    ...parts,
    reconciler: { ...parts.reconciler, wake: (changed) => (looks += changed === undefined ? 1 : 0) },
    log: { ...parts.log, warn: (fields) => warned.push(fields) },
    clock: {
      ...systemClock,
      elapsed: () => elapsed,
      async sleep(milliseconds, signal) {
        elapsed += milliseconds;
        if (elapsed < minutes * 60_000) return;
        enough.resolve();
        await systemClock.sleep(3_600_000, signal);
      },
    },
  });
  await enough.promise;
  await daemon[Symbol.asyncDispose]();
  return { adopted, looks, warned };
}

describe('what no watch has told of', () => {
  const edited = ['shared/tasks/ended/result.md'];
  /** Nothing at the start, and then always the same. */
  const found = (): Pick<Sync, 'dirty'> => {
    let calls = 0;
    return { dirty: () => Promise.resolve(calls++ === 0 ? [] : edited) };
  };

  test('is taken up once in ten minutes, and told once where it is not the own', async () => {
    expect(await running(9, found())).toEqual({ adopted: [], looks: 1, warned: [] });
    expect(await running(11, found())).toEqual({ adopted: [edited], looks: 2, warned: [{ paths: edited }] });
    expect(await running(22, found())).toEqual({ adopted: [edited, edited], looks: 3, warned: [{ paths: edited }] });
  });

  test('is taken up as often while the remote is away', async () => {
    const pull = (): Promise<never> => Promise.reject(new FlowError('sync-failed', 'away', { retryable: true }));
    const { adopted, looks } = await running(15, { ...found(), pull });
    expect(adopted).toEqual([edited]);
    expect(looks).toBe(2);
  });

  test('keeps no look at the whole tree from being had when it cannot be found out', async () => {
    let calls = 0;
    const dirty = (): Promise<readonly string[]> =>
      calls++ === 0 ? Promise.resolve([]) : Promise.reject(new Error('EACCES'));
    expect(await running(11, { dirty })).toMatchObject({ adopted: [], looks: 2 });
  });
});

describe('an edit that could not be taken up', () => {
  /** The first look finds one edit, and `adopt` refuses the first call; what each call was about. */
  async function refusedOnce(code: 'bad-workspace' | 'broken-file'): Promise<readonly unknown[]> {
    const asked: unknown[] = [];
    let looks = 0;
    await running(2, {
      dirty: () => Promise.resolve(looks++ === 0 ? ['shared/tasks/a/notes.md'] : []),
      adopt(paths) {
        asked.push(paths);
        if (asked.length === 1) return Promise.reject(new FlowError(code, 'not now'));
        return Promise.resolve({ adopted: paths, foreign: [] });
      },
    });
    return asked;
  }

  test('is taken up with the next poll where the whole clone was not to be worked in', async () => {
    expect(await refusedOnce('bad-workspace')).toEqual([['shared/tasks/a/notes.md'], ['shared/tasks/a/notes.md']]);
  });

  test('holds up no other where it was the file itself', async () => {
    expect(await refusedOnce('broken-file')).toEqual([['shared/tasks/a/notes.md']]);
  });
});
