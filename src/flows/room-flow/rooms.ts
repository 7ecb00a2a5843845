import { FlowError } from '../../protocol/errors.ts';
import { roomBindingPath } from '../../protocol/paths.ts';
import type { TeamSettings } from '../../protocol/records/team-types.ts';
import type { RoomBinding } from '../../protocol/records/types.ts';
import { normaliseRoom, sameRoom } from '../../protocol/rooms.ts';
import type { WorkspaceView } from '../../protocol/view.ts';

/** A room that the files name. */
export interface KnownRoom {
  readonly kind: 'team' | 'leader-dm' | 'leader' | 'task';
  /** Without any prefix. */
  readonly roomId: string;
  readonly name: string;
  readonly topic: string;
  readonly binding?: RoomBinding;
}

/** What the rooms of a team are called and are for, by their key in `shared/team.json`. */
export const TEAM_ROOMS = {
  teamRoomId: { kind: 'team', title: 'Team Room', topic: 'Assignments and results' },
  leaderDmRoomId: { kind: 'leader-dm', title: 'Leader', topic: 'Reports and requests' },
  leaderRoomId: { kind: 'leader', title: 'Leader Room', topic: 'Leaders and their Manager' },
} as const;

export type TeamRoomKey = keyof typeof TEAM_ROOMS;

const TEAM_ROOM_KEYS = Object.keys(TEAM_ROOMS) as readonly TeamRoomKey[];

export function teamRoomName(team: TeamSettings, key: TeamRoomKey): string {
  return `${team.name}: ${TEAM_ROOMS[key].title}`;
}

/** The team's rooms, then those of projects. */
export function knownRooms(view: WorkspaceView): readonly KnownRoom[] {
  const { team } = view;
  const ofTeam = TEAM_ROOM_KEYS.flatMap((key): KnownRoom[] => {
    const roomId = team[key] ?? '';
    const { kind, topic } = TEAM_ROOMS[key];
    return roomId === '' ? [] : [{ kind, roomId: plain(roomId), name: teamRoomName(team, key), topic }];
  });
  const ofProjects = view.roomBindings().map((binding): KnownRoom => {
    const { room_id: roomId, name, topic = '' } = binding;
    return { kind: 'task', roomId, name, topic, binding };
  });
  return [...ofTeam, ...ofProjects];
}

/** The room of a project, archived or not. Throws `broken-file` when its binding cannot be read. */
export function bindingOf(view: WorkspaceView, projectId: string): RoomBinding | undefined {
  const found = view.roomBindings().find(({ project_id: id }) => id === projectId);
  const file = roomBindingPath(projectId);
  if (found === undefined && view.exists(file)) {
    throw new FlowError('broken-file', `${file} cannot be read, so the room of ${projectId} is not known`, {
      remedy: `mend ${file} by hand (\`baton doctor\` shows where), commit it and call again`,
      data: { projectId },
    });
  }
  return found;
}

/** The room that a call names by `roomId` or `sessionId`. Throws `invalid-argument`. */
export function requireRoomId({
  roomId,
  sessionId,
}: {
  readonly roomId?: string | undefined;
  readonly sessionId?: string | undefined;
}): string {
  const given = roomId ?? sessionId;
  if (given === undefined) throw new FlowError('invalid-argument', 'payload.roomId or payload.sessionId is required');
  const found = normaliseRoom(given);
  const contradicts = sessionId !== undefined && roomId !== undefined && !sameRoom(roomId, sessionId);
  if (found !== undefined && !contradicts) return found;
  const message = contradicts
    ? `roomId and sessionId name two rooms: ${roomId}, ${sessionId}`
    : `invalid Matrix room target: ${given}`;
  throw new FlowError('invalid-argument', message, { remedy: 'pass a room id such as !room:domain' });
}

function plain(roomId: string): string {
  return normaliseRoom(roomId) ?? roomId;
}
