import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newAgent } from '../../src/protocol/records/agent.ts';
import { DEFAULT_TEAM } from '../../src/protocol/records/team.ts';
import type { AgentRecord, ProjectMeta } from '../../src/protocol/records/types.ts';
import { normaliseReplyRoute, reportRoute, reportRouting } from '../../src/protocol/report.ts';

const team = {
  ...DEFAULT_TEAM,
  admin: { name: 'Admin', matrixUserId: '@admin:hs.local' },
  leaderDmRoomId: '!dm:hs.local',
  leaderRoomId: '!leaders:hs.local',
};

const manager = newAgent({ id: 'chief', role: 'manager', matrixUserId: '@chief:hs.local' });
const agents: readonly AgentRecord[] = [
  newAgent({ id: 'ana', role: 'worker', matrixUserId: '@ana:hs.local' }),
  { ...manager, agent_id: 'former', enabled: false },
  manager,
];

describe('reportRoute', () => {
  test.each<[string, Partial<ProjectMeta>, unknown]>([
    ['nothing is recorded: the admin asked', {}, { room: '!dm:hs.local' }],
    ['the admin is the requester', { requester: '@admin:hs.local' }, { room: '!dm:hs.local' }],
    ['the team admin is the source', { source: 'team_admin', requester: '@admin:hs.local' }, { room: '!dm:hs.local' }],
    [
      'a manager is the source',
      { source: 'manager', requester: '@boss:hs.local' },
      { room: '!leaders:hs.local', mention: '@boss:hs.local' },
    ],
    [
      'a manager is the source, by a bare name: the roster knows the Manager',
      { source: 'Manager', requester: 'boss' },
      { room: '!leaders:hs.local', mention: '@chief:hs.local' },
    ],
    [
      'a route is recorded',
      {
        source: 'manager',
        requester: '@boss:hs.local',
        reply_route: { channel: 'matrix', target_session: 'room:!x:hs.local' },
      },
      { room: '!x:hs.local', mention: '@boss:hs.local' },
    ],
    [
      'a route with a user is recorded',
      { reply_route: { channel: 'matrix', target_user: '@eve:hs.local', target_session: '!x:hs.local' } },
      { room: '!x:hs.local', mention: '@eve:hs.local' },
    ],
    [
      'the route is the DM',
      { requester: '@admin:hs.local', reply_route: { channel: 'matrix', target_session: 'matrix:!dm:hs.local' } },
      { room: '!dm:hs.local' },
    ],
    ['the requester is a room', { source: 'matrix', requester: 'matrix:!x:hs.local' }, { room: '!x:hs.local' }],
    [
      'the room of the request is recorded',
      { source: 'matrix', requester: '@eve:hs.local', source_room_id: 'matrix:!y:hs.local' },
      { room: '!y:hs.local', mention: '@eve:hs.local' },
    ],
    [
      'the route leads to another channel',
      { reply_route: { channel: 'dingtalk', target_user: 'u', target_session: 's' } },
      undefined,
    ],
    ['the requester is on another channel', { requester: 'dingtalk:u:s' }, undefined],
    [
      'the recorded route is broken',
      { reply_route: { channel: 'matrix', target_session: '@eve:hs.local' } },
      undefined,
    ],
    ['only a stranger is known', { requester: '@eve:hs.local' }, undefined],
    ['the source has no room of its own', { source: 'api' }, undefined],
  ])('%s', (_, record, expected) => {
    expect(reportRoute({ meta: { project_id: 'p', title: 'T', status: 'active', ...record }, team, agents })).toEqual(
      expected,
    );
  });

  const nobody = { ...manager, matrix_user_id: undefined };
  test.each<[Partial<ProjectMeta>, Partial<typeof team>, readonly AgentRecord[], string, RegExp]>([
    [
      { source: 'manager' },
      { leaderRoomId: '' },
      agents,
      'a Manager, and shared/team.json has no leaderRoomId',
      /leaderRoomId/,
    ],
    [{ source: 'manager' }, {}, [], 'a Manager, and nobody knows who that is', /agent of role manager/],
    [
      { source: 'manager' },
      {},
      [manager, { ...manager, agent_id: 'b' }],
      'a Manager, and the roster has 2',
      /keep one/,
    ],
    [
      { source: 'manager' },
      {},
      [nobody as unknown as AgentRecord],
      'a Manager, and shared/agents/chief.json has no matrix_user_id',
      /its matrix_user_id/,
    ],
    [{ source: 'team-admin' }, { leaderDmRoomId: '' }, agents, 'has no leaderDmRoomId', /baton team setup/],
    [
      { source: 'team-admin', requester: '@eve:hs.local' },
      {},
      agents,
      'its source is the Team Admin, but its requester is @eve:hs.local, and the admin is @admin:hs.local',
      /correct source or requester/,
    ],
    [{ source: 'api' }, {}, agents, 'its source api has no room', /record reply_route/],
    [{ requester: 'bob' }, {}, agents, 'nobody knows how to reach its requester bob', /record reply_route/],
  ])('%j says what is missing in place of guessing', (record, settings, roster, problem, remedy) => {
    const meta: ProjectMeta = { project_id: 'p', title: 'T', status: 'active', ...record };
    const facts = { meta, team: { ...team, ...settings }, agents: roster };

    expect(reportRoute(facts)).toBeUndefined();
    expect(reportRouting(facts)).toEqual({
      kind: 'nowhere',
      problem: expect.stringContaining(problem) as string,
      remedy: expect.stringMatching(remedy) as string,
    });
  });

  test('another channel is no mistake, and not ours to deliver to', () => {
    const meta: ProjectMeta = { project_id: 'p', title: 'T', status: 'active', requester: 'dingtalk:u:s' };

    expect(reportRouting({ meta, team, agents })).toEqual({ kind: 'foreign', channel: 'dingtalk' });
  });
});

describe('normaliseReplyRoute', () => {
  test.each<[unknown, unknown]>([
    [
      { channel: 'matrix', targetSession: 'matrix:!x:d', token: 'secret' },
      { channel: 'matrix', target_session: '!x:d' },
    ],
    [
      { channel: 'Matrix', roomId: ' room:!x:d ', userId: '@u:d' },
      { channel: 'matrix', target_user: '@u:d', target_session: '!x:d' },
    ],
    [{ targetRoom: '!x:d' }, { channel: 'matrix', target_session: '!x:d' }],
    [{ channel: 'matrix', target: '@u:d' }, undefined],
    [{ channel: 'matrix' }, undefined],
    [
      { channel: 'dingtalk', target_user: 'u', sessionId: 's' },
      { channel: 'dingtalk', target_user: 'u', target_session: 's' },
    ],
    [{ channel: 'dingtalk', target_user: 'u', target: 's' }, undefined],
    [{ channel: 'dingtalk', target_session: 's' }, undefined],
    [{ target_user: 'u', target_session: 's' }, undefined],
    ['matrix:!x:d', { channel: 'matrix', target_session: '!x:d' }],
    ['matrix:room:!x:d', { channel: 'matrix', target_session: '!x:d' }],
    ['dingtalk:u:s:1', { channel: 'dingtalk', target_user: 'u', target_session: 's:1' }],
    ['matrix:@u:d', undefined],
    ['@u:d', undefined],
    ['bob', undefined],
    ['dingtalk:u', undefined],
    ['dingtalk::s', undefined],
    [null, undefined],
    [[], undefined],
    [{ channel: 5, target_session: {} }, undefined],
  ])('makes %j into %j', (input, expected) => {
    expect(normaliseReplyRoute(input)).toEqual(expected);
  });

  test('is settled after one turn, whatever comes in', () => {
    const value = fc.oneof(fc.constantFrom('matrix', 'dingtalk', '!x:d', 'room:!x:d', '@u:d', ''), fc.string());
    const record = fc.dictionary(
      fc.constantFrom('channel', 'target', 'target_user', 'targetSession', 'session_id', 'roomId'),
      value,
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), record, value), (input) => {
        const route = normaliseReplyRoute(input);
        expect(route === undefined ? undefined : normaliseReplyRoute(route)).toEqual(route);
      }),
    );
  });
});
