import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { keptFolder } from '../support/folders.ts';
import { startAgent } from '../support/mcp.ts';
import { eventually } from '../support/waiting.ts';

/**
 * The task engine (features.md S002) on a team: a bare remote, the Leader's clone, a second one that leads as well, and a
 * Worker's. Commands run in this process, where no node runs; the Leader and the Worker are also served over MCP.
 */
const folder = keptFolder('engine');
const at = (name: string): string => join(folder.path, name);
const [lead, deputy, ana] = [at('lead'), at('deputy'), at('ana')];

type Answer = Readonly<Record<string, unknown>>;
const json = (cwd: string, ...words: readonly string[]): Promise<Answer> => cliJson(cwd, ...words);

beforeAll(async () => {
  for (const [name, role] of [
    ['lead', 'leader'],
    ['deputy', 'leader'],
    ['ana', 'worker'],
  ] as const) {
    const run = await cli(folder.path, 'init', name, '--role', role, '--as', name, '--remote', at('team.git'));
    expect(run).toMatchObject({ code: 0 });
  }
});
afterAll(() => folder.remove());

describe('the task engine from the command line', () => {
  test('two clones that create at once end with two tasks, which both of them list (S002-01, S002-02, S002-03, S002-05)', async () => {
    const made = await Promise.all([
      json(
        lead,
        'create',
        'Implement feature X',
        '--priority',
        'P0',
        '--plan',
        '2 phases: models, tests',
        '--eta',
        '2h',
      ),
      json(deputy, 'create', 'Feature Y', '--priority', 'P1'),
    ]);
    const ids = made.map(({ task_id: id }) => String(id));
    expect(new Set(ids)).toEqual(new Set(['TASK-001', 'TASK-002']));
    expect(made).toEqual(
      ids.map((id) => ({
        ok: true,
        task_id: id,
        status: 'PLANNING',
        message: `Created ${id}`,
        durability: 'replicated',
      })),
    );
    // Titles went with their ids, whoever was first.
    const titles = new Map(ids.map((id, index) => [id, ['Implement feature X', 'Feature Y'][index]]));
    for (const clone of [lead, deputy]) {
      const { tasks, count } = await json(clone, 'status');
      expect([count, tasks]).toMatchObject([
        2,
        ['TASK-001', 'TASK-002'].map((id) => ({ task_id: id, title: titles.get(id), status: 'PLANNING', progress: 0 })),
      ]);
    }
  });

  test('two clones that make the inbox at once end with one inbox of two tasks (features.md C2, §7.6)', async () => {
    const made = await Promise.all([json(lead, 'task', 'create', 'One'), json(deputy, 'task', 'create', 'Two')]);
    const ids = made.map(({ task }) => (task as Answer)['task_id'] as string);
    expect(new Set(ids)).toEqual(new Set(['TASK-003', 'TASK-004']));
    await json(lead, 'status');
    const plan = readFileSync(join(lead, 'shared/projects/inbox/plan.md'), 'utf8');
    expect(plan.match(/^- .*$/gm)).toEqual(
      ['TASK-003', 'TASK-004'].map((id) => `- [ ] ${id} — ${ids[0] === id ? 'One' : 'Two'} (assigned: -)`),
    );
  });

  test('one task is driven by command line and MCP in turn, up to its archive (S002-04, S002-06, S002-07, S002-10, S002-11, S002-12, S002-13, S002-16, S002-19, S002-24, S002-29)', async () => {
    const id = String((await json(lead, 'create', 'Drive', '--plan', 'Models, then tests.'))['task_id']);
    const [leader, worker] = await Promise.all([startAgent(lead), startAgent(ana)]);

    // The Leader's node runs now, and the command line talks to it.
    const approved = await json(lead, 'transition', id, 'approve', '--note', 'Plan approved');
    expect(approved).toMatchObject({ ok: true, status: 'APPROVED', message: `${id}: PLANNING → APPROVED` });
    const first = await json(lead, 'dispatch', id, 'Models', '--agent', 'ana', '--type', 'dev', '--context', 'All.');
    expect(first).toMatchObject({ ok: true, task_id: id, subtask_id: 'subtask_01', status: 'ASSIGNED' });
    const unknown = await json(lead, 'dispatch', id, 'X', '--agent', 'ana', '--deps', 'subtask_99');
    expect(unknown).toMatchObject({ ok: false, error: '--deps names unknown tasks: subtask_99' });
    expect(JSON.stringify(unknown)).not.toContain(`${id}-02`);
    const second = await json(
      lead,
      'dispatch',
      id,
      'Tests',
      '--agent',
      'ana',
      '--type',
      'test',
      '--deps',
      'subtask_01',
    );
    expect(second).toMatchObject({ subtask_id: 'subtask_02', status: 'PENDING' });
    const early = await json(lead, 'subtask', id, 'subtask_02', 'start');
    expect(early).toMatchObject({ ok: false, error: 'Dependency not DONE: subtask_01' });

    // The Worker does the first subtask over MCP, in its own clone; its result counts by itself.
    await worker.must('filesync', 'pull', { path: 'shared/tasks/' });
    await worker.must('taskflow', 'ack_task', { taskId: `${id}-01` });
    await worker.must('taskflow', 'submit_task', {
      taskId: `${id}-01`,
      status: 'SUCCESS',
      summary: 'Models are there.',
    });
    const tested = await eventually(async () => {
      const shown = await json(lead, 'status', id);
      return shown['status'] === 'TESTING' ? shown : undefined;
    }, 'the result is accepted and the task goes on to testing');
    expect(tested).toMatchObject({ progress: 50, subtasks: [{ status: 'DONE' }, { status: 'PENDING' }] });

    // The Leader gives out the second one over MCP, and reports on it from the command line, for the Worker.
    const claim = { projectId: id, taskId: `${id}-02`, roomId: '!team:local', spec: 'Run them all.' };
    await leader.must('taskflow', 'delegate_task', claim);
    await json(lead, 'subtask', id, 'subtask_02', 'start', '--progress', '40');
    const { stdout } = await cli(lead, 'status', id);
    expect(stdout).toContain('subtask_02  IN_PROGRESS  [████░░░░░░] 40%');
    expect(await leader.call('taskflow', 'check_task', { taskId: `${id}-02` })).toMatchObject({
      submitted: false,
      task: { status: 'in_progress', progress: 40, project_id: id },
    });
    const done = await json(lead, 'subtask', id, 'subtask_02', 'done', '--note', 'All green');
    expect(done).toMatchObject({ status: 'DONE', progress: 100, task_status: 'REVIEW' });

    const open = await json(lead, 'archive', id);
    expect(open).toMatchObject({ ok: false, error: 'Cannot archive: not terminal' });
    await json(lead, 'transition', id, 'complete', '--note', 'All verified');
    expect(await leader.must('projectflow', 'resolve_project', { projectId: id })).toMatchObject({
      project: { status: 'completed', mode: 'composite' },
    });
    expect(await json(lead, 'archive', id)).toMatchObject({ ok: true, task_id: id, message: `Archived ${id}` });
    await Promise.all([leader.close(), worker.close()]);

    // What was archived is still shown, to every clone, and changed by nobody.
    const shown = await json(deputy, 'status', id);
    expect(shown).toMatchObject({ task_id: id, status: 'COMPLETED', progress: 100, eta: null });
    expect((shown['history'] as readonly Answer[]).map(({ event, from, to }) => [event, from, to])).toEqual([
      ['create', undefined, 'PLANNING'],
      ['approve', 'PLANNING', 'APPROVED'],
      ['start', 'APPROVED', 'IN_PROGRESS'],
      ['test', 'IN_PROGRESS', 'TESTING'],
      ['review', 'TESTING', 'REVIEW'],
      ['complete', 'REVIEW', 'COMPLETED'],
      ['archive', undefined, undefined],
    ]);
    expect(shown['last_activity']).toBe((shown['history'] as readonly Answer[]).at(-1)?.['time']);
    const listed = async (...flags: readonly string[]) =>
      ((await json(deputy, 'status', ...flags))['tasks'] as readonly Answer[]).map(({ task_id: task }) => task);
    expect(await listed()).not.toContain(id);
    expect(await listed('--all')).toContain(id);
    expect(await json(deputy, 'transition', id, 'reopen')).toMatchObject({ ok: false, error: `Task ${id} not found` });
  });

  test('what is refused exits with 1, names its reason and changes nothing (S002-01, S002-09, S002-36)', async () => {
    await json(deputy, 'status');
    const head = readFileSync(join(deputy, '.git/refs/heads/main'), 'utf8');
    const refusals = [
      [['transition', 'TASK-001', 'complete'], "Invalid transition: PLANNING + 'complete'"],
      [['dispatch', 'TASK-001', 'Early', '--agent', 'ana'], "Invalid transition: PLANNING + 'dispatch'"],
      [['status', 'TASK-404'], 'Task TASK-404 not found'],
      [['subtask', 'TASK-001', 'subtask_07', 'done'], 'Task TASK-001-07 not found'],
      [['subtask', 'TASK-001', 'subtask_07', 'dance'], 'Task TASK-001-07 not found'],
      [['transition', 'TASK-404', 'dance'], 'Task TASK-404 not found'],
      [['transition', 'TASK-001', 'dance'], "Invalid transition: PLANNING + 'dance'"],
      [['transition', 'TASK-001', 'complete_project'], "Invalid transition: PLANNING + 'complete_project'"],
      [['subtask', 'inbox', 'TASK-003', 'dance'], "Invalid transition: PENDING + 'dance'"],
      [['subtask', 'inbox', 'TASK-003', 'cancel'], "Invalid transition: PENDING + 'cancel'"],
      [['subtask', 'TASK-001', 'TASK-003', 'dance'], 'Task TASK-003 not found'],
      [['create', 'X', '--priority', 'P9'], '--priority must be one of: P0, P1, P2, P3'],
    ] as const;
    for (const [words, error] of refusals) {
      const { code, stdout, stderr } = await cli(deputy, ...words, '--json');
      expect([code, JSON.parse(stdout)]).toMatchObject([1, { ok: false, error }]);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    expect(readFileSync(join(deputy, '.git/refs/heads/main'), 'utf8')).toBe(head);
  });

  test('a broken record is skipped and named, and the index is made anew whatever became of it (S002-22, S002-31, S002-35)', async () => {
    mkdirSync(join(deputy, 'shared/projects/TASK-900'));
    writeFileSync(join(deputy, 'shared/projects/TASK-900/meta.json'), '{"project_id": ');
    const index = join(deputy, '.baton/index.json');
    writeFileSync(index, '{"entries": [');
    const skipped = [{ path: 'shared/projects/TASK-900/meta.json', reason: expect.any(String) as string }];
    expect(await json(deputy, 'status')).toMatchObject({ ok: true, count: 4, skipped });
    const rebuilt = await json(deputy, 'rebuild-index');
    expect(rebuilt).toEqual({ ok: true, found: 6, rebuilt: 5, skipped, message: 'Rebuilt 5 of 6 entries' });
    const written = JSON.parse(readFileSync(index, 'utf8')) as { readonly index: { readonly entries: unknown } };
    const ids = ['TASK-001', 'TASK-002', 'TASK-003', 'TASK-004'];
    expect(written.index.entries).toMatchObject(ids.map((id) => ({ id, subtask_count: 0 })));
  });

  test('a step of a subtask tells the room nothing but what it is about, where no node runs', async () => {
    const id = String((await json(deputy, 'create', 'Quiet', '--plan', 'One step.'))['task_id']);
    await json(deputy, 'transition', id, 'approve');
    await json(deputy, 'dispatch', id, 'Step', '--agent', 'ana');
    expect(await json(deputy, 'subtask', id, 'subtask_01', 'start')).toMatchObject({ ok: true });
    const { stdout } = await cli(deputy, 'inbox');
    expect(stdout).toContain(`TASK_ASSIGNED: ${id}-01 - Step.`);
    expect(stdout).not.toContain('no plan holds it');
  });
});
