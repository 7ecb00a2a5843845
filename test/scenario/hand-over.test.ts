import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baton } from '../support/baton.ts';
import { cli, cliJson } from '../support/cli.ts';
import { keptFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { startAgent } from '../support/mcp.ts';

/**
 * Work that goes from one to another (features.md §3.1), and work that a Leader finishes for somebody, on a bare remote with
 * the Leader's clone and a Worker's. ana has a clone and a lane of her own; bo is on the roster only.
 */
const folder = keptFolder('hand-over');
const at = (name: string): string => join(folder.path, name);
const [lead, ana, remote] = [at('lead'), at('ana'), at('team.git')];
/** After the three tasks that the roster's tests make. */
const ID = 'TASK-004';

type Answer = Readonly<Record<string, unknown>>;
const json = (...words: readonly string[]): Promise<Answer> => cliJson(lead, ...words);
const published = (path: string): string => git(remote, 'show', `main:${path}`);
const fileOf = (task: string, name: string): string => join(lead, 'shared/tasks', task, name);
const place = (task: string, name: string, text: string): void => {
  mkdirSync(join(lead, 'shared/tasks', task), { recursive: true });
  writeFileSync(fileOf(task, name), text);
};

beforeAll(async () => {
  for (const [name, role] of [
    ['lead', 'leader'],
    ['ana', 'worker'],
  ] as const) {
    expect(await cli(folder.path, 'init', name, '--role', role, '--as', name, '--remote', remote)).toMatchObject({
      code: 0,
    });
  }
  // Nobody but the Leader is on the roster yet: names are looked at, and known by their lanes.
  const told = async (name: string): Promise<unknown> =>
    (await json('task', 'create', 'Early', '--assigned-to', name))['warning'];
  expect(git(remote, 'for-each-ref', '--format=%(refname:short)', 'refs/heads')).toBe('lanes/ana\nmain');
  expect([await told('ana'), await told('lead'), await told('anna')]).toEqual([
    undefined,
    undefined,
    'nobody here is known as anna: did you mean ana? `baton agent register anna` puts that name on the roster',
  ]);
  expect(await json('doctor')).toMatchObject({
    findings: expect.arrayContaining([
      {
        check: 'roster',
        ok: true,
        detail: 'ana works in a clone of its own and is not on the roster',
        remedy: 'baton agent register ana',
      },
    ]) as unknown,
  });
  for (const name of ['ana', 'bo']) await json('agent', 'register', name, '--max-concurrent', '5');
  expect(await json('task', 'create', 'Late', '--assigned-to', 'anna')).toMatchObject({
    code: 'not-found',
    error: 'Agent not found: anna',
    remedy: expect.stringContaining('did you mean ana?') as string,
  });
  await json('create', 'Feature', '--plan', 'Models, then tests.');
  await json('transition', ID, 'approve');
});
afterAll(() => folder.remove());

describe('a hand-over', () => {
  test('lets a task go on whose dev subtask has failed (S002-19, features.md §3.1)', async () => {
    await json('dispatch', ID, 'Models', '--agent', 'bo');
    await json('dispatch', ID, 'Tests', '--agent', 'bo', '--type', 'test', '--deps', 'subtask_01');
    await json('subtask', ID, 'subtask_01', 'fail', '--note', 'no disk');
    const { alerts } = await json('check', ID);
    expect(alerts).toMatchObject([{ type: 'failed', command: `baton task hand-over ${ID}-01 AGENT` }]);

    // Who failed may try again, and the command line starts as a user starts it.
    const run = await baton(lead, 'subtask', ID, 'subtask_01', 'hand-over', '--agent', 'bo', '--note', 'disk is back');
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toBe(
      `subtask_01: handed over to bo as subtask_03, which \`baton subtask ${ID} subtask_03 assign\` gives out\n`,
    );
    expect(await json('subtask', ID, 'subtask_03', 'assign')).toMatchObject({ ok: true, status: 'ASSIGNED' });
    const done = await json('subtask', ID, 'subtask_03', 'done');
    expect(done).toMatchObject({ status: 'DONE', task_status: 'TESTING' });
    expect(await json('status', ID)).toMatchObject({
      subtasks: [
        { id: 'subtask_02', status: 'PENDING', deps: ['subtask_03'] },
        { id: 'subtask_03', status: 'DONE' },
      ],
    });
  });

  test('is taken back as long as nobody has begun, from the command line as over MCP', async () => {
    const leader = await startAgent(lead);
    await json('subtask', ID, 'subtask_02', 'assign');
    const given = { taskId: `${ID}-02`, assignedTo: 'ana', reason: 'bo is ill' };
    expect(await leader.must('taskflow', 'hand_over_task', given)).toMatchObject({
      task: { status: 'superseded', superseded_by: `${ID}-04` },
      replacement: { status: 'pending', assigned_to: 'ana', delegate_reason: 'bo is ill' },
    });
    expect(await json('subtask', ID, 'subtask_02', 'take-back')).toMatchObject({
      ok: true,
      status: 'IN_PROGRESS',
      replacement_id: 'subtask_04',
      message: 'subtask_02: taken back, subtask_04 is cancelled',
    });
    expect(await json('task', 'hand-over', `${ID}-02`, 'ana')).toMatchObject({ replacement: { task_id: `${ID}-05` } });
    expect(await leader.must('taskflow', 'take_back_task', { taskId: `${ID}-02` })).toMatchObject({
      task: { status: 'in_progress', assigned_to: 'bo' },
    });
    expect(await json('subtask', ID, 'subtask_02', 'done')).toMatchObject({ status: 'DONE', task_status: 'REVIEW' });
    await leader.close();
  });

  test.each([
    [['subtask', ID, 'subtask_02', 'hand-over'], 2, 'hand-over needs --agent <name>'],
    [['subtask', ID, 'subtask_02', 'hand-over', '--agent', 'ana'], 1, "Invalid transition: DONE + 'hand-over'"],
    [['subtask', ID, 'subtask_02', 'take-back'], 1, "Invalid transition: DONE + 'take-back'"],
    [['task', 'hand-over', 'TASK-404', 'ana'], 1, 'task not found: TASK-404'],
  ])('that cannot be is refused and changes nothing: %j', async (words, exit, error) => {
    const before = git(remote, 'rev-parse', 'main');
    const { code, stdout } = await cli(lead, ...words, '--json');
    const answer = JSON.parse(stdout) as Answer;
    expect([code, answer['ok']]).toEqual([exit, false]);
    expect(answer['error']).toContain(error);
    expect(git(remote, 'rev-parse', 'main')).toBe(before);
  });
});

describe('finishing for an agent of a team', () => {
  test('publishes what lies in the folder of one that has no clone of its own', async () => {
    await json('task', 'create', 'Report', '--task-id', 'r1', '--assigned-to', 'bo');
    await json('subtask', 'inbox', 'r1', 'assign');
    place('r1', 'report.md', 'All of it.\n');
    expect(await json('subtask', 'inbox', 'r1', 'done')).toMatchObject({ ok: true, status: 'DONE' });
    expect(published('shared/tasks/r1/report.md')).toBe('All of it.');
    expect(git(lead, 'status', '--porcelain')).toBe('');
    await cli(ana, 'sync', 'now');
    expect(existsSync(join(ana, 'shared/tasks/r1/report.md'))).toBe(true);
  });

  test('leaves the files of one that has a clone to that one, and says so', async () => {
    await json('task', 'create', 'Survey', '--task-id', 's1', '--assigned-to', 'ana');
    await json('subtask', 'inbox', 's1', 'assign');
    expect(await cliJson(ana, 'task', 'ack', 's1')).toMatchObject({ ok: true });
    place('s1', 'survey.md', 'Not ours.\n');
    const before = git(remote, 'rev-parse', 'main');
    const refused = await json('subtask', 'inbox', 's1', 'done');
    expect(refused).toMatchObject({
      ok: false,
      code: 'not-owner',
      error:
        'shared/tasks/s1/survey.md belongs to ana, who works in a clone of its own (lanes/ana): it is not published from here',
      remedy: "let ana hand in its work, or take the file out of the task's folder; then try again",
    });
    expect(await json('subtask', 'inbox', 's1', 'start')).toMatchObject({ status: 'IN_PROGRESS' });
    expect(git(remote, 'log', '--format=%s', `${before}..main`)).not.toContain('finish_task');
    expect(existsSync(fileOf('s1', 'survey.md'))).toBe(true);

    rmSync(fileOf('s1', 'survey.md'));
    expect(await json('subtask', 'inbox', 's1', 'done', '--note', 'Told by phone.')).toMatchObject({ status: 'DONE' });
    expect(published('shared/tasks/s1/result.md')).toContain('SUMMARY: Told by phone.');
  });

  test('is refused while the remote is away, and goes through when it is called again', async () => {
    await json('task', 'create', 'Later', '--task-id', 'l1', '--assigned-to', 'bo');
    await json('subtask', 'inbox', 'l1', 'assign');
    place('l1', 'late.md', 'Kept.\n');
    const record = readFileSync(fileOf('l1', 'meta.json'), 'utf8');
    renameSync(remote, at('away.git'));
    expect(await json('subtask', 'inbox', 'l1', 'done', '--note', 'Done.')).toMatchObject({
      ok: false,
      code: 'sync-failed',
      retryable: true,
      remedy: expect.stringMatching(/^nothing was changed: /) as string,
    });
    expect(readFileSync(fileOf('l1', 'meta.json'), 'utf8')).toBe(record);
    expect([existsSync(fileOf('l1', 'late.md')), existsSync(fileOf('l1', 'result.md'))]).toEqual([true, false]);

    renameSync(at('away.git'), remote);
    expect(await json('subtask', 'inbox', 'l1', 'done', '--note', 'Done.')).toMatchObject({ ok: true, status: 'DONE' });
    expect(published('shared/tasks/l1/late.md')).toBe('Kept.');
    expect(published('shared/tasks/l1/result.md')).toContain('SUMMARY: Done.');
  });
});
