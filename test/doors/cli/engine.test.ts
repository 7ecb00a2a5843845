import { describe, expect, test } from 'vitest';
import type { Envelope } from '../../../src/app-types.ts';
import { terminal } from './harness.ts';

const LIST: Envelope = {
  ok: true,
  tool: 'engine',
  action: 'list',
  items: [
    {
      kind: 'composite',
      id: 'TASK-001',
      title: 'Implement \u001b[31mfeature X',
      status: 'active',
      phase: 'in_progress',
      priority: 'P0',
      progress: 40,
      subtask_count: 5,
      subtasks_done: 2,
    },
    {
      kind: 'task',
      id: 'TASK-002',
      title: 'Alone',
      status: 'blocked',
      priority: 'P2',
      progress: 0,
      assigned_to: 'ana',
    },
  ],
  skipped: [{ path: 'shared/tasks/x/meta.json', reason: 'invalid JSON' }],
};

describe('the verbs of the task engine', () => {
  test('pass on what they are given, with nodes under their ids', async () => {
    const { run, app } = terminal({}, { stdin: () => Promise.resolve('All of it.') });
    await run('create', 'Feature', '--priority', 'P0', '--plan', 'Two steps', '--tags', 'a', '--tags', 'b');
    await run('transition', 'TASK-001', 'block', '--note', 'no key');
    await run(
      'dispatch',
      'TASK-001',
      'Tests',
      '--agent',
      'eva',
      '--type',
      'test',
      '--deps',
      'subtask_01, TASK-001-02',
      '--deps',
      'subtask_03',
      '--context',
      '-',
    );
    await run('subtask', 'TASK-001', 'subtask_12', 'start', '--progress', '30', '--note', 'half');
    await run('subtask', 'TASK-001', 'subtask_12', 'done', '--note', 'all');
    await run('subtask', 'inbox', 'TASK-005', 'assign', '--agent', 'ana');
    await run('subtask', 'TASK-001', 'subtask_12', 'hand-over', '--agent', 'bo', '--note', 'ill');
    await run('subtask', 'TASK-001', 'subtask_12', 'take-back');
    await run('archive', 'TASK-001');
    await run('rebuild-index');
    await run('task', 'create', 'Alone', '--required-capabilities', 'js');
    const of = (taskId: string, projectId = 'TASK-001') => ({ projectId, taskId });
    expect(app.calls.map(({ action, payload }) => [action, payload])).toEqual([
      ['create', { title: 'Feature', priority: 'P0', plan: 'Two steps', tags: ['a', 'b'] }],
      ['transition_project', { projectId: 'TASK-001', event: 'block', note: 'no key' }],
      [
        'dispatch_task',
        {
          projectId: 'TASK-001',
          title: 'Tests',
          agent: 'eva',
          type: 'test',
          dependsOn: ['TASK-001-01', 'TASK-001-02', 'TASK-001-03'],
          context: 'All of it.',
        },
      ],
      ['progress_task', { ...of('TASK-001-12'), progress: '30', note: 'half' }],
      ['finish_task', { ...of('TASK-001-12'), text: 'all' }],
      ['assign_task', { ...of('TASK-005', 'inbox'), assignedTo: 'ana', refuseFull: true }],
      ['hand_over_task', { ...of('TASK-001-12'), assignedTo: 'bo', reason: 'ill' }],
      ['take_back_task', of('TASK-001-12')],
      ['archive', { id: 'TASK-001' }],
      ['rebuild_index', {}],
      ['create_task', { title: 'Alone', requiredCapabilities: ['js'] }],
    ]);
    expect(new Set(app.calls.map(({ tool }) => tool))).toEqual(new Set(['engine']));
  });

  test.each([
    [['subtask', 'TASK-001', 'subtask_01', 'hand-over'], 'hand-over needs --agent <name>'],
    [['dispatch', 'TASK-001', 'X'], "required option '--agent <name>' not specified"],
    [['dispatch', 'TASK-001', 'X', '--agent', 'a', '--type', 'art'], 'Allowed choices are dev, test'],
    [['create'], "missing required argument 'title'"],
  ])('are refused as usage: %j', async (argv, reason) => {
    const { run, app } = terminal();
    const { code, stdout } = await run(...argv, '--json');
    expect([code, app.calls]).toEqual([2, []]);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      code: 'usage',
      error: expect.stringContaining(reason) as string,
    });
  });

  test('draw a table with progress bars, in colour on a terminal only (S002-03, S002-29)', async () => {
    const piped = await terminal({ answer: () => LIST }).run('status');
    expect(piped.stdout).toBe(
      [
        'task      status       prio  progress          done  agent  eta  title',
        'TASK-001  IN_PROGRESS  P0    [████░░░░░░] 40%  2/5   -      -    Implement feature X',
        'TASK-002  BLOCKED      P2    [░░░░░░░░░░] 0%   -     ana    -    Alone',
        'skipped  shared/tasks/x/meta.json: invalid JSON',
        '',
      ].join('\n'),
    );
    const seen = await terminal({ answer: () => LIST }, { terminal: { stdout: true, columns: 100 } }).run('status');
    expect(seen.stdout).toContain('\u001b[33m[████░░░░░░] 40%\u001b[39m');
    const empty = await terminal({ answer: () => ({ ok: true, items: [] }) }).run('status');
    expect(empty.stdout).toBe('no tasks: `baton create TITLE` makes one\n');
  });

  test('answer as callers of the task engine know it (S002-05)', async () => {
    const { stdout } = await terminal({ answer: () => LIST }).run('status', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      count: 2,
      tasks: [
        { task_id: 'TASK-001', status: 'IN_PROGRESS', priority: 'P0', progress: 40, eta: null, kind: 'composite' },
        { task_id: 'TASK-002', status: 'BLOCKED', agent: 'ana', kind: 'task' },
      ],
    });
  });
});
