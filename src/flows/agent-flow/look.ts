import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { sameIdentity } from '../../protocol/identity.ts';
import type { AgentRecord } from '../../protocol/records/types.ts';
import type { RoomMember } from '../../protocol/rooms.ts';
import { holdingsIn, standingOf } from '../../rules/load.ts';
import type { Holdings } from '../../rules/load.ts';
import { membersOf } from '../errands.ts';
import type { Errands } from '../errands.ts';
import { presentAgent } from '../present.ts';
import { ANYONE } from '../shared.ts';
import { homeServer } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import type { Facts, OperationContext } from '../types.ts';
import { findAgent, registering, requireAgent } from './roster.ts';

/** Who is in the Team Room, or why that cannot be told; neither without a homeserver, where everybody is. */
interface Attendance {
  readonly members?: readonly RoomMember[];
  readonly problem?: string;
}

/** The roster, with the names that count beside the names for people. */
export const listAgents = defineOperation({
  name: 'agent.list',
  kind: 'query',
  roles: ANYONE,
  summary: 'List the agents of the team, what each holds, and who of them is in the Team Room.',
  input: z.object({}),
  fresh: 'no',
  prepare: attendance,
  run({ view, facts }, { members, problem }) {
    const holdings = holdingsIn(view);
    const agents = view.agents().map((agent) => listed(facts, agent, holdings, members));
    const unregistered = (facts.lanes?.() ?? [])
      .filter((lane) => findAgent(view, lane) === undefined)
      .map((agent) => ({ agent, command: registering(agent) }));
    const warnings = [
      ...(problem === undefined ? [] : [problem]),
      ...unregistered.map(
        ({ agent, command }) => `${agent} works in a clone of its own: \`${command}\` puts it on the roster`,
      ),
    ];
    const output = {
      agents,
      count: agents.length,
      ...(unregistered.length === 0 ? {} : { unregistered }),
      ...(warnings.length === 0 ? {} : { warnings }),
    };
    return { changes: [], events: [], announcements: [], output };
  },
});

/** All that is recorded of one agent. */
export const showAgent = defineOperation({
  name: 'agent.show',
  kind: 'query',
  roles: ANYONE,
  summary: 'Show the entry of an agent, and what it holds.',
  input: z.object({ agent: z.string().min(1).describe('localpart or Matrix id') }),
  fresh: 'no',
  precheck: ({ view, input }) => void requireAgent(view, input.agent),
  prepare: attendance,
  run({ view, facts, input }, { members, problem }) {
    const agent = listed(facts, requireAgent(view, input.agent), holdingsIn(view), members);
    const output = { agent, ...(problem === undefined ? {} : { warnings: [problem] }) };
    return { changes: [], events: [], announcements: [], output };
  },
});

function listed(
  facts: Facts,
  agent: AgentRecord,
  holdings: Holdings,
  members: readonly RoomMember[] | undefined,
): Record<string, unknown> {
  const userId = agent.matrix_user_id ?? `@${agent.agent_id}:${homeServer(facts)}`;
  const member = members?.find((one) => sameIdentity(one.userId, userId));
  const present = member === undefined ? 'absent' : member.membership === 'join' ? 'joined' : 'invited';
  return {
    ...presentAgent(agent),
    matrix_user_id: userId,
    ...standingOf(agent, holdings),
    ...(members === undefined ? {} : { team_room: present }),
  };
}

/** The roster is told whatever the homeserver says. */
function* attendance({ view, facts }: OperationContext<unknown>): Errands<Attendance> {
  const { teamRoomId } = view.team;
  if (facts.chat.kind === 'local' || teamRoomId === '') return {};
  try {
    return { members: yield* membersOf(teamRoomId) };
  } catch (thrown) {
    if (!(thrown instanceof FlowError) || thrown.code !== 'notify-failed') throw thrown;
    return { problem: thrown.message };
  }
}
