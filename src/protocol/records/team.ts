import { z } from 'zod';
import type { Diagnostic } from '../diagnostic.ts';
import { isRecord, parseJson, positionOfKey, renderJson } from '../json.ts';
import { LANGUAGES, speaks } from '../labels/languages.ts';
import { TEAM_PATH } from '../paths.ts';
import { normaliseRoom } from '../rooms.ts';
import { parseDuration } from '../timestamps.ts';
import { userId } from './fields.ts';
import { ACCEPTANCES } from './types.ts';
import type { TeamSettings } from './types.ts';

const room = z.string().refine((text) => normaliseRoom(text) !== undefined, 'expected a room id such as !team:server');

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

const policies = z.strictObject({
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
  mentionRounds: z.int().min(1).exactOptional(),
  maxActive: count
    .describe('how many tasks of the task engine may be open before a new one warns; 0: any')
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

/** `shared/team.json` as a person writes it (interface.md §6): everything may be left out, nothing may be invented. */
const TEAM = z.strictObject({
  schema: z.literal(1).exactOptional(),
  name: z.string().min(1).exactOptional(),
  admin: z
    .strictObject({ name: z.string().min(1).exactOptional(), matrixUserId: userId.exactOptional() })
    .exactOptional(),
  teamRoomId: room.exactOptional(),
  leaderDmRoomId: room.exactOptional(),
  leaderRoomId: room.exactOptional(),
  policies: policies.exactOptional(),
});

export type TeamInput = z.input<typeof TEAM>;

/** A team without a file of its own: the local room log, and a Leader who accepts. */
export const DEFAULT_TEAM: TeamSettings = {
  schema: 1,
  name: 'team',
  admin: { name: 'Admin', matrixUserId: '@admin:local' },
  teamRoomId: '!team:local',
  leaderDmRoomId: '!leader-dm:local',
  policies: {
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
    beatEvery: '30m',
    archiveAfterDays: 7,
    maxFileBytes: 50 * 1024 * 1024,
    lowInformationWords: [],
    allowedSecrets: [],
    mentionRounds: 2,
    maxActive: 10,
    capabilityMap: {},
    selectionOrder: [],
  },
};

/**
 * The settings of the team, keys left out at their defaults (interface.md §6). An unknown key or a bad value is an
 * error that names the key's path; its default stands in, and all else is taken.
 */
export function parseTeam(text: string | undefined): {
  readonly team: TeamSettings;
  readonly diagnostics: readonly Diagnostic[];
} {
  if (text === undefined) return { team: DEFAULT_TEAM, diagnostics: [] };
  const parsed = parseJson(text, TEAM_PATH);
  if ('diagnostic' in parsed) return { team: DEFAULT_TEAM, diagnostics: [parsed.diagnostic] };
  const defects: Defect[] = [];
  let rest: unknown = parsed.value;
  for (let read = TEAM.safeParse(rest); ; read = TEAM.safeParse(rest)) {
    if (read.success) {
      const team = withDefaults(read.data);
      const found = [...defects.map((defect) => diagnosticOf(text, defect)), ...languageDiagnostics(text, team)];
      return { team, diagnostics: found.sort(byPlace) };
    }
    const found = read.error.issues.flatMap(defectsOf);
    defects.push(...found);
    const bad = found.map(({ path }) => present(rest, path));
    rest = bad.reduce(without, rest) ?? {};
  }
}

function diagnosticOf(text: string, { rule, path, message }: Defect): Diagnostic {
  const place = positionOfKey(text, path);
  return { rule, severity: 'error', message: `${path.join('.')}: ${message}`, file: TEAM_PATH, ...place };
}

/** Reports in another language than was asked for still arrive, so this is no error. */
function languageDiagnostics(text: string, { policies: { language } }: TeamSettings): readonly Diagnostic[] {
  if (speaks(language)) return [];
  return [
    {
      rule: 'unknown-language',
      severity: 'warning',
      message: `policies.language: Baton does not speak ${language}; reports and notices are in English`,
      file: TEAM_PATH,
      ...positionOfKey(text, ['policies', 'language']),
      expected: `one of ${LANGUAGES.join(', ')}, with or without a region`,
    },
  ];
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.line - b.line || a.column - b.column;
}

/** `shared/team.json` with what is given and nothing else: defaults are not frozen into a file. */
export function renderTeam(input: TeamInput): string {
  return renderJson({ schema: 1, ...input });
}

/** For editors that complete and check `team.json`. */
export function teamJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(TEAM, { io: 'input' });
}

function withDefaults({ admin, policies: given, ...rest }: z.output<typeof TEAM>): TeamSettings {
  const { leaderRoomId, ...base } = { ...DEFAULT_TEAM, ...rest };
  const sla = { ...DEFAULT_TEAM.policies.sla, ...given?.sla };
  const chosen: TeamSettings['policies'] = { ...DEFAULT_TEAM.policies, ...given, sla };
  const { acceptance, language, strictTeamRoom, specPreviewChars, reportStyle } = chosen;
  const {
    ackWithin,
    checkWithin,
    stallMinutes,
    stuckBeats,
    beatEvery,
    archiveAfterDays,
    maxFileBytes,
    lowInformationWords,
    allowedSecrets,
    mentionRounds,
    maxActive,
    capabilityMap,
  } = chosen;
  return {
    ...base,
    admin: { ...DEFAULT_TEAM.admin, ...admin },
    ...(leaderRoomId === undefined ? {} : { leaderRoomId }),
    policies: {
      acceptance,
      language,
      strictTeamRoom,
      specPreviewChars,
      reportStyle,
      sla,
      ackWithin,
      checkWithin,
      stallMinutes,
      stuckBeats,
      beatEvery,
      archiveAfterDays,
      maxFileBytes,
      lowInformationWords,
      allowedSecrets,
      mentionRounds,
      maxActive,
      capabilityMap,
      selectionOrder: given?.selection?.order ?? [],
    },
  };
}

interface Defect {
  readonly rule: 'unknown-key' | 'bad-value';
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function defectsOf(issue: z.core.$ZodIssue): readonly Defect[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code !== 'unrecognized_keys') return [{ rule: 'bad-value', path, message: issue.message }];
  return issue.keys.map((key) => ({ rule: 'unknown-key', path: [...path, key], message: 'unknown key' }));
}

/** The part of a path that is there: a rule between two keys may blame one that was left to its default. */
function present(value: unknown, [key, ...rest]: readonly (string | number)[]): readonly string[] {
  if (typeof key !== 'string' || !isRecord(value) || !Object.hasOwn(value, key)) return [];
  return [key, ...present(value[key], rest)];
}

/** The value without what stands at `path`; whatever is emptied by that goes as well. */
function without(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return undefined;
  if (!isRecord(value) || !Object.hasOwn(value, key)) return value;
  const entries = Object.entries(value).flatMap(([name, item]): [string, unknown][] => {
    if (name !== key) return [[name, item]];
    const inner = without(item, rest);
    return inner === undefined ? [] : [[name, inner]];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
