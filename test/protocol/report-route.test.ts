import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_TEAM } from '../../src/protocol/records/team.ts';
import type { ProjectMeta } from '../../src/protocol/records/types.ts';
import { normaliseReplyRoute, reportRoute } from '../../src/protocol/report.ts';

const team = {
  ...DEFAULT_TEAM,
  admin: { name: 'Admin', matrixUserId: '@admin:hs.local' },
  leaderDmRoomId: '!dm:hs.local',
  leaderRoomId: '!leaders:hs.local',
};

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
      'a manager is the source, by a bare name',
      { source: 'Manager', requester: 'boss' },
      { room: '!leaders:hs.local' },
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
    expect(reportRoute({ meta: { project_id: 'p', title: 'T', status: 'active', ...record }, team })).toEqual(expected);
  });

  test('a manager without a Leader Room cannot be told', () => {
    const meta: ProjectMeta = { project_id: 'p', title: 'T', status: 'active', source: 'manager' };

    expect(reportRoute({ meta, team: DEFAULT_TEAM })).toBeUndefined();
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
