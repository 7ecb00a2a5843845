import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { agentPath } from '../../protocol/paths.ts';
import { renderAgent } from '../../protocol/records/agent.ts';
import { LEADERS } from '../shared.ts';
import { syncFields } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import { words } from '../work-fields.ts';
import { requireAgent } from './roster.ts';

interface CapabilitiesOutput {
  readonly agent: string;
  readonly capabilities: readonly string[];
  readonly reused?: true;
}

/** What an agent can do, shown where nothing is to be changed (features.md §2.3). */
export const setCapabilities = defineOperation({
  name: 'agent.capabilities',
  kind: 'command',
  roles: LEADERS,
  summary: 'Show what an agent can do, or change it.',
  input: z.object({
    agent: z.string().min(1).describe('localpart or Matrix id'),
    set: words('all that it can do from now on'),
    add: words('what it can do as well'),
    remove: words('what it can do no longer'),
  }),
  fresh: 'required',
  run({ view, input: { agent: name, set, add = [], remove = [] } }) {
    const agent = requireAgent(view, name);
    const { agent_id: id, capabilities: before } = agent;
    const unknown = remove.filter((word) => !(set ?? before).includes(word) && !add.includes(word));
    if (unknown.length > 0) {
      throw new FlowError('invalid-argument', `${id} has no capability ${unknown.join(', ')}`, {
        remedy: `it has: ${before.join(', ') || 'none'}`,
        data: { agentId: id },
      });
    }
    const capabilities = [...new Set([...(set ?? before), ...add])].filter((word) => !remove.includes(word));
    const isSame = capabilities.length === before.length && capabilities.every((word, at) => word === before[at]);
    const output: CapabilitiesOutput = { agent: id, capabilities, ...(isSame ? { reused: true } : {}) };
    if (isSame) return { changes: [], events: [], announcements: [], output };
    return {
      changes: [{ kind: 'write', path: agentPath(id), text: renderAgent({ ...agent, capabilities }) }],
      events: [
        {
          type: 'agent.changed',
          action: 'capabilities',
          subject: { kind: 'agent', id },
          note: capabilities.join(', '),
        },
      ],
      announcements: [],
      output,
    };
  },
  settle: (output, settlement) => ({ ...output, ...syncFields(settlement) }),
});
