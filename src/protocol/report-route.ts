import { isUserId, sameIdentity } from './identity.ts';
import type { ProjectMeta, ReplyRoute, TeamSettings } from './records/types.ts';
import { normaliseRoom, sameRoom } from './rooms.ts';

export interface ReportRoute {
  /** A Matrix room. */
  readonly room: string;
  /** Full Matrix id to mention; absent where everybody in the room is meant, or nobody is known. */
  readonly mention?: string;
}

const SPELLINGS = {
  user: ['target_user', 'targetUser', 'user_id', 'userId'],
  session: ['target_session', 'targetSession', 'session_id', 'sessionId'],
  matrixSession: ['target', 'room_id', 'roomId', 'target_room', 'targetRoom'],
} as const;

/**
 * A reply route in the form in which it is stored (protocol.md §14.2), from any spelling of its record or from a
 * requester such as `matrix:!room:dom` or `dingtalk:<user>:<session>`. Other keys are dropped, since they may be
 * secrets. `undefined` when it leads nowhere: a Matrix user, a channel without user and session, a bare identity.
 */
export function normaliseReplyRoute(input: unknown): ReplyRoute | undefined {
  if (typeof input === 'string') return routeOfRequester(input.trim());
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const fields = new Map(Object.entries(input));
  const read = (names: readonly string[]): string | undefined => {
    const values = names.map((name) => fields.get(name));
    return values.map((value) => (typeof value === 'string' ? value.trim() : '')).find((value) => value !== '');
  };
  const user = read(SPELLINGS.user);
  const session = read([...SPELLINGS.session, ...SPELLINGS.matrixSession]);
  const channel =
    read(['channel'])?.toLowerCase() ?? (normaliseRoom(session ?? '') === undefined ? undefined : 'matrix');
  if (channel === 'matrix') return matrixRoute(session, user);
  const foreignSession = read(SPELLINGS.session);
  if (channel === undefined || user === undefined || foreignSession === undefined) return undefined;
  return { channel, target_user: user, target_session: foreignSession };
}

interface RouteFacts {
  readonly meta: ProjectMeta;
  readonly team: TeamSettings;
}

/**
 * Where a report goes (protocol.md §14.1): the recorded route, else the room of its source. A project that names
 * neither source nor requester was started by the admin. `undefined` when the records do not tell: nothing is guessed.
 */
export function reportRoute({ meta, team }: RouteFacts): ReportRoute | undefined {
  const { requester, reply_route: recorded } = meta;
  const route = normaliseReplyRoute(recorded) ?? normaliseReplyRoute(requester);
  if (recorded === undefined && route === undefined) return routeOfSource({ meta, team });
  if (route?.channel !== 'matrix') return undefined;
  const mention = [requester, route.target_user].find((id) => id !== undefined && isUserId(id));
  return routeTo(route.target_session, sameRoom(route.target_session, team.leaderDmRoomId) ? undefined : mention);
}

function routeOfSource({ meta, team }: RouteFacts): ReportRoute | undefined {
  const { requester } = meta;
  const source = meta.source?.trim().toLowerCase().replaceAll('_', '-') ?? '';
  const mention = requester !== undefined && isUserId(requester) ? requester : undefined;
  if (source === 'manager') return routeTo(team.leaderRoomId, mention);
  if (source === 'team-admin') return routeTo(team.leaderDmRoomId);
  const sourceRoom = normaliseRoom(meta.source_room_id ?? '');
  if (sourceRoom !== undefined) return routeTo(sourceRoom, mention);
  const isAdmin = requester === undefined || sameIdentity(requester, team.admin.matrixUserId);
  return source === '' && isAdmin ? routeTo(team.leaderDmRoomId) : undefined;
}

function routeTo(room: string | undefined, mention?: string): ReportRoute | undefined {
  if (room === undefined || room === '') return undefined;
  return { room, ...(mention === undefined ? {} : { mention }) };
}

function matrixRoute(session: string | undefined, user: string | undefined): ReplyRoute | undefined {
  const room = normaliseRoom(session ?? '');
  if (room === undefined) return undefined;
  return { channel: 'matrix', ...(user === undefined ? {} : { target_user: user }), target_session: room };
}

function routeOfRequester(requester: string): ReplyRoute | undefined {
  const [, channel = '', rest = ''] = /^([a-z][a-z0-9_-]*):(.+)$/is.exec(requester) ?? [];
  if (channel.toLowerCase() === 'matrix') return matrixRoute(requester, undefined);
  const colon = rest.indexOf(':');
  const [user, session] = [rest.slice(0, Math.max(0, colon)).trim(), rest.slice(colon + 1).trim()];
  if (user === '' || session === '') return undefined;
  return { channel: channel.toLowerCase(), target_user: user, target_session: session };
}
