import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { sameIdentity } from '../../protocol/identity.ts';
import { parseJson, renderJson, sameJson } from '../../protocol/json.ts';
import { TEAM_PATH, agentPath } from '../../protocol/paths.ts';
import { renderAgent } from '../../protocol/records/agent.ts';
import { DEFAULT_TEAM } from '../../protocol/records/team.ts';
import type { TeamSettings } from '../../protocol/records/team-types.ts';
import type { AgentRecord } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { checkAccount, memberOf, memberRecord, recordOf } from '../agent-flow/member.ts';
import type { Member } from '../agent-flow/member.ts';
import { ensureRoom, othersThan } from '../errands.ts';
import type { EnsuredRoom, Errands } from '../errands.ts';
import { TEAM_ROOMS, teamRoomName } from '../room-flow/rooms.ts';
import type { TeamRoomKey } from '../room-flow/rooms.ts';
import { LEADERS } from '../shared.ts';
import { syncFields } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import type { OperationContext } from '../types.ts';
import { words } from '../work-fields.ts';

const input = z.object({
  leaderRoom: z.boolean().default(false).describe('also a room for Leaders and their Manager'),
  invite: words('Matrix ids or localparts of Workers to ask in and to register'),
});

type Context = OperationContext<z.output<typeof input>>;

interface TeamRoom extends EnsuredRoom {
  /** Its key in `shared/team.json`. */
  readonly key: TeamRoomKey;
}

interface SetupOutput {
  readonly rooms: readonly TeamRoom[];
  /** Localparts of those whose entry in the roster was made or completed. */
  readonly registered: readonly string[];
  readonly warnings?: readonly string[];
}

/**
 * Makes the rooms that are missing, asks in who belongs there, and writes the rooms' ids to `shared/team.json` and
 * those who were asked in to the roster. Run again it does nothing; broken off, the next run finds the rooms.
 */
export const setUpTeam = defineOperation({
  name: 'team.setup',
  kind: 'command',
  roles: LEADERS,
  summary: "Make the team's rooms on the homeserver and ask everybody in.",
  input,
  fresh: 'required',
  precheck(context) {
    if (context.facts.chat.kind === 'local') {
      throw new FlowError('bad-config', 'no homeserver is configured, and local rooms need no setting up', {
        remedy:
          'add a matrix section to baton.json: {"homeserver": "https://…", "accessTokenEnv": "BATON_MATRIX_TOKEN"}',
      });
    }
    requireAdmin(context.view.team);
    records(context);
    withKeys(context.view, {});
  },
  dryRun: (context) => ({
    rooms: wantedKeys(context).map((key) => ({ key, members: membersOf(context, key) })),
    registered: records(context).map(({ agent_id: id }) => id),
  }),
  *prepare(context) {
    const warnings: string[] = [];
    // Before any room is made: a wrong name must not leave half a team behind.
    for (const member of invited(context)) {
      const { warning } = yield* checkAccount(context.facts, member);
      if (warning !== undefined) warnings.push(`not checked: ${warning}`);
    }
    const rooms: TeamRoom[] = [];
    for (const key of wantedKeys(context)) rooms.push({ key, ...(yield* ensure(context, key)) });
    return { rooms, warnings };
  },
  run(context, { rooms, warnings }) {
    const { view } = context;
    const ids = rooms.filter(({ key, roomId }) => view.team[key] !== roomId).map(({ key, roomId }) => [key, roomId]);
    const agents = records(context);
    const output: SetupOutput = {
      rooms,
      registered: agents.map(({ agent_id: id }) => id),
      ...(warnings.length === 0 ? {} : { warnings }),
    };
    if (ids.length === 0 && agents.length === 0) return { changes: [], events: [], announcements: [], output };
    return {
      changes: [
        ...(ids.length === 0
          ? []
          : [{ kind: 'write' as const, path: TEAM_PATH, text: withKeys(view, Object.fromEntries(ids)) }]),
        ...agents.map((agent) => ({
          kind: 'write' as const,
          path: agentPath(agent.agent_id),
          text: renderAgent(agent),
        })),
      ],
      events: [
        {
          type: 'team.set_up',
          action: 'setup',
          subject: { kind: 'file', id: TEAM_PATH },
          data: { rooms: Object.fromEntries(ids) as object, registered: output.registered },
        },
      ],
      announcements: [],
      output,
    };
  },
  settle: (output: SetupOutput, settlement) => ({ ...output, ...syncFields(settlement) }),
});

function requireAdmin({ admin: { matrixUserId } }: TeamSettings): string {
  if (matrixUserId !== DEFAULT_TEAM.admin.matrixUserId) return matrixUserId;
  throw new FlowError('bad-config', 'shared/team.json names no admin: nobody would read the reports', {
    remedy: 'add "admin": {"name": "…", "matrixUserId": "@you:server"} to it',
  });
}

function invited({ facts, input: { invite = [] } }: Context): readonly Member[] {
  return invite.map((name) => memberOf(facts, name));
}

function wantedKeys({ view: { team }, input: { leaderRoom } }: Context): readonly TeamRoomKey[] {
  const more = leaderRoom || team.leaderRoomId !== undefined;
  return ['teamRoomId', 'leaderDmRoomId', ...(more ? (['leaderRoomId'] as const) : [])];
}

/** The admin is in every room; the Workers are in the Team Room only. */
function membersOf(context: Context, key: TeamRoomKey): readonly string[] {
  const { view, facts } = context;
  const roster = view.agents().flatMap(({ enabled, matrix_user_id: id }) => (enabled && id !== undefined ? [id] : []));
  const others = key === 'teamRoomId' ? [...roster, ...invited(context).map(({ userId }) => userId)] : [];
  return othersThan(facts.chat.self, [requireAdmin(view.team), ...others]);
}

function ensure(context: Context, key: TeamRoomKey): Errands<EnsuredRoom> {
  const { team } = context.view;
  const members = membersOf(context, key);
  const room = {
    purpose: `${team.name}/${key}`,
    name: teamRoomName(team, key),
    topic: TEAM_ROOMS[key].topic,
    invite: members,
    direct: key === 'leaderDmRoomId',
  };
  // The room of a team without a homeserver is none.
  return ensureRoom(room, { known: team[key] === DEFAULT_TEAM[key] ? undefined : team[key], members });
}

/**
 * Who belongs on the roster and is not there, or not with the full id by which messages are recognised: those who are
 * asked in, as Workers, and the Leader who asks.
 */
function records(context: Context): readonly AgentRecord[] {
  const { view, facts, actor } = context;
  const { self } = facts.chat;
  const leads = actor.role === 'leader' && actor.matrixUserId !== undefined && sameIdentity(actor.matrixUserId, self);
  const workers = invited(context).filter(
    ({ userId }) => !sameIdentity(userId, self) && !sameIdentity(userId, view.team.admin.matrixUserId),
  );
  const wanted = [
    ...(leads ? [{ member: memberOf(facts, self), role: 'leader' as const }] : []),
    ...workers.map((member) => ({ member, role: 'worker' as const })),
  ];
  const found = wanted.map(({ member, role }) => {
    const existing = recordOf(view, member);
    return { existing, record: memberRecord(existing, member, role) };
  });
  const changed = found.filter(({ existing, record }) => existing === undefined || !sameJson(existing, record));
  return [...new Map(changed.map(({ record }) => [record.agent_id, record])).values()];
}

/** Everything else in the file stays as its owner wrote it. Throws `broken-file`. */
function withKeys(view: WorkspaceView, ids: Readonly<Record<string, string>>): string {
  const parsed = parseJson(view.text(TEAM_PATH) ?? '{}', TEAM_PATH);
  if ('value' in parsed) return renderJson({ ...parsed.value, ...ids });
  throw new FlowError('broken-file', parsed.diagnostic.message, { remedy: `correct ${TEAM_PATH} and run it again` });
}
