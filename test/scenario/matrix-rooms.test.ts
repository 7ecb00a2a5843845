import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { App, Envelope } from '../../src/app-types.ts';
import { batonWith } from '../support/baton.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { onHomeserver, onOwnHomeserver } from '../support/synapse/homeserver.ts';
import { matrixTeam, startMatrixNode, tokenOf } from '../support/synapse/team.ts';
import { eventually } from '../support/waiting.ts';

async function must(app: App, tool: string, action: string, payload: Record<string, unknown> = {}): Promise<Envelope> {
  const answer = await app.call({ tool, action, payload });
  expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
  return answer;
}

async function oneWorker(homeserver: Parameters<typeof matrixTeam>[0], options: Parameters<typeof matrixTeam>[1] = {}) {
  const team = await matrixTeam(homeserver, options);
  const [ana] = team.members;
  if (ana === undefined) throw new Error('a team needs a Worker');
  return { ...team, ana };
}

type Lead = Awaited<ReturnType<typeof matrixTeam>>['lead'];

/** What the homeserver holds under one type of the state of a room. */
const stateOf = (who: Lead, room: string, type: string) =>
  who.call('GET', `/rooms/${encodeURIComponent(room)}/state/${type}/`);

onHomeserver('rooms on a homeserver', (homeserver) => {
  test('a project gets one room, its Worker follows into it, and its tasks are assigned there', async () => {
    const { lead, ana, admin } = await oneWorker(homeserver());
    const leader = await startMatrixNode(lead);
    await startMatrixNode(ana);
    await must(leader, 'agent', 'register', { agent: ana.userId });
    const replyRoute = { channel: 'dingtalk', targetUser: 'u', targetSession: 's' };
    await must(leader, 'projectflow', 'create_project', { projectId: 'figures', title: 'Figures', replyRoute });
    const tasks = [{ taskId: 'figures-01', title: 'Collect', assignedTo: ana.userId }];
    await must(leader, 'projectflow', 'plan_dag', { projectId: 'figures', tasks });

    // At once, twice: as an agent does that is not sure whether its call went through.
    const both = await Promise.all(
      [1, 2].map(() => must(leader, 'roomflow', 'create_task_room', { projectId: 'figures' })),
    );
    const [{ roomId }] = both as unknown as [{ roomId: string }];
    expect(both.map((answer) => answer['roomId'])).toEqual([roomId, roomId]);
    expect(both.map((answer) => answer['reused'])).toEqual([false, true]);
    expect(both[0]).toMatchObject({ name: 'TASK：figures', invited: [admin.userId, ana.userId] });
    const files = readdirSync(join(lead.dir, 'shared/roomflow/project-rooms'));
    expect(files).toEqual([expect.stringMatching(/^figures-[0-9a-f]{16}\.json$/)]);

    expect(await stateOf(lead, roomId, 'm.room.name')).toEqual({ name: 'TASK：figures' });
    expect(await stateOf(lead, roomId, 'room.meta')).toEqual({
      projectId: 'figures',
      team: 'team',
      leader: lead.userId,
      workers: [ana.userId],
      humans: [admin.userId],
    });
    // What the admin may do there, and the Worker may not.
    await admin.join(roomId);
    await eventually(async () => (await lead.joined(roomId)).includes(ana.userId) || undefined, 'Ana joins');
    await admin.call('PUT', `/rooms/${encodeURIComponent(roomId)}/state/m.room.topic/`, { topic: 'Mine as well' });
    await expect(
      ana.call('PUT', `/rooms/${encodeURIComponent(roomId)}/state/m.room.topic/`, { topic: 'x' }),
    ).rejects.toThrow('M_FORBIDDEN');

    const delegate = { projectId: 'figures', taskId: 'figures-01', roomId, spec: 'Collect them.' };
    await must(leader, 'taskflow', 'delegate_task', delegate);
    const said = (await admin.messages(roomId)).map(({ content }) => content.body ?? '');
    expect(said).toEqual([expect.stringContaining('TASK_ASSIGNED: figures-01')]);
    expect(await must(leader, 'roomflow', 'describe_room', { sessionId: `matrix:${roomId}` })).toMatchObject({
      roomId,
      name: 'TASK：figures',
      topic: 'Mine as well',
      tags: [],
    });
  });

  test('a room without a name or a topic is described as that, and tags are told', async () => {
    const { lead } = await oneWorker(homeserver());
    const leader = await startMatrixNode(lead);
    const bare = await lead.createRoom();
    await lead.call(
      'PUT',
      `/user/${encodeURIComponent(lead.userId)}/rooms/${encodeURIComponent(bare)}/tags/m.favourite`,
      {},
    );
    expect(await must(leader, 'roomflow', 'describe_room', { roomId: `room:${bare}` })).toMatchObject({
      roomId: bare,
      name: '',
      topic: '',
      tags: ['m.favourite'],
    });
    const { rooms } = await must(leader, 'roomflow', 'list_rooms');
    expect(rooms).toMatchObject([
      { kind: 'team', joined: true },
      { kind: 'leader-dm', joined: true },
      { kind: 'other', roomId: bare, joined: true },
    ]);
  });

  test('a room that is archived was left; again it has been left already, and the project may have another', async () => {
    const { lead, admin } = await oneWorker(homeserver());
    const leader = await startMatrixNode(lead);
    const room = async () =>
      String((await must(leader, 'roomflow', 'create_task_room', { projectId: 'figures' }))['roomId']);
    const first = await room();
    await admin.join(first);
    expect(await must(leader, 'roomflow', 'archive_room', { projectId: 'figures' })).toMatchObject({ archived: true });
    expect(await admin.joined(first)).toEqual([admin.userId]);
    expect(await must(leader, 'roomflow', 'archive_room', { roomId: first })).toMatchObject({ alreadyLeft: true });
    const second = await room();
    expect(second).not.toBe(first);
    expect(await admin.call('GET', '/joined_rooms')).toMatchObject({
      joined_rooms: expect.arrayContaining([first]) as string[],
    });
  });

  test('agents are registered under the names of the homeserver, and listed with who is in the Team Room', async () => {
    const { lead, ana, members, teamRoom, observer } = await oneWorker(homeserver(), { workers: ['ana', 'bo=1.x'] });
    const odd = members[1] ?? ana;
    const leader = await startMatrixNode(lead);
    const localpart = (id: string): string => id.slice(1, id.indexOf(':'));
    await must(leader, 'agent', 'register', { agent: localpart(ana.userId), capabilities: ['dev'] });
    await must(leader, 'agent', 'register', { agent: odd.userId });
    await must(leader, 'agent', 'register', { agent: observer.userId, role: 'human' });
    const record = JSON.parse(
      readFileSync(join(lead.dir, `shared/agents/${localpart(odd.userId)}.json`), 'utf8'),
    ) as unknown;
    expect(record).toMatchObject({ agent_id: localpart(odd.userId), matrix_user_id: odd.userId });

    const upper = `@${localpart(ana.userId).toUpperCase()}:${homeserver().serverName}`;
    for (const [agent, code] of [
      [`@nobody-at-all:${homeserver().serverName}`, 'not-found'],
      [upper, 'already-exists'],
    ] as const) {
      expect(await leader.call({ tool: 'agent', action: 'register', payload: { agent } })).toMatchObject({ code });
    }
    await observer.call('POST', `/rooms/${encodeURIComponent(teamRoom)}/leave`, {});
    const run = await batonWith({ cwd: ana.dir, env: tokenOf(ana.account) }, 'sync', 'now', '--json');
    expect(run.code, run.stderr).toBe(0);
    const listed = await batonWith({ cwd: ana.dir, env: tokenOf(ana.account) }, 'agent', 'list', '--json');
    const { agents } = JSON.parse(listed.stdout) as { agents: readonly Record<string, unknown>[] };
    const shown = agents.map(({ matrix_user_id: id, role, team_room: there }) => [String(id), [role, there]] as const);
    expect(Object.fromEntries(shown)).toEqual({
      [ana.userId]: ['worker', 'joined'],
      [lead.userId]: ['leader', 'joined'],
      [odd.userId]: ['worker', 'joined'],
      [observer.userId]: ['human', 'absent'],
    });
  });

  test('team setup works while the node runs: the node does it', async () => {
    const { lead, ana, admin } = await oneWorker(homeserver(), { rooms: false });
    const node = await startUp(lead.dir, tokenOf(lead.account));
    const setUp = async () => {
      const run = await batonWith({ cwd: lead.dir }, 'team', 'setup', '--invite', ana.userId, '--json');
      expect(run.code, run.stdout + run.stderr).toBe(0);
      return JSON.parse(run.stdout) as { registered: string[]; rooms: { roomId: string; created: boolean }[] };
    };
    const { rooms, registered } = await setUp();
    expect(rooms.map(({ created }) => created)).toEqual([true, true]);
    expect(registered).toEqual([ana.userId.slice(1, ana.userId.indexOf(':'))]);
    const head = git(lead.dir, 'rev-parse', 'HEAD');
    const again = await setUp();
    expect(again).toMatchObject({
      registered: [],
      rooms: rooms.map(({ roomId }) => ({ roomId, created: false, invited: [] })),
    });
    expect(git(lead.dir, 'rev-parse', 'HEAD')).toBe(head);
    await admin.join(rooms[0]?.roomId ?? '');
    expect(await stateOf(admin, rooms[0]?.roomId ?? '', 'm.room.name')).toEqual({ name: 'team: Team Room' });
    expect(await node.stop()).toBe(0);
  });
});

onOwnHomeserver('rooms on a homeserver that goes away', { rateLimits: 'raised' }, (homeserver) => {
  test('an agent is registered with a warning, the roster is still told, and no room is bound', async () => {
    const { lead } = await oneWorker(homeserver());
    const leader = await startMatrixNode(lead);
    await homeserver().halt();
    const { warnings, agent } = await must(leader, 'agent', 'register', { agent: 'later' });
    expect(warnings).toEqual([expect.stringMatching(/^not checked: .*@later:.* cannot be told: .*cannot be reached$/)]);
    expect(agent).toMatchObject({ matrix_user_id: `@later:${homeserver().serverName}` });
    expect(await must(leader, 'agent', 'list')).toMatchObject({
      count: 2,
      warnings: [
        expect.stringMatching(/^the room cannot be looked at: /),
        expect.stringMatching(/ works in a clone of its own: `baton agent register /),
      ],
    });
    const room = await leader.call({ tool: 'roomflow', action: 'create_task_room', payload: { projectId: 'p' } });
    expect(room).toMatchObject({ ok: false, code: 'notify-failed', retryable: true });
  });
});
