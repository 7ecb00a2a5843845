import { describe, expect, test } from 'vitest';
import { createProject } from '../../../src/flows/project-flow/create.ts';
import { createQuickProject } from '../../../src/flows/project-flow/quick.ts';
import { createOffice, lead, ok, refused, ROOM } from '../office.ts';
import type { Office } from '../office.ts';
import { createWorld, NOW, refusal } from './world.ts';

const ID = 'report-20260901-101500';

describe('project.create', () => {
  test('writes the record and an empty plan without a status line', () => {
    const world = createWorld();
    const input = { projectId: ID, title: 'Quarterly\n report', source: 'team-admin', requester: '@admin:hs.local' };
    expect(world.call(createProject, input)).toEqual({
      project: {
        project_id: ID,
        title: 'Quarterly report',
        status: 'active',
        source: 'team-admin',
        requester: '@admin:hs.local',
        created_at: NOW,
      },
    });
    expect(world.files[`shared/projects/${ID}/plan.md`]).toBe(
      `# Team Project: Quarterly report\n\n**ID**: ${ID}\n**Created**: ${NOW}\n\n## DAG Task Plan\n\n**Plan Type**: dag\n`,
    );
    expect(world.view().project(ID)?.meta?.title).toBe('Quarterly report');
    expect(world.events.map(({ type, subject }) => [type, subject])).toEqual([
      ['project.created', { kind: 'project', id: ID }],
    ]);
  });

  test('makes an id from the title, and counts on when it is taken', () => {
    const world = createWorld();
    const ids = [1, 2, 3].map(
      () => (world.call(createProject, { title: 'Größe & Ziel!' })['project'] as Record<string, unknown>)['project_id'],
    );
    expect(ids).toEqual(['gr-e-ziel-20260901-101500', 'gr-e-ziel-20260901-101500-01', 'gr-e-ziel-20260901-101500-02']);
  });

  test.each([
    ['matrix:!room:hs.local', { channel: 'matrix', target_session: '!room:hs.local' }, '!room:hs.local'],
    ['dingtalk:u1:s1', { channel: 'dingtalk', target_user: 'u1', target_session: 's1' }, 's1'],
    ['@ana:hs.local', undefined, undefined],
  ])('derives the reply route of requester %s', (requester, route, room) => {
    const { project } = createWorld().call(createProject, { projectId: 'p', title: 'P', requester }) as {
      project: Record<string, unknown>;
    };
    expect([project['reply_route'], project['source_room_id']]).toEqual([route, room]);
  });

  test('overwrites nothing', () => {
    const world = createWorld();
    world.call(createProject, { projectId: 'p', title: 'First' });
    const before = { ...world.files };
    expect(() => world.call(createProject, { projectId: 'p', title: 'Second' })).toThrow(
      refusal('already-exists', 'project already exists: p'),
    );
    expect(() => world.call(createProject, { projectId: 'P', title: 'Twin' })).toThrow(
      refusal('already-exists', 'project already exists: p'),
    );
    expect(world.files).toEqual(before);
  });

  test.each(['../x', 'a/b', '.git', '-x', 'a..b'])('refuses the id %s', (projectId) => {
    expect(() => createWorld().call(createProject, { projectId, title: 'P' })).toThrow(
      refusal('invalid-argument', `invalid id: projectId must be a safe id: ${projectId}`),
    );
  });
});

describe('project.create_quick', () => {
  const input = {
    projectId: 'quick',
    title: 'Readiness note',
    assignedTo: '@ana:hs.local',
    roomId: 'room:!team:hs.local',
    spec: ' Write it. ',
  };

  test('creates a project of one task that is assigned at once, and sends nothing', () => {
    const world = createWorld();
    const output = world.settled(createQuickProject, input, false);
    expect(output).toMatchObject({
      project: { project_id: 'quick', mode: 'quick', status: 'active' },
      task: {
        task_id: 'quick-01',
        project_id: 'quick',
        status: 'assigned',
        assigned_to: 'ana',
        room_id: 'room:!team:hs.local',
      },
      notification: { sent: false, skipped: true },
      notificationNeeded: { event: 'task_assigned', projectId: 'quick', targetRoom: 'room:!team:hs.local' },
      synced: true,
    });
    expect(world.announcements).toEqual([]);
    expect(world.files['shared/tasks/quick-01/spec.md']).toBe('Write it.\n');
    expect(world.files['shared/projects/quick/plan.md']).toContain(
      '- [~] quick-01 — Readiness note (assigned: @ana:hs.local)\n',
    );
  });

  test('sends the assignment when asked to', () => {
    const world = createWorld();
    expect(world.settled(createQuickProject, { ...input, notify: true }, true)).toMatchObject({
      notification: { sent: true, eventId: '$event', roomId: '!team:hs.local', assignee: '@ana:hs.local' },
    });
    expect(world.announcements.map(({ kind, room, mentions }) => [kind, room, mentions])).toEqual([
      ['assignment', 'room:!team:hs.local', ['@ana:hs.local']],
    ]);
  });

  test.each([
    [{ taskId: 'other-01' }, 'invalid-argument', 'taskId must belong to projectId'],
    [
      { roomId: '!dm:hs.local' },
      'invalid-argument',
      'team leader task assignments must use the Team Room room:!team:hs.local, not !dm:hs.local',
    ],
    [
      { requester: 'dingtalk:u:s' },
      'invalid-argument',
      'dingtalk requester tasks require a dedicated task room, not the Team Room',
    ],
  ])('refuses %j and writes nothing', (change, code, message) => {
    const world = createWorld();
    const before = { ...world.files };
    expect(() => world.call(createQuickProject, { ...input, ...change })).toThrow(refusal(code, message));
    expect(world.files).toEqual(before);
  });

  test('does not take over a task that exists', () => {
    const world = createWorld();
    world.putTask({ task_id: 'quick-01', project_id: 'elsewhere' });
    expect(() => world.call(createQuickProject, input)).toThrow(
      refusal('already-exists', 'task already exists: quick-01'),
    );
  });
});

describe('where projects need approval (policies.requireApproval)', () => {
  const office = (policies: Readonly<Record<string, unknown>>) => createOffice({ chat: 'local', team: { policies } });
  const tasks = [{ taskId: 'p-01', title: 'Build', assignedTo: 'ana' }];
  const spec = { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: 'Build it.' };
  const begin = async (at: Office) => {
    const created = await ok(at.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'P' }));
    const planned = await ok(at.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks }));
    return { created, planned };
  };

  test('a new project is planned in planning, and gives nothing out until it is approved', async () => {
    const at = office({ requireApproval: true });
    const { created, planned } = await begin(at);
    expect(created).toMatchObject({
      project: { status: 'active', phase: 'planning' },
      warning: expect.stringContaining('baton transition p approve') as string,
    });
    expect(at.events[0]).toMatchObject({ type: 'project.created', to: 'planning' });
    expect(planned['readyNodes']).toEqual([]);
    const delegate = () => at.call(lead, 'taskflow', 'delegate_task', spec);
    expect(await refused(at, delegate)).toBe(
      "illegal-transition: Invalid transition: NONE + 'prepare': project is not active: p (planning)",
    );
    await ok(at.call(lead, 'engine', 'transition_project', { projectId: 'p', event: 'approve' }));
    expect(await ok(delegate())).toMatchObject({ task: { status: 'assigned' } });
  });

  test('a plan of no tasks is not approved, and a loop is one before its first tasks', async () => {
    const at = office({ requireApproval: true });
    await ok(at.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'P' }));
    const approve = (projectId: string) =>
      at.call(lead, 'engine', 'transition_project', { projectId, event: 'approve' });
    expect(await refused(at, () => approve('p'))).toBe(
      "illegal-transition: Invalid transition: PLANNING + 'approve': its plan has no tasks yet",
    );
    expect(await approve('p')).toMatchObject({
      remedy: 'plan it first: `baton project plan p`, or `baton project loop p`',
    });
    await ok(at.call(lead, 'projectflow', 'create_project', { projectId: 'l', title: 'L' }));
    const loop = { projectId: 'l', goal: 'g', stopCondition: 's', iterationTemplate: 't', maxIterations: 2, tasks: [] };
    await ok(at.call(lead, 'projectflow', 'plan_loop', loop));
    await ok(approve('l'));
  });

  test('a project of one task, which is given out at once, is refused and nothing is made', async () => {
    const at = office({ requireApproval: true });
    const quick = { title: 'Q', assignedTo: 'ana', roomId: ROOM, spec: 'Do it.' };
    const call = (dryRun?: boolean) => at.call(lead, 'projectflow', 'create_quick_project', quick, dryRun);
    const words = 'create_quick_project: projects need approval (policies.requireApproval)';
    expect(await refused(at, () => call())).toBe(`illegal-transition: ${words}`);
    expect(await refused(at, () => call(true))).toBe(`illegal-transition: ${words}`);
  });

  test('by default a project begins approved', async () => {
    const at = office({});
    const { created, planned } = await begin(at);
    expect(created['warning']).toBeUndefined();
    expect(planned['readyNodes']).toHaveLength(1);
  });
});
