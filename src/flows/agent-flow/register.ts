import { z } from 'zod';
import { sameJson } from '../../protocol/json.ts';
import { agentPath } from '../../protocol/paths.ts';
import { renderAgent } from '../../protocol/records/agent.ts';
import { AGENT_STATUSES } from '../../protocol/records/types.ts';
import type { AgentRecord } from '../../protocol/records/types.ts';
import { presentAgent } from '../present.ts';
import { LEADERS } from '../shared.ts';
import { syncFields } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import type { OperationContext } from '../types.ts';
import { words } from '../work-fields.ts';
import { checkAccount, memberOf, memberRecord, recordOf } from './member.ts';

const input = z.object({
  agent: z.string().min(1).describe('localpart or full Matrix id, exactly as the homeserver has it'),
  name: z.string().optional().describe('name for people, default: the localpart'),
  role: z.enum(['leader', 'worker', 'human']).optional().describe('default worker'),
  status: z.enum(AGENT_STATUSES).optional().describe('default IDLE'),
  capabilities: words('what the agent can do'),
  preferredTypes: words('task types that it is chosen for first'),
  agentTypes: words('kinds of agent that it counts as'),
  maxConcurrent: z.number().int().min(1).optional().describe('tasks at once, default 1'),
  reliability: z.number().min(0).max(1).optional().describe('how often its work is good, 0 to 1, default 1'),
  model: z.string().optional().describe('model that it runs on'),
  fallback: z.boolean().optional().describe('takes tasks that nobody else can'),
  enabled: z.boolean().optional().describe('no: it is given nothing'),
});

type Context = OperationContext<z.output<typeof input>>;

interface RegisterOutput {
  readonly agent: Readonly<Record<string, unknown>>;
  readonly reused?: true;
  readonly warnings?: readonly string[];
}

/** Puts somebody on the roster, or changes what stands there about them (protocol.md §1.3, features.md §2.3). */
export const registerAgent = defineOperation({
  name: 'agent.register',
  kind: 'command',
  roles: LEADERS,
  summary: 'Put an agent on the roster, or change its entry.',
  input,
  fresh: 'required',
  precheck: (context) => void registered(context),
  dryRun: (context) => ({ agent: presentAgent(registered(context).agent) }),
  *prepare({ facts, input: given }) {
    return yield* checkAccount(facts, memberOf(facts, given.agent));
  },
  run(context, { warning }) {
    const { existing, agent } = registered(context);
    const warnings = warning === undefined ? {} : { warnings: [`not checked: ${warning}`] };
    if (existing !== undefined && sameJson(existing, agent)) {
      const output: RegisterOutput = { agent: presentAgent(agent), reused: true, ...warnings };
      return { changes: [], events: [], announcements: [], output };
    }
    const output: RegisterOutput = { agent: presentAgent(agent), ...warnings };
    return {
      changes: [{ kind: 'write', path: agentPath(agent.agent_id), text: renderAgent(agent) }],
      events: [
        {
          type: existing === undefined ? 'agent.registered' : 'agent.changed',
          action: 'register',
          subject: { kind: 'agent', id: agent.agent_id },
        },
      ],
      announcements: [],
      output,
    };
  },
  settle: (output: RegisterOutput, settlement) => ({ ...output, ...syncFields(settlement) }),
});

function registered({ view, facts, input: given }: Context): {
  readonly existing: AgentRecord | undefined;
  readonly agent: AgentRecord;
} {
  const member = memberOf(facts, given.agent);
  const existing = recordOf(view, member);
  const { name, role, status, capabilities, preferredTypes, agentTypes, maxConcurrent, reliability } = given;
  const { model, fallback, enabled } = given;
  const changes = {
    name,
    role,
    status,
    capabilities,
    preferred_types: preferredTypes,
    agent_types: agentTypes,
    max_concurrent: maxConcurrent,
    reliability,
    model,
    fallback,
    enabled,
  };
  const said = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  return { existing, agent: { ...memberRecord(existing, member, 'worker'), ...said } };
}
