import { z } from 'zod';
import type { Diagnostic } from '../diagnostic.ts';
import { hasErrors } from '../diagnostic.ts';
import { sameLocalpart } from '../identity.ts';
import { decodeName } from '../names.ts';
import { agentPath } from '../paths.ts';
import {
  mismatch,
  raisedFindings,
  readRecord,
  renderRecord,
  respell,
  singleLine,
  spellingsOf,
  unknownPart,
  userId,
} from './fields.ts';
import type { RecordShape } from './fields.ts';
import { AGENT_STATUSES } from './types.ts';
import type { AgentRecord } from './types.ts';

const FIELDS = {
  schema: z.int(),
  agent_id: z.string().min(1, 'expected the localpart of the agent'),
  name: singleLine,
  matrix_user_id: userId,
  role: z.enum(['leader', 'worker', 'human', 'manager']),
  status: z.enum(AGENT_STATUSES),
  capabilities: z.array(z.string()),
  preferred_types: z.array(z.string()),
  agent_types: z.array(z.string()),
  max_concurrent: z.int().min(1),
  reliability: z.number().min(0).max(1),
  model: z.string(),
  fallback: z.boolean(),
  enabled: z.boolean(),
  raised: raisedFindings,
} satisfies Record<Exclude<keyof AgentRecord, 'unknown'>, z.ZodType>;

const SPELLINGS = spellingsOf(Object.keys(FIELDS));

const SHAPE: RecordShape<typeof FIELDS> = {
  fields: FIELDS,
  required: [],
  essential: ['agent_id', 'role', 'matrix_user_id', 'enabled'],
  canonical: (raw) => respell(raw, SPELLINGS),
};

/** What holds for an agent whose file says no more than its name. */
const DEFAULTS = {
  schema: 1,
  role: 'worker',
  status: 'IDLE',
  capabilities: [],
  preferred_types: [],
  agent_types: [],
  max_concurrent: 1,
  reliability: 1,
  fallback: false,
  enabled: true,
} as const satisfies Partial<AgentRecord>;

/**
 * `shared/agents/<id>.json` (interface.md §6, features.md §2.3); `id` is the localpart, or the file name without its
 * ending. No `agent` when it is unclear who it is or what it may do; other defects are warnings.
 */
export function parseAgent(
  text: string,
  id: string,
): { readonly agent?: AgentRecord; readonly diagnostics: readonly Diagnostic[] } {
  const localpart = decodeName(id) ?? id;
  const file = agentPath(localpart);
  const { values, unknown, diagnostics } = readRecord(text, file, SHAPE);
  const { agent_id: agentId = localpart, matrix_user_id: fullId } = values;
  if (hasErrors(diagnostics)) return { diagnostics };
  if (!sameLocalpart(agentId, localpart)) {
    return { diagnostics: [...diagnostics, mismatch(text, file, 'agent_id', agentId, localpart)] };
  }
  return {
    agent: { ...DEFAULTS, name: agentId, ...values, agent_id: agentId, ...unknownPart(unknown) },
    diagnostics:
      fullId === undefined || sameLocalpart(fullId, agentId)
        ? diagnostics
        : [...diagnostics, { ...mismatch(text, file, 'matrix_user_id', fullId, agentId), severity: 'warning' }],
  };
}

/** Schema order, then unknown keys (protocol.md §3). */
export function renderAgent(agent: AgentRecord): string {
  return renderRecord(FIELDS, agent, agent.unknown);
}

/** The record of somebody who joins, with everything else at its default. */
export function newAgent({
  id,
  name,
  role,
  matrixUserId,
}: {
  readonly id: string;
  readonly name?: string;
  readonly role: AgentRecord['role'];
  readonly matrixUserId?: string;
}): AgentRecord {
  return {
    ...DEFAULTS,
    agent_id: id,
    name: name ?? id,
    ...(matrixUserId === undefined ? {} : { matrix_user_id: matrixUserId }),
    role,
  };
}

/** For editors that complete and check an agent's file. */
export function agentJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(z.looseObject({ ...z.object(FIELDS).partial().shape, agent_id: FIELDS.agent_id }), {
    io: 'input',
  });
}
