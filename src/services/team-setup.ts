import type { Chat, RoomKeeper, Sync, WorkTree } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import { sameIdentity } from '../protocol/identity.ts';
import { parseJson, renderJson } from '../protocol/json.ts';
import { TEAM_PATH } from '../protocol/paths.ts';
import { DEFAULT_TEAM } from '../protocol/records/team.ts';
import type { Actor, TeamSettings } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';

export interface TeamSetupDependencies {
  readonly chat: Chat;
  readonly sync: Sync;
  readonly workTree: WorkTree;
  readonly identity: Actor;
}

export interface TeamSetupRequest {
  /** Also a room for Leaders and their Manager. */
  readonly leaderRoom?: boolean;
  /** Full ids of others who belong into the Team Room. */
  readonly invite?: readonly string[];
}

export interface TeamRoom {
  /** Its key in `shared/team.json`. */
  readonly key: RoomKey;
  readonly roomId: string;
  readonly created: boolean;
  /** Full ids that were asked in by this run. */
  readonly invited: readonly string[];
}

type RoomKey = 'teamRoomId' | 'leaderDmRoomId' | 'leaderRoomId';

/**
 * `baton team setup`: makes the rooms that are missing, asks in who belongs there, and writes the rooms' ids to
 * `shared/team.json`. Run again it does nothing; broken off, the next run finds the rooms that were made.
 */
export async function setUpTeam(
  { chat, sync, workTree, identity }: TeamSetupDependencies,
  { leaderRoom = false, invite = [] }: TeamSetupRequest,
): Promise<readonly TeamRoom[]> {
  const { rooms } = chat;
  if (rooms === undefined) {
    throw new FlowError('bad-config', 'no homeserver is configured, and local rooms need no setting up', {
      remedy: 'add a matrix section to baton.json: {"homeserver": "https://…", "accessTokenEnv": "BATON_MATRIX_TOKEN"}',
    });
  }
  if (identity.role !== 'leader' && identity.role !== 'admin') {
    throw new FlowError('wrong-role', 'team setup requires leader role', {
      remedy: "run it in the Leader's workspace",
    });
  }
  await sync.pull();
  const view = workTree.view();
  const { team } = view;
  const admin = requireAdmin(team);
  const roster = view.agents().flatMap(({ enabled, matrix_user_id: id }) => (enabled && id !== undefined ? [id] : []));
  const wanted = [
    room('teamRoomId', 'Team Room', 'Assignments and results', [admin, ...roster, ...invite]),
    room('leaderDmRoomId', 'Leader', 'Reports and requests', [admin]),
    ...(leaderRoom || team.leaderRoomId !== undefined
      ? [room('leaderRoomId', 'Leader Room', 'Leaders and their Manager', [admin])]
      : []),
  ];
  const made: TeamRoom[] = [];
  for (const each of wanted) made.push(await ensure(rooms, team, each, identity));
  await record({ sync, identity }, made);
  return made;
}

interface WantedRoom {
  readonly key: RoomKey;
  readonly title: string;
  readonly topic: string;
  readonly members: readonly string[];
}

function room(key: RoomKey, title: string, topic: string, members: readonly string[]): WantedRoom {
  return { key, title, topic, members };
}

function requireAdmin({ admin: { matrixUserId } }: TeamSettings): string {
  if (matrixUserId !== DEFAULT_TEAM.admin.matrixUserId) return matrixUserId;
  throw new FlowError('bad-config', 'shared/team.json names no admin: nobody would read the reports', {
    remedy: 'add "admin": {"name": "…", "matrixUserId": "@you:server"} to it',
  });
}

async function ensure(
  rooms: RoomKeeper,
  team: TeamSettings,
  { key, title, topic, members }: WantedRoom,
  { matrixUserId: self = '' }: Actor,
): Promise<TeamRoom> {
  const others = members.filter(
    (user, index) => !sameIdentity(user, self) && members.findIndex((other) => sameIdentity(other, user)) === index,
  );
  const purpose = `${team.name}/${key}`;
  const known = configured(team, key) ?? (await rooms.find(purpose));
  if (known === undefined) {
    const name = `${team.name}: ${title}`;
    const roomId = await rooms.create({ purpose, name, topic, invite: others, direct: key === 'leaderDmRoomId' });
    return { key, roomId, created: true, invited: others };
  }
  const present = await rooms.members(known);
  const missing = others.filter((user) => !present.some((member) => sameIdentity(member, user)));
  for (const user of missing) await rooms.invite(known, user);
  return { key, roomId: known, created: false, invited: missing };
}

/** The room that the team has named; the one of a team without a homeserver is none. */
function configured(team: TeamSettings, key: RoomKey): string | undefined {
  return team[key] === DEFAULT_TEAM[key] ? undefined : team[key];
}

async function record({ sync, identity }: Pick<TeamSetupDependencies, 'sync' | 'identity'>, made: readonly TeamRoom[]) {
  await sync.transact({
    actor: identity,
    label: 'team setup',
    subject: {},
    whenOffline: 'refuse',
    decide: (view) => {
      const ids = made.filter(({ key, roomId }) => view.team[key] !== roomId).map(({ key, roomId }) => [key, roomId]);
      const text = ids.length === 0 ? undefined : withKeys(view, Object.fromEntries(ids) as Record<string, string>);
      return { changes: text === undefined ? [] : [{ kind: 'write', path: TEAM_PATH, text }], output: undefined };
    },
  });
}

/** Everything else in the file stays as its owner wrote it. */
function withKeys(view: WorkspaceView, ids: Readonly<Record<string, string>>): string {
  const parsed = parseJson(view.text(TEAM_PATH) ?? '{}', TEAM_PATH);
  if ('value' in parsed) return renderJson({ ...parsed.value, ...ids });
  throw new FlowError('broken-file', parsed.diagnostic.message, { remedy: `correct ${TEAM_PATH} and run it again` });
}
