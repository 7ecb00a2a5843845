import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { sameLocalpart } from '../../protocol/identity.ts';
import { isRecord, parseJson, renderJson } from '../../protocol/json.ts';
import { agentPath } from '../../protocol/paths.ts';
import { AGENT_STATUSES } from '../../protocol/records/types.ts';
import type { AgentRecord } from '../../protocol/records/types.ts';
import { isLeading } from '../../protocol/roles.ts';
import { holdingsIn, standingOf } from '../../rules/load.ts';
import { presentAgent } from '../present.ts';
import { ANYONE } from '../shared.ts';
import { syncFields } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import { requireAgent } from './roster.ts';

interface StatusOutput {
  readonly agent: Readonly<Record<string, unknown>>;
  readonly reused?: true;
}

/** features.md S001-25, S001-28. */
export const setAgentStatus = defineOperation({
  name: 'agent.set_status',
  kind: 'command',
  roles: ANYONE,
  summary: 'Say whether an agent works, idles or is away; a Worker says it of itself.',
  input: z.object({
    agent: z.string().min(1).describe('localpart or Matrix id'),
    status: z.string().min(1).describe('ACTIVE, IDLE or OFFLINE'),
  }),
  fresh: 'required',
  precheck: ({ input }) => void statusOf(input.status),
  run({ view, actor, input }) {
    const status = statusOf(input.status);
    const agent = requireAgent(view, input.agent);
    const { agent_id: id } = agent;
    if (!isLeading(actor) && !sameLocalpart(actor.localpart, id)) {
      throw new FlowError('not-owner', `${agentPath(id)} belongs to the leader: ${actor.localpart} is not ${id}`, {
        remedy: 'ask the leader, or set your own status',
      });
    }
    const after = { ...agent, status };
    const shown = { ...presentAgent(after), ...standingOf(after, holdingsIn(view)) };
    if (agent.status === status) {
      const output: StatusOutput = { agent: shown, reused: true };
      return { changes: [], events: [], announcements: [], output };
    }
    const output: StatusOutput = { agent: shown };
    return {
      changes: [{ kind: 'write', path: agentPath(id), text: withStatus(view.text(agentPath(id)) ?? '', after) }],
      events: [
        {
          type: 'agent.status',
          action: 'set_status',
          subject: { kind: 'agent', id },
          from: agent.status,
          to: status,
        },
      ],
      announcements: [],
      output,
    };
  },
  settle: (output, settlement) => ({ ...output, ...syncFields(settlement) }),
});

/** Throws `invalid-argument`. */
function statusOf(text: string): AgentRecord['status'] {
  const word = text.trim().toUpperCase();
  const status = AGENT_STATUSES.find((known) => known === word);
  if (status !== undefined) return status;
  const problem = word === 'OVERLOADED' ? 'OVERLOADED follows from what an agent holds' : `unknown status: ${text}`;
  throw new FlowError('invalid-argument', problem, { remedy: `use one of: ${AGENT_STATUSES.join(', ')}` });
}

/** Of its own record a Worker may change nothing but this (protocol.md §2), so no default is written out beside it. */
function withStatus(text: string, { agent_id: id, status }: AgentRecord): string {
  const parsed = parseJson(text, agentPath(id));
  const raw = 'value' in parsed && isRecord(parsed.value) ? parsed.value : { agent_id: id };
  return renderJson({ ...raw, status });
}
