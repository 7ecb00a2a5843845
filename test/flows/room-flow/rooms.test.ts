import { beforeEach, describe, expect, test } from 'vitest';
import { roomBindingPath } from '../../../src/protocol/paths.ts';
import { NOW, ROOM, ana, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

const BINDING = roomBindingPath('p');
const ADMIN = '@admin:hs.local';
let office: Office;
const call = (action: string, payload: Record<string, unknown> = {}, dryRun?: boolean) =>
  office.call(lead, 'roomflow', action, payload, dryRun);
const bound = (): unknown => JSON.parse(office.files[BINDING] ?? '{}');

beforeEach(() => {
  office = createOffice();
});

describe('create_task_room', () => {
  test('makes a room for the project with its Workers and the admin, and binds it', async () => {
    office.hire('ana');
    await planned(office, { 'p-01': [] });
    expect(await call('create_task_room', { projectId: 'p', source: 'dingtalk' })).toEqual({
      ok: true,
      tool: 'roomflow',
      action: 'create_task_room',
      projectId: 'p',
      roomId: '!r1:hs.local',
      sessionId: 'matrix:!r1:hs.local',
      name: 'TASK：p',
      topic: 'Task room for p [source: dingtalk]',
      reused: false,
      invited: [ADMIN, '@ana:hs.local'],
      synced: true,
    });
    expect(office.homeserver.made).toEqual([
      {
        roomId: '!r1:hs.local',
        purpose: 'demo/task/p',
        name: 'TASK：p',
        topic: 'Task room for p [source: dingtalk]',
        invite: [ADMIN],
        trusted: true,
        state: {
          'room.meta': {
            projectId: 'p',
            team: 'demo',
            leader: '@lead:hs.local',
            workers: ['@ana:hs.local'],
            humans: [ADMIN],
          },
        },
      },
    ]);
    expect(bound()).toEqual({
      schema: 1,
      project_id: 'p',
      room_id: '!r1:hs.local',
      name: 'TASK：p',
      topic: 'Task room for p [source: dingtalk]',
      source: 'dingtalk',
      status: 'active',
      created_at: NOW,
      created_by: '@lead:hs.local',
    });
    expect(office.events.at(-1)).toMatchObject({ type: 'room.created', subject: { kind: 'project', id: 'p' } });
  });

  test('gives a project one room, whoever asks and from wherever, and asks in who is missing', async () => {
    await call('create_task_room', { projectId: 'p', source: 'dingtalk' });
    const before = { ...office.files };
    expect(
      await call('create_task_room', { projectId: 'p', source: 'mail', topic: 'Other', invite: ['@x:hs.local'] }),
    ).toMatchObject({
      roomId: '!r1:hs.local',
      reused: true,
      invited: ['@x:hs.local'],
      topic: expect.stringContaining('dingtalk') as string,
    });
    expect(await call('create_task_room', { projectId: 'p', invite: ['@x:hs.local'] })).toMatchObject({
      reused: true,
      invited: [],
    });
    expect([office.files, office.homeserver.made.length]).toEqual([before, 1]);
  });

  test('finds the room again that a crash kept from being bound', async () => {
    await call('create_task_room', { projectId: 'p' });
    delete office.files[BINDING];
    expect(await call('create_task_room', { projectId: 'p' })).toMatchObject({ roomId: '!r1:hs.local', reused: true });
    expect(bound()).toMatchObject({ room_id: '!r1:hs.local', status: 'active' });
  });

  test('for a task is the room of its project', async () => {
    office.hire('ana');
    await planned(office, { 'p-01': [] });
    await ok(
      office.call(lead, 'taskflow', 'delegate_task', { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: 'x' }),
    );
    expect(await call('create_task_room', { taskId: 'p-01' })).toMatchObject({ projectId: 'p', name: 'TASK：p' });
    expect(await call('create_task_room', { taskId: 'later' })).toMatchObject({ projectId: 'later' });
  });

  test('asks in those who are named instead of the assignees', async () => {
    office.hire('ana');
    office.hire('bo');
    await planned(office, { 'p-01': [] });
    expect(await call('create_task_room', { projectId: 'p', invite: ['bo'] })).toMatchObject({
      invited: [ADMIN, '@bo:hs.local'],
    });
  });

  test('in a dry run says what it would do, and asks nobody', async () => {
    expect(await call('create_task_room', { projectId: 'p', invite: ['@x:hs.local'] }, true)).toEqual({
      ok: true,
      tool: 'roomflow',
      action: 'create_task_room',
      dryRun: true,
      projectId: 'p',
      name: 'TASK：p',
      topic: 'Task room for p',
      reused: false,
      invite: [ADMIN, '@x:hs.local'],
    });
    expect(office.homeserver.made).toEqual([]);
  });

  test.each([
    [{}, 'invalid-argument: payload.projectId or payload.taskId is required'],
    [{ projectId: '../x' }, 'invalid-argument: invalid id: projectId must be a safe id: ../x'],
    [{ projectId: 'p', invite: ['nobody'] }, "invalid-argument: cannot resolve Matrix ID for 'nobody'"],
  ])('%j is refused before anybody is asked', async (payload, message) => {
    office.hire('ana');
    expect(await refused(office, () => call('create_task_room', payload))).toBe(message);
    expect(office.homeserver.made).toEqual([]);
  });

  test('does not take a broken binding for none', async () => {
    office.files[BINDING] = '{';
    expect(await refused(office, () => call('create_task_room', { projectId: 'p' }))).toMatch(
      `broken-file: ${BINDING} cannot be read`,
    );
    expect(office.homeserver.made).toEqual([]);
  });

  test('changes nothing while the homeserver is away', async () => {
    office.homeserver.away = 'the homeserver cannot be reached';
    expect(await refused(office, () => call('create_task_room', { projectId: 'p' }))).toBe(
      'notify-failed: the homeserver cannot be reached',
    );
  });

  test('is for the Leader', async () => {
    const answer = await office.call(ana, 'roomflow', 'create_task_room', { projectId: 'p' });
    expect(answer).toMatchObject({ ok: false, code: 'wrong-role' });
  });
});

test('work for a requester outside Matrix goes into the room of the project, also where the Team Room is a must', async () => {
  office = createOffice({ team: { policies: { strictTeamRoom: true } } });
  office.hire('ana');
  const replyRoute = { channel: 'dingtalk', targetUser: 'u', targetSession: 's' };
  await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'P', replyRoute }));
  const tasks = [{ taskId: 'p-01', title: 'One', assignedTo: 'ana' }];
  await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks }));
  const { roomId } = await ok(call('create_task_room', { projectId: 'p' }));
  const delegate = { projectId: 'p', taskId: 'p-01', spec: 'Do it.' };
  expect(
    await refused(office, () => office.call(lead, 'taskflow', 'delegate_task', { ...delegate, roomId: ROOM })),
  ).toBe('invalid-argument: dingtalk requester tasks require a dedicated task room, not the Team Room');
  await ok(office.call(lead, 'taskflow', 'delegate_task', { ...delegate, roomId }));
  expect(office.task('p-01')).toMatchObject({ room_id: roomId, status: 'assigned' });
});

describe('looking at rooms', () => {
  test('list_rooms names those of the team, those of projects, and others that were joined', async () => {
    await call('create_task_room', { projectId: 'p' });
    office.homeserver.present.set('!own:hs.local', new Map());
    expect(await call('list_rooms')).toMatchObject({
      count: 4,
      rooms: [
        {
          kind: 'team',
          roomId: '!team:hs.local',
          sessionId: 'matrix:!team:hs.local',
          name: 'demo: Team Room',
          joined: false,
        },
        { kind: 'leader-dm', roomId: '!dm:hs.local', joined: false },
        { kind: 'task', roomId: '!r1:hs.local', name: 'TASK：p', projectId: 'p', joined: true },
        { kind: 'other', roomId: '!own:hs.local', joined: true },
      ],
    });
  });

  test.each([{ roomId: 'room:!r1:hs.local' }, { sessionId: 'matrix:!r1:hs.local' }, { room: '!r1:hs.local' }])(
    'describe_room takes %j',
    async (payload) => {
      await call('create_task_room', { projectId: 'p' });
      expect(await call('describe_room', payload)).toEqual({
        ok: true,
        tool: 'roomflow',
        action: 'describe_room',
        roomId: '!r1:hs.local',
        sessionId: 'matrix:!r1:hs.local',
        name: 'TASK：p',
        topic: 'Task room for p',
        tags: [],
      });
    },
  );

  test.each([
    [{}, 'invalid-argument: payload.roomId or payload.sessionId is required'],
    [{ roomId: 'r1' }, 'invalid-argument: invalid Matrix room target: r1'],
    [
      { roomId: '!a:x', sessionId: 'matrix:!b:x' },
      'invalid-argument: roomId and sessionId name two rooms: !a:x, matrix:!b:x',
    ],
  ])('describe_room refuses %j', async (payload, message) => {
    expect(await refused(office, () => call('describe_room', payload))).toBe(message);
  });
});

describe('archive_room', () => {
  test('leaves the room and says so in the binding; again it has been left', async () => {
    await call('create_task_room', { projectId: 'p' });
    expect(await call('archive_room', { projectId: 'p' })).toEqual({
      ok: true,
      tool: 'roomflow',
      action: 'archive_room',
      roomId: '!r1:hs.local',
      sessionId: 'matrix:!r1:hs.local',
      projectId: 'p',
      archived: true,
      synced: true,
    });
    expect(bound()).toMatchObject({ status: 'archived', archived_at: NOW });
    expect(office.homeserver.present.size).toBe(0);
    const before = { ...office.files };
    expect(await call('archive_room', { roomId: '!r1:hs.local' })).toMatchObject({ alreadyLeft: true, archived: true });
    expect(office.files).toEqual(before);
    expect(await call('list_rooms')).toMatchObject({
      rooms: expect.arrayContaining([expect.objectContaining({ roomId: '!r1:hs.local', archived: true })]) as unknown,
    });
  });

  test('makes way for another room of the project', async () => {
    await call('create_task_room', { projectId: 'p' });
    await call('archive_room', { projectId: 'p' });
    expect(await call('create_task_room', { projectId: 'p' })).toMatchObject({ roomId: '!r2:hs.local', reused: false });
    expect(bound()).toMatchObject({ room_id: '!r2:hs.local', status: 'active' });
  });

  test('keeps the rooms of the team, and one in which work is under way', async () => {
    office.hire('ana');
    await planned(office, { 'p-01': [] });
    const { roomId } = await ok(call('create_task_room', { projectId: 'p' }));
    await ok(
      office.call(lead, 'taskflow', 'delegate_task', {
        projectId: 'p',
        taskId: 'p-01',
        roomId: `room:${String(roomId)}`,
        spec: 'x',
      }),
    );
    expect(await refused(office, () => call('archive_room', { projectId: 'p' }))).toBe(
      'illegal-transition: work is under way in !r1:hs.local: p-01',
    );
    expect(await refused(office, () => call('archive_room', { roomId: ROOM }))).toMatch(
      'invalid-argument: !team:hs.local is a room of the team',
    );
    expect(await refused(office, () => call('archive_room', { projectId: 'q' }))).toBe(
      'not-found: project q has no room of its own',
    );
    expect(office.homeserver.present.has('!r1:hs.local')).toBe(true);
  });
});

describe('without a homeserver', () => {
  beforeEach(() => {
    office.weather.chat = 'local';
  });

  test('a room is a name, under the same calls', async () => {
    expect(await call('create_task_room', { projectId: 'p' })).toMatchObject({
      roomId: '!task-p:local',
      name: 'TASK：p',
      reused: false,
      invited: [],
    });
    expect(await call('create_task_room', { projectId: 'p' })).toMatchObject({ roomId: '!task-p:local', reused: true });
    expect(await call('describe_room', { roomId: '!task-p:local' })).toMatchObject({
      name: 'TASK：p',
      topic: 'Task room for p',
      tags: [],
    });
    expect(await call('describe_room', { roomId: '!nothing:local' })).toMatchObject({ name: '', topic: '', tags: [] });
    expect(await call('list_rooms')).toMatchObject({
      rooms: [{ kind: 'team' }, { kind: 'leader-dm' }, { kind: 'task', roomId: '!task-p:local' }],
    });
    expect(await call('archive_room', { projectId: 'p' })).toMatchObject({ archived: true });
    expect(await call('archive_room', { projectId: 'p' })).toMatchObject({ alreadyLeft: true });
    expect(await call('archive_room', { roomId: '!nothing:local' })).toMatchObject({ code: 'not-found' });
    expect(office.homeserver.made).toEqual([]);
  });

  test('the name gives way to a real room once there is a homeserver', async () => {
    await call('create_task_room', { projectId: 'p' });
    office.weather.chat = 'remote';
    expect(await call('create_task_room', { projectId: 'p' })).toMatchObject({ roomId: '!r1:hs.local', reused: false });
    expect(bound()).toMatchObject({ room_id: '!r1:hs.local' });
  });
});
