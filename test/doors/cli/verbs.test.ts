import { describe, expect, test } from 'vitest';
import { terminal } from './harness.ts';

const TEAM = { 'shared/team.json': JSON.stringify({ schema: 1, name: 'demo', teamRoomId: '!team:local' }) };

describe("the protocol's actions", () => {
  test('that are none are answered with the list, whatever flags stand behind them', async () => {
    const { run, app } = terminal();
    const { code, stderr } = await run('filesync', 'fetch', '--path', 'shared/tasks/a');
    expect([code, stderr, app.calls]).toEqual([
      2,
      'error[usage]: action must be one of: pull, push, stat, list\nsee `baton filesync --help`\n',
      [],
    ]);
  });

  test('take their fields as flags, and pass them on under their own names', async () => {
    const { run, app } = terminal();
    const { code } = await run(
      'taskflow',
      'submit_task',
      '--task-id',
      'r-01',
      '--status',
      'SUCCESS',
      '--summary',
      '- with a dash',
      '--deliverables',
      'shared/tasks/r-01/a.md',
      '--deliverables',
      'shared/tasks/r-01/b.md',
      '--dry-run',
    );
    expect(code).toBe(0);
    expect(app.calls).toEqual([
      {
        tool: 'taskflow',
        action: 'submit_task',
        payload: {
          taskId: 'r-01',
          status: 'SUCCESS',
          summary: '- with a dash',
          deliverables: ['shared/tasks/r-01/a.md', 'shared/tasks/r-01/b.md'],
        },
        dryRun: true,
      },
    ]);
  });

  test('take the whole payload, from the line or from standard input, and flags over it', async () => {
    const { run, app } = terminal({}, { stdin: () => Promise.resolve('{"projectId": "p", "reason": "piped"}') });
    await run('projectflow', 'pause_project', '--payload', '{"projectId":"p","reason":"given"}', '--reason', 'flag');
    await run('projectflow', 'pause_project', '--payload', '-');
    expect(app.calls.map(({ payload }) => payload)).toEqual([
      { projectId: 'p', reason: 'flag' },
      { projectId: 'p', reason: 'piped' },
    ]);
  });

  test('take deeper values as JSON, which the app reads where its own phrases are wanted', async () => {
    const { run, app } = terminal();
    const tasks = [{ taskId: 'r-01', title: 'Collect', assignedTo: 'ana', dependsOn: [] }];
    const replyRoute = { channel: 'matrix', targetSession: '!room:local' };
    await run('projectflow', 'plan_dag', '--project-id', 'r', '--tasks', JSON.stringify(tasks));
    await run('projectflow', 'create_project', '--title', 'R', '--reply-route', JSON.stringify(replyRoute));
    expect(app.calls.map(({ payload }) => payload)).toEqual([
      { projectId: 'r', tasks: JSON.stringify(tasks) },
      { title: 'R', replyRoute },
    ]);
  });

  test.each([
    [['taskflow', 'dance'], 'action must be one of: delegate_task, check_task'],
    [['taskflow'], 'an action is missing'],
    [['projectflow', 'create_project', '--reply-route', '{'], '--reply-route must be JSON'],
    [['projectflow', 'pause_project', '--payload', '[]'], '--payload must be a JSON object'],
    [['taskflow', 'delegate_task', '--payload', '-', '--spec', '-'], 'only one of the values can be read'],
  ])('are refused as usage: %j', async (argv, reason) => {
    const { run, app } = terminal();
    const { code, stderr } = await run(...argv);
    expect({ code, calls: app.calls }).toEqual({ code: 2, calls: [] });
    expect(stderr).toContain(`error[usage]: ${reason}`);
  });

  test('explain themselves', async () => {
    const { stdout } = await terminal().run('taskflow', 'delegate_task', '--help');
    for (const flag of [
      '--project-id <text>',
      '--room-id <text>',
      '--spec <text>',
      '--notify [yes|no]',
      '--payload <json>',
      '--dry-run',
    ]) {
      expect(stdout).toContain(flag);
    }
  });

  test("leave what is missing to the app, which has the protocol's words for it", async () => {
    const { run, app } = terminal();
    await run('taskflow', 'ack_task');
    expect(app.calls).toEqual([{ tool: 'taskflow', action: 'ack_task', payload: {}, dryRun: false }]);
  });
});

/** Runs a command line and tells what it asked the app. */
const call = async (...argv: readonly string[]) => {
  const { run, app } = terminal({ files: TEAM });
  const { code, stderr } = await run(...argv);
  return { code, stderr, calls: app.calls.map(({ tool, action, payload }) => [`${tool}.${action}`, payload]) };
};

describe('the friendly names', () => {
  test.each<readonly [readonly string[], string, Record<string, unknown>]>([
    [['project', 'create', 'Release report'], 'projectflow.create_project', { title: 'Release report' }],
    [
      ['project', 'quick', 'One thing', '--assigned-to', 'ana', '--spec', 'Do it'],
      'projectflow.create_quick_project',
      { title: 'One thing', assignedTo: 'ana', spec: 'Do it', roomId: '!team:local' },
    ],
    [['project', 'plan', 'r', '--tasks', '[]'], 'projectflow.plan_dag', { projectId: 'r', tasks: '[]' }],
    [
      ['project', 'loop', 'r', '--goal', 'g', '--max-iterations', '3'],
      'projectflow.plan_loop',
      { projectId: 'r', goal: 'g', maxIterations: '3' },
    ],
    [['project', 'ready', 'r'], 'projectflow.ready_nodes', { projectId: 'r' }],
    [['project', 'ready-loop', 'r'], 'projectflow.ready_loop_nodes', { projectId: 'r' }],
    [
      ['project', 'accept', 'r', 'r-01', '--submission-id', 's', '--accepted', 'no'],
      'projectflow.accept_task_result',
      { projectId: 'r', taskId: 'r-01', submissionId: 's', accepted: 'no' },
    ],
    [['project', 'pause', 'r'], 'projectflow.pause_project', { projectId: 'r' }],
    [['project', 'resume', 'r'], 'projectflow.resume_project', { projectId: 'r' }],
    [['project', 'complete', 'r', '--force'], 'projectflow.complete_project', { projectId: 'r', force: true }],
    [
      ['project', 'iterate', 'r', '--iteration', '1'],
      'projectflow.record_loop_iteration',
      { projectId: 'r', iteration: '1' },
    ],
    [['project', 'resolve', '--task-id', 'r-01'], 'projectflow.resolve_project', { taskId: 'r-01' }],
    [['project', 'check'], 'projectflow.check_active_tasks', {}],
    [['project', 'reported', 'r'], 'projectflow.mark_requester_report_sent', { projectId: 'r' }],
    [
      ['task', 'delegate', 'r', 'r-01', '--spec', 'Do it'],
      'taskflow.delegate_task',
      { projectId: 'r', taskId: 'r-01', spec: 'Do it', roomId: '!team:local' },
    ],
    [
      ['task', 'delegate', 'r', 'r-01', '--spec', 'Do it', '--room-id', '!other:local'],
      'taskflow.delegate_task',
      { projectId: 'r', taskId: 'r-01', spec: 'Do it', roomId: '!other:local' },
    ],
    [['task', 'ack', 'r-01'], 'taskflow.ack_task', { taskId: 'r-01' }],
    [['task', 'submit', 'r-01', '--status', 'SUCCESS'], 'taskflow.submit_task', { taskId: 'r-01', status: 'SUCCESS' }],
    [['task', 'check', 'r-01'], 'taskflow.check_task', { taskId: 'r-01' }],
    [['task', 'cancel', 'r-01', '--reason', 'late'], 'taskflow.cancel_task', { taskId: 'r-01', reason: 'late' }],
    [['task', 'progress', 'r-01', 'half'], 'taskflow.report_progress', { taskId: 'r-01', note: 'half' }],
    [
      ['task', 'attention', 'r-01', 'Which?', '--kind', 'decision'],
      'taskflow.request_attention',
      { taskId: 'r-01', question: 'Which?', kind: 'decision' },
    ],
    [
      [
        'agent',
        'register',
        'ana',
        '--name',
        'Ana',
        '--role',
        'worker',
        '--capabilities',
        'dev',
        '--max-concurrent',
        '2',
      ],
      'agent.register',
      { agent: 'ana', name: 'Ana', role: 'worker', capabilities: ['dev'], maxConcurrent: '2' },
    ],
    [['agent', 'register', '@eve:hs', '--role', 'human'], 'agent.register', { agent: '@eve:hs', role: 'human' }],
    [['agent', 'show', 'ana'], 'agent.show', { agent: 'ana' }],
    [['agent', 'set-status', 'ana', 'OFFLINE'], 'agent.set_status', { agent: 'ana', status: 'OFFLINE' }],
    [['agent', 'capabilities', 'ana', '--add', 'go'], 'agent.capabilities', { agent: 'ana', add: ['go'] }],
    [['agent', 'select', 't-1', '--prefer', 'bo'], 'agent.select', { taskId: 't-1', prefer: 'bo' }],
    [
      ['team', 'setup', '--leader-room', '--invite', '@a:hs', '@b:hs'],
      'team.setup',
      { leaderRoom: true, invite: ['@a:hs', '@b:hs'] },
    ],
    [['roomflow', 'create_task_room', '--project-id', 'r'], 'roomflow.create_task_room', { projectId: 'r' }],
    [['task', 'answer', 'r-01', 'The second.'], 'taskflow.answer_attention', { taskId: 'r-01', answer: 'The second.' }],
    [
      ['task', 'answer', 'r-01', '--decision', 'approved'],
      'taskflow.answer_attention',
      { taskId: 'r-01', decision: 'approved' },
    ],
  ])('%j is %s', async (argv, name, payload) => {
    expect(await call(...argv)).toEqual({ code: 0, stderr: '', calls: [[name, payload]] });
  });

  test('ask for the place that is missing, unless the payload holds it', async () => {
    expect(await call('project', 'pause')).toEqual({
      code: 2,
      stderr: 'error[usage]: missing argument: project\nsee `baton project pause --help`\n',
      calls: [],
    });
    expect((await call('project', 'pause', '--payload', '{"projectId":"r"}')).calls).toEqual([
      ['projectflow.pause_project', { projectId: 'r' }],
    ]);
  });

  test('take a specification from standard input', async () => {
    const { run, app } = terminal({ files: TEAM }, { stdin: () => Promise.resolve('# Spec\n\ntext\n') });
    await run('task', 'delegate', 'r', 'r-01', '--spec', '-');
    expect(app.calls.map(({ payload }) => payload)).toEqual([
      { projectId: 'r', taskId: 'r-01', spec: '# Spec\n\ntext\n', roomId: '!team:local' },
    ]);
  });
});

const BOARD = {
  ok: true,
  projects: [
    {
      project_id: 'r',
      title: 'Release report',
      status: 'active',
      plan_type: 'dag',
      nodes: [
        { id: 'r-01', name: 'Collect', status: 'completed', assignee: 'ana' },
        { id: 'r-02', name: 'Write', status: 'pending', assignee: 'bo' },
      ],
      edges: [{ source: 'r-01', target: 'r-02', conditional: false }],
      next: ['r-02'],
      tasks_detail: [{ task_id: 'r-01', status: 'completed' }],
    },
  ],
};

describe('looking', () => {
  test('a project whose plan waits for approval is shown as planning, not as active', async () => {
    const project = { project_id: 'p', title: 'P', status: 'active', phase: 'planning' };
    const made = terminal({ answer: () => ({ ok: true, tool: 'projectflow', action: 'create_project', project }) });
    expect((await made.run('project', 'create', 'P')).stdout).toContain('p  planning  P\n');
    const { run } = terminal({ answer: () => ({ ok: true, projects: [project] }) });
    expect((await run('project', 'list')).stdout).toContain('p  planning  dag');
    expect((await run('board')).stdout).toContain('p · dag · planning · ');
  });

  test('project list shows a line for each project', async () => {
    const { run } = terminal({ answer: () => BOARD });
    expect((await run('project', 'list')).stdout).toBe('r  active  dag  1/2  1 ready  Release report\n');
  });

  test('project show draws the one', async () => {
    const { run, app } = terminal({ answer: () => BOARD });
    expect((await run('project', 'show', 'r')).stdout).toContain(
      '  1  [x]  01  Collect  ana  completed\n  2  [ ]  02  Write',
    );
    expect(app.calls).toEqual([{ tool: 'node', action: 'board', payload: { projectId: 'r' } }]);
  });

  test('task list shows a line for each task', async () => {
    const { run } = terminal({ answer: () => BOARD });
    expect((await run('task', 'list')).stdout).toBe('r-01  completed  ana  Collect\nr-02  ready      bo   Write\n');
  });

  test('task show prints record, specification and result', async () => {
    const { run } = terminal({
      files: {
        'shared/tasks/r-01/spec.md': '# Collect\n\nAll of it.\n',
        'shared/tasks/r-01/result.md': 'STATUS: SUCCESS\n',
      },
      answer: () => ({
        ok: true,
        project: { project_id: 'r' },
        task: { task_id: 'r-01', task_title: 'Collect', status: 'submitted', assigned_to: 'ana', submission_id: 's1' },
      }),
    });
    expect((await run('task', 'show', 'r-01')).stdout).toBe(
      [
        'task        r-01',
        'title       Collect',
        'status      submitted',
        'assignee    ana',
        'project     r',
        'submission  s1',
        '',
        'spec.md',
        '# Collect',
        '',
        'All of it.',
        '',
        'result.md',
        'STATUS: SUCCESS',
        '',
      ].join('\n'),
    );
  });

  test('inbox prints who said what, and what is for you', async () => {
    const message = {
      eventId: '$1',
      at: '2026-01-01T10:00:00Z',
      sender: '@lead:local',
      room: '!team:local',
      text: 'first\nsecond',
      forMe: true,
    };
    const { run, app } = terminal({ answer: () => ({ ok: true, messages: [message] }) });
    expect((await run('inbox', '!team:local', '--mine')).stdout).toBe(
      '2026-01-01T10:00:00Z  @lead:local  !team:local  for you\n  first\n  second\n',
    );
    expect(app.calls.map(({ action, payload }) => [action, payload])).toEqual([
      ['inbox', { limit: '20', roomId: '!team:local', mine: true }],
    ]);
  });

  test('agent list shows both names, and who is in the Team Room', async () => {
    const held = { load: 1, max_concurrent: 2 };
    const agent = {
      name: 'Ana',
      role: 'worker',
      status: 'IDLE',
      enabled: true,
      capabilities: ['dev', 'docs'],
      ...held,
    };
    const agents = [
      { ...agent, agent_id: 'ana', matrix_user_id: '@ana:hs', team_room: 'joined' },
      {
        ...agent,
        agent_id: 'bo',
        name: 'bo',
        matrix_user_id: '@bo:hs',
        team_room: 'absent',
        enabled: false,
        capabilities: [],
      },
    ];
    const { run } = terminal({ answer: () => ({ ok: true, agents, warnings: ['no answer'] }) });
    expect((await run('agent', 'list')).stdout).toBe(
      [
        'agent  name  matrix id  role    status    load  team room  capabilities',
        'ana    Ana   @ana:hs    worker  IDLE      1/2   joined     dev, docs',
        'bo     bo    @bo:hs     worker  disabled  1/2   absent',
        'warning  no answer',
        '',
      ].join('\n'),
    );
  });

  test('agent select shows who is chosen, and with --explain why the others are not', async () => {
    const one = { tier: 1, match: 0.5, load: 0, max: 2 };
    const candidates = [
      { ...one, agent: 'ana', score: 0.5, place: 1, eligible: true },
      { ...one, agent: 'bo', score: 0, eligible: true },
      { ...one, agent: 'cy', score: 0.25, load: 2, eligible: false, reason: 'full' },
    ];
    const { run } = terminal({ answer: () => ({ ok: true, agent: 'ana', by: 'score', candidates }) });
    expect((await run('agent', 'select', '--type', 'dev')).stdout).toBe('ana  as the best\n');
    expect((await run('agent', 'select', '--explain')).stdout).toBe(
      [
        'ana  as the best',
        '',
        'place  agent  tier  score  match  load',
        '1      ana    1     0.500  0.50   0/2   eligible',
        '-      bo     1     0.000  0.50   0/2   score 0',
        '-      cy     1     0.250  0.50   2/2   full',
        '',
      ].join('\n'),
    );
  });

  test('auto-dispatch answers with JSON, whoever asks', async () => {
    const skipped = [
      { project_id: 'TASK-001', task_id: 'TASK-001-02', reason: 'deps', detail: 'Dependency not DONE: x' },
    ];
    const { run, app } = terminal({ answer: () => ({ ok: true, dispatches: [], skipped }) });
    const { code, stdout } = await run('auto-dispatch', 'TASK-001', '--subtask', 'subtask_02', '--dry-run');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      dispatches: [],
      skipped: [
        {
          task_id: 'TASK-001',
          subtask_id: 'subtask_02',
          node_id: 'TASK-001-02',
          reason: 'deps',
          detail: 'Dependency not DONE: x',
        },
      ],
      message: 'Dispatched 0, skipped 1',
    });
    expect(app.calls).toMatchObject([
      {
        tool: 'engine',
        action: 'auto_dispatch',
        payload: { projectId: 'TASK-001', subtask: 'subtask_02' },
        dryRun: true,
      },
    ]);
  });

  test('team setup shows which room was made, and who was asked in', async () => {
    const { run } = terminal({
      answer: () => ({
        ok: true,
        rooms: [
          { key: 'teamRoomId', roomId: '!t:hs', created: true, invited: ['@a:hs', '@b:hs'] },
          { key: 'leaderDmRoomId', roomId: '!d:hs', created: false, invited: [] },
        ],
        registered: ['a'],
      }),
    });
    expect((await run('team', 'setup')).stdout).toBe(
      'made        teamRoomId      !t:hs  invited @a:hs, @b:hs\nthere       leaderDmRoomId  !d:hs\nregistered  a\n',
    );
  });

  test('sync status says how the clone and the remote stand', async () => {
    const { run } = terminal({
      answer: () => ({
        ok: true,
        mode: 'team',
        branch: 'main',
        remote: '/srv/team.git',
        online: true,
        ahead: 0,
        behind: 2,
        lanes: [{ name: 'lanes/bo', pending: 1 }],
        conflicts: [],
      }),
    });
    expect((await run('sync', 'status')).stdout).toBe(
      'mode    team\nbranch  main\nremote  /srv/team.git\nstate   online\nahead   0\nbehind  2\nlane    lanes/bo: 1 commit to integrate\n',
    );
  });

  test('sync now says what it brought and how things stand', async () => {
    const { run, app } = terminal();
    expect((await run('sync', 'now')).stdout).toBe('synced  nothing new\nremote  none\n');
    app.sync = () =>
      Promise.resolve({
        ok: true,
        changed: ['shared/tasks/a/result.md'],
        adopted: ['shared/projects/r/plan.md', 'shared/projects/r/notes.md'],
        refusals: [
          { lane: 'lanes/bo', path: 'shared/projects/r/plan.md', reason: 'not-owner', detail: 'the Leader owns it' },
        ],
        sync: { mode: 'team', branch: 'main' },
      });
    expect((await run('sync', 'now')).stdout).toBe(
      [
        'synced  1 changed file, 2 files edited here',
        '  shared/tasks/a/result.md',
        '  shared/projects/r/plan.md',
        '  shared/projects/r/notes.md',
        'refused  lanes/bo  shared/projects/r/plan.md  not-owner  the Leader owns it',
        'mode    team',
        'branch  main',
        'remote  none',
        '',
      ].join('\n'),
    );
  });

  test('sync now with --quiet says what was kept here or refused, and only that', async () => {
    const { run, app } = terminal();
    expect(await run('sync', 'now', '--quiet')).toMatchObject({ code: 0, stdout: '' });
    const unfit = { path: 'shared/tasks/a/key', line: 1, why: 'holds a secret in line 1', remedy: 'take it out' };
    app.sync = () =>
      Promise.resolve({
        ok: true,
        changed: ['shared/tasks/a/result.md'],
        adopted: ['shared/projects/r/plan.md'],
        foreign: ['shared/team.json'],
        unfit: [unfit],
        refusals: [{ lane: 'lanes/bo', path: 'shared/team.json', reason: 'not-owner', detail: 'the Leader owns it' }],
        sync: { mode: 'team', branch: 'main' },
      });
    expect(await run('sync', 'now', '--quiet')).toMatchObject({
      code: 0,
      stdout: [
        'kept here  shared/team.json was changed by hand but is not yours to change; take it away, or undo it with git checkout HEAD -- shared/team.json',
        'kept here  shared/tasks/a/key cannot be committed: it holds a secret in line 1; take it out',
        'refused  lanes/bo  shared/team.json  not-owner  the Leader owns it',
        '',
      ].join('\n'),
    });
    expect(JSON.parse((await run('sync', 'now', '--quiet', '--json')).stdout)).toMatchObject({ unfit: [unfit] });
  });
});

describe('any other answer', () => {
  test('is shown in aligned lines, records by their telling fields, texts beneath', async () => {
    const { run } = terminal({
      answer: () => ({
        ok: true,
        tool: 'taskflow',
        action: 'ack_task',
        reused: true,
        task: { task_id: 'r-01', task_title: 'Collect', status: 'in_progress', assigned_to: 'ana', depends_on: [] },
        synced: true,
        readyNodes: [],
        warnings: ['one', 'two'],
        other: { a: 1 },
        spec: '# Spec\n\ntext\n',
      }),
    });
    expect((await run('task', 'ack', 'r-01')).stdout).toBe(
      [
        'done (as before)  taskflow ack_task',
        'task              r-01  in_progress  ana  Collect',
        'synced            yes',
        'readyNodes        none',
        'warnings          one',
        '                  two',
        'other             {"a":1}',
        '',
        '# Spec',
        '',
        'text',
        '',
      ].join('\n'),
    );
  });
});

describe('init', () => {
  test('makes a workspace where it is told', async () => {
    const { run, root } = terminal();
    expect((await run('init', 'team', '--role', 'leader', '--as', 'lead')).stdout).toBe(
      `ready  ${root}/team\nmade  baton.json\nready to go\n`,
    );
  });
});
