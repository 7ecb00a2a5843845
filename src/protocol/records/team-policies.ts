import { z } from 'zod';
import { ID_PREFIX } from '../ids.ts';
import { LANGUAGES } from '../labels/languages.ts';
import { parseDuration } from '../timestamps.ts';
import { ACCEPTANCES } from './types.ts';
import type { Priority } from './types.ts';

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'expected a duration such as 30s, 15m, 1h or 7d');

const count = z.int().min(0);

const share = z.number().min(0).max(1);

/** Durations until the deadline; `null` sets none. */
const slaLimits = z.strictObject({
  P0: duration.nullable().exactOptional(),
  P1: duration.nullable().exactOptional(),
  P2: duration.nullable().exactOptional(),
  P3: duration.nullable().exactOptional(),
});

const drift = z
  .strictObject({
    enabled: z.boolean().exactOptional(),
    threshold: share.exactOptional(),
    warningThreshold: share.exactOptional(),
    ancestorDepth: count.exactOptional(),
    behavior: z.enum(['warn', 'prevent']).exactOptional(),
    asyncEmbedding: z.boolean().exactOptional(),
  })
  .refine(({ threshold = 0.95, warningThreshold = 0.85 }) => warningThreshold < threshold, {
    path: ['warningThreshold'],
    message: 'expected less than threshold',
  });

const consensus = z.strictObject({
  enabled: z.boolean().exactOptional(),
  requireForRiskLevels: z.array(z.enum(['high', 'medium', 'low'])).exactOptional(),
  reviewerStrategy: z.enum(['human', 'adversarial', 'different-model']).exactOptional(),
  timeout: count.exactOptional(),
  maxDepth: count.exactOptional(),
  autoReject: z.boolean().exactOptional(),
});

/** `policies` of `shared/team.json` as a person writes them (interface.md §6): all may be left out. */
export const POLICIES = z.strictObject({
  acceptance: z.enum(ACCEPTANCES).exactOptional(),
  language: z
    .string()
    .min(1)
    .describe(
      `language of reports and notices: ${LANGUAGES.join(', ')}, or one of them with a region; any other gives en`,
    )
    .exactOptional(),
  strictTeamRoom: z.boolean().exactOptional(),
  specPreviewChars: count.exactOptional(),
  reportStyle: z.enum(['emoji', 'plain']).exactOptional(),
  sla: slaLimits
    .describe('how long after its creation work may stay open, by priority; null: for ever')
    .exactOptional(),
  ackWithin: duration.exactOptional(),
  checkWithin: duration.describe('how long a submitted result may wait for the Leader').exactOptional(),
  stallMinutes: count.exactOptional(),
  stuckBeats: count
    .describe('work in progress is stuck when so many heartbeats in a row found it the same; 0: never')
    .exactOptional(),
  slowProgress: count
    .max(100)
    .describe('work past its eta is slow when a heartbeat found it to have gained less, in percent points; 0: never')
    .exactOptional(),
  blockBeats: count
    .describe('work in progress is blocked when so many heartbeats in a row found it the same; 0: never')
    .exactOptional(),
  heartbeats: z
    .boolean()
    .describe('false: no heartbeat is counted, and nothing is found stuck or slow')
    .exactOptional(),
  beatEvery: duration.describe('how often a running node counts a heartbeat by itself').exactOptional(),
  archiveAfterDays: count
    .nullable()
    .describe('days after which a project that has ended is moved to shared/archive/; 0 or null: never')
    .exactOptional(),
  maxFileBytes: z.int().min(1).exactOptional(),
  lowInformationWords: z.array(z.string().min(1)).exactOptional(),
  allowedSecrets: z
    .array(z.string().regex(/^sha256:[0-9a-f]{12,64}$/, 'expected sha256: and at least 12 hex digits'))
    .describe('fingerprints of what looks like a secret and may be published, as a refusal names them')
    .exactOptional(),
  mentionRounds: z
    .int()
    .min(1)
    .describe('how many mentions of one agent in one room wake another while nothing changes')
    .exactOptional(),
  maxActive: count
    .describe('how many tasks of the task engine may be open before a new one warns; 0: any')
    .exactOptional(),
  idPrefix: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, 'expected a letter, then at most 31 letters, digits and _')
    .describe('what the ids begin with that Baton numbers: TASK for TASK-001')
    .exactOptional(),
  autoTransition: z.boolean().describe('whether projects go on to testing and review by themselves').exactOptional(),
  requireApproval: z
    .boolean()
    .describe('whether a new project waits in planning until somebody approves it')
    .exactOptional(),
  capabilityMap: z
    .record(z.string(), z.array(z.string()))
    .describe('what an agent must be able to do, by id or type of the task, where the task itself does not say')
    .exactOptional(),
  selection: z
    .strictObject({
      order: z.array(z.string().min(1)).describe('agents that go before others as good').exactOptional(),
    })
    .exactOptional(),
  drift: drift.exactOptional(),
  consensus: consensus.exactOptional(),
});

type Given = z.output<typeof POLICIES>;

/** `policies` of `shared/team.json`, with the defaults filled in. Drift and consensus are kept in the file and not read yet. */
export interface Policies extends Readonly<Required<Omit<Given, 'drift' | 'consensus' | 'selection' | 'sla'>>> {
  readonly sla: Readonly<Record<Priority, string | null>>;
  readonly selectionOrder: readonly string[];
}

export const DEFAULT_POLICIES: Policies = {
  acceptance: 'leader',
  language: 'en',
  strictTeamRoom: false,
  specPreviewChars: 0,
  reportStyle: 'emoji',
  sla: { P0: '1h', P1: '24h', P2: '7d', P3: null },
  ackWithin: '15m',
  checkWithin: '1h',
  stallMinutes: 30,
  stuckBeats: 3,
  slowProgress: 5,
  blockBeats: 0,
  heartbeats: true,
  beatEvery: '30m',
  archiveAfterDays: 7,
  maxFileBytes: 50 * 1024 * 1024,
  lowInformationWords: [],
  allowedSecrets: [],
  mentionRounds: 2,
  maxActive: 10,
  idPrefix: ID_PREFIX,
  autoTransition: true,
  requireApproval: false,
  capabilityMap: {},
  selectionOrder: [],
};

/** The policies of a team, keys left out at their defaults. */
export function policiesWith(given: Given = {}): Policies {
  const { drift: _, consensus: __, selection, sla, ...rest } = given;
  return {
    ...DEFAULT_POLICIES,
    ...rest,
    sla: { ...DEFAULT_POLICIES.sla, ...sla },
    selectionOrder: selection?.order ?? DEFAULT_POLICIES.selectionOrder,
  };
}
