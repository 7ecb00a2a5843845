import { isUserId, sameIdentity } from './identity.ts';
import type { TeamSettings } from './records/team-types.ts';
import type { AgentRecord, ProjectMeta, ReplyRoute } from './records/types.ts';
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
  readonly meta: Pick<ProjectMeta, 'source' | 'requester' | 'reply_route' | 'source_room_id'>;
  readonly team: TeamSettings;
  readonly agents: readonly AgentRecord[];
}

/** Where a report goes, or why it cannot. */
export type Routing =
  | ({ readonly kind: 'room' } & ReportRoute)
  /** Another runtime delivers it: the report is written to the project's result.md and stays pending. */
  | { readonly kind: 'foreign'; readonly channel: string }
  /** The records do not tell, and nothing is guessed. */
  | { readonly kind: 'nowhere'; readonly problem: string; readonly remedy: string };

/** The room of a report; `undefined` where Baton has none to write to. */
export function reportRoute(facts: RouteFacts): ReportRoute | undefined {
  const routing = reportRouting(facts);
  if (routing.kind !== 'room') return undefined;
  const { kind: _, ...route } = routing;
  return route;
}

/**
 * Where a report goes (protocol.md §14.1): the recorded route, else the room of its source. A project that names
 * neither source nor requester was started by the admin. What is missing or contradictory is told, not guessed.
 */
export function reportRouting({ meta, team, agents }: RouteFacts): Routing {
  const { requester, reply_route: recorded } = meta;
  const route = normaliseReplyRoute(recorded) ?? normaliseReplyRoute(requester);
  if (recorded === undefined && route === undefined) return routeOfSource({ meta, team, agents });
  if (route === undefined) {
    return nowhere(
      'its reply_route names no Matrix room',
      'correct reply_route to {"channel": "matrix", "target_session": "!room:domain"}, or take it out',
    );
  }
  if (route.channel !== 'matrix') return { kind: 'foreign', channel: route.channel };
  const mention = [requester, route.target_user].find((id) => id !== undefined && isUserId(id));
  return routeTo(route.target_session, sameRoom(route.target_session, team.leaderDmRoomId) ? undefined : mention);
}

function routeOfSource({ meta, team, agents }: RouteFacts): Routing {
  const { requester } = meta;
  const source = meta.source?.trim().toLowerCase().replaceAll('_', '-') ?? '';
  const known = requester !== undefined && isUserId(requester) ? requester : undefined;
  if (source === 'manager') return routeToManager(known, team, agents);
  const isAdmin = known === undefined || sameIdentity(known, team.admin.matrixUserId);
  if (source === 'team-admin') {
    return isAdmin
      ? routeToAdmin(team)
      : nowhere(
          `its source is the Team Admin, but its requester is ${known}, and the admin is ${team.admin.matrixUserId}`,
          'correct source or requester, or admin.matrixUserId in shared/team.json',
        );
  }
  const sourceRoom = normaliseRoom(meta.source_room_id ?? '');
  if (sourceRoom !== undefined) return routeTo(sourceRoom, known);
  if (source === '' && isOfAdmin(requester, team)) return routeToAdmin(team);
  return nowhere(
    source === '' ? `nobody knows how to reach its requester ${requester ?? ''}` : `its source ${source} has no room`,
    'record reply_route {"channel": "matrix", "target_session": "!room:domain"}, or the source team-admin or manager',
  );
}

/** Who is not recorded is the admin. */
function isOfAdmin(requester: string | undefined, { admin }: TeamSettings): boolean {
  return requester === undefined || sameIdentity(requester, admin.matrixUserId) || requester === admin.name;
}

function routeToAdmin({ leaderDmRoomId }: TeamSettings): Routing {
  if (leaderDmRoomId !== '') return routeTo(leaderDmRoomId);
  return nowhere(
    'it was asked for by the Team Admin, and shared/team.json has no leaderDmRoomId',
    'set leaderDmRoomId there, for instance with `baton team setup`',
  );
}

/** The Manager is the requester where its full id is recorded, else the roster's one Manager (protocol.md §14.1). */
function routeToManager(
  requester: string | undefined,
  { leaderRoomId = '' }: TeamSettings,
  agents: readonly AgentRecord[],
): Routing {
  if (leaderRoomId === '') {
    return nowhere(
      'it was asked for by a Manager, and shared/team.json has no leaderRoomId',
      'set leaderRoomId there to the room of Leader and Manager',
    );
  }
  if (requester !== undefined) return routeTo(leaderRoomId, requester);
  const managers = agents.filter(({ role, enabled }) => role === 'manager' && enabled);
  const [manager] = managers;
  if (managers.length === 1 && manager?.matrix_user_id !== undefined)
    return routeTo(leaderRoomId, manager.matrix_user_id);
  const said =
    manager === undefined
      ? 'nobody knows who that is'
      : managers.length > 1
        ? `the roster has ${managers.length}`
        : `shared/agents/${manager.agent_id}.json has no matrix_user_id`;
  return nowhere(
    `it was asked for by a Manager, and ${said}`,
    'record the full Matrix id as requester, or keep one enabled agent of role manager with its matrix_user_id',
  );
}

function routeTo(room: string, mention?: string): Routing {
  return { kind: 'room', room, ...(mention === undefined ? {} : { mention }) };
}

function nowhere(problem: string, remedy: string): Routing {
  return { kind: 'nowhere', problem, remedy };
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
