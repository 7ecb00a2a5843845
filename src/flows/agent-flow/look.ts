import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { localpartOf, sameIdentity } from '../../protocol/identity.ts';
import type { AgentRecord } from '../../protocol/records/types.ts';
import type { RoomMember } from '../../protocol/rooms.ts';
import { membersOf } from '../errands.ts';
import type { Errands } from '../errands.ts';
import { ANYONE } from '../shared.ts';
import { homeServer } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import type { Facts, OperationContext } from '../types.ts';

/** Who is in the Team Room, or why that cannot be told; neither without a homeserver, where everybody is. */
interface Attendance {
  readonly members?: readonly RoomMember[];
  readonly problem?: string;
}

interface ListedAgent extends AgentRecord {
  readonly matrix_user_id: string;
  readonly team_room?: 'joined' | 'invited' | 'absent';
}

/** The roster, with the names that count beside the names for people. */
export const listAgents = defineOperation({
  name: 'agent.list',
  kind: 'query',
  roles: ANYONE,
  summary: 'List the agents of the team, and who of them is in the Team Room.',
  input: z.object({}),
  fresh: 'no',
  prepare: attendance,
  run({ view, facts }, { members, problem }) {
    const agents = view.agents().map((agent) => listed(facts, agent, members));
    const output = { agents, count: agents.length, ...(problem === undefined ? {} : { warnings: [problem] }) };
    return { changes: [], events: [], announcements: [], output };
  },
});

/** All that is recorded of one agent. */
export const showAgent = defineOperation({
  name: 'agent.show',
  kind: 'query',
  roles: ANYONE,
  summary: 'Show the entry of an agent.',
  input: z.object({ agent: z.string().min(1).describe('localpart or Matrix id') }),
  fresh: 'no',
  precheck: ({ view, input }) => void requireAgent(view, input.agent),
  prepare: attendance,
  run({ view, facts, input }, { members, problem }) {
    const agent = listed(facts, requireAgent(view, input.agent), members);
    const output = { agent, ...(problem === undefined ? {} : { warnings: [problem] }) };
    return { changes: [], events: [], announcements: [], output };
  },
});

function requireAgent(view: OperationContext<unknown>['view'], name: string): AgentRecord {
  const agent = view.agent(localpartOf(name));
  if (agent !== undefined) return agent;
  throw new FlowError('not-found', `there is no agent ${localpartOf(name)}`, {
    remedy: '`baton agent list` shows who there is',
  });
}

function listed(facts: Facts, agent: AgentRecord, members: readonly RoomMember[] | undefined): ListedAgent {
  const userId = agent.matrix_user_id ?? `@${agent.agent_id}:${homeServer(facts)}`;
  const member = members?.find((one) => sameIdentity(one.userId, userId));
  const present = member === undefined ? 'absent' : member.membership === 'join' ? 'joined' : 'invited';
  return { ...agent, matrix_user_id: userId, ...(members === undefined ? {} : { team_room: present }) };
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
