import { describe, expect, test } from 'vitest';
import { DEFAULT_TEAM } from '../../src/protocol/records/team.ts';
import { roomObstacle } from '../../src/rules/assignment-room.ts';

const TEAM = { ...DEFAULT_TEAM, teamRoomId: '!team:s', leaderDmRoomId: '!dm:s' };
const STRICT = { ...TEAM, policies: { ...TEAM.policies, strictTeamRoom: true } };
const DISCORD = { reply_route: { channel: 'discord', target_session: '42' } };

describe('a room in which work is given out', () => {
  test('may be the Team Room or any other, in any spelling, but not the DM of the Leader', () => {
    expect([roomObstacle(TEAM, '!team:s'), roomObstacle(TEAM, 'room:!other:s')]).toEqual([undefined, undefined]);
    expect(roomObstacle(TEAM, 'room:!dm:s')).toEqual({
      message: 'team leader task assignments must use the Team Room room:!team:s, not room:!dm:s',
      remedy: 'pass the Team Room, or another joined room when strictTeamRoom is off',
    });
  });

  test('is the Team Room alone where the team says so, and where it has one', () => {
    expect(roomObstacle(STRICT, '!team:s')).toBeUndefined();
    expect(roomObstacle(STRICT, '!other:s')).toMatchObject({
      message: expect.stringContaining('not !other:s') as string,
    });
    expect(roomObstacle({ ...STRICT, teamRoomId: '' }, '!other:s')).toBeUndefined();
    expect(roomObstacle({ ...TEAM, leaderDmRoomId: '' }, '')).toBeUndefined();
  });

  test('is not the Team Room for a requester outside Matrix, however strict the team is', () => {
    expect(roomObstacle(STRICT, '!other:s', DISCORD)).toBeUndefined();
    expect(roomObstacle(STRICT, '!team:s', DISCORD)).toEqual({
      message: 'discord requester tasks require a dedicated task room, not the Team Room',
      remedy: 'pass the roomId that roomflow create_task_room answers for this project',
    });
    expect(roomObstacle({ ...TEAM, teamRoomId: '' }, '', DISCORD)).toBeUndefined();
  });
});
