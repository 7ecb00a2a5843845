import type { TeamSettings } from '../protocol/records/team-types.ts';
import type { ProjectMeta } from '../protocol/records/types.ts';
import { normaliseRoom, sameRoom } from '../protocol/rooms.ts';

/** What stands against something, and what to do about it. */
export interface Obstacle {
  readonly message: string;
  readonly remedy: string;
}

/**
 * Why nobody may be given work in a room, or `undefined` (protocol.md §10.1 item 3): no assignment in the Leader's DM; only
 * the Team Room when the team says so; and not the Team Room for a requester outside Matrix, whose work has a room of its own.
 */
export function roomObstacle(
  { leaderDmRoomId, teamRoomId, policies }: TeamSettings,
  room: string,
  project?: Pick<ProjectMeta, 'reply_route'>,
): Obstacle | undefined {
  const channel = project?.reply_route?.channel ?? 'matrix';
  const inDm = leaderDmRoomId !== '' && sameRoom(room, leaderDmRoomId);
  const isStrict = policies.strictTeamRoom && channel === 'matrix';
  const elsewhere = isStrict && teamRoomId !== '' && !sameRoom(room, teamRoomId);
  if (inDm || elsewhere) {
    return {
      message: `team leader task assignments must use the Team Room room:${normaliseRoom(teamRoomId) ?? teamRoomId}, not ${room}`,
      remedy: 'pass the Team Room, or another joined room when strictTeamRoom is off',
    };
  }
  if (channel !== 'matrix' && teamRoomId !== '' && sameRoom(room, teamRoomId)) {
    return {
      message: `${channel} requester tasks require a dedicated task room, not the Team Room`,
      remedy: 'pass the roomId that roomflow create_task_room answers for this project',
    };
  }
  return undefined;
}
