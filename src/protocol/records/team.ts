import { z } from 'zod';
import type { Diagnostic } from '../diagnostic.ts';
import { isRecord, parseJson, positionOfKey, renderJson } from '../json.ts';
import { LANGUAGES, speaks } from '../labels/languages.ts';
import { TEAM_PATH } from '../paths.ts';
import { normaliseRoom } from '../rooms.ts';
import { userId } from './fields.ts';
import { DEFAULT_POLICIES, POLICIES, policiesWith } from './team-policies.ts';
import type { Policies } from './team-policies.ts';
import type { DiscordSettings, TeamSettings } from './team-types.ts';

const room = z.string().refine((text) => normaliseRoom(text) !== undefined, 'expected a room id such as !team:server');

const snowflake = z.string().regex(/^\d{1,20}$/, 'expected an id of Discord: digits, as text');

/** features.md S002-34, `discord.*`: what `baton notify` writes into its texts. */
const discord = z.strictObject({
  enabled: z.boolean().describe('false: texts for a chat come without the marks of Discord').exactOptional(),
  guild: snowflake.describe('the server that texts link to').exactOptional(),
  category: snowflake.describe('a category or channel of it').exactOptional(),
  humanIds: z.array(snowflake).describe('who is called by an alert').exactOptional(),
  notifications: z
    .strictObject({
      heartbeatUpdates: z.boolean().describe('whether `notify digest` has a text').exactOptional(),
      transitions: z.boolean().describe('whether `notify TASK transition` has a text').exactOptional(),
      urgentPing: z.boolean().describe('whether `notify TASK alert` calls humanIds').exactOptional(),
      completionSummary: z.boolean().describe('whether `notify TASK completed` has a text').exactOptional(),
    })
    .describe('what `baton notify` tells')
    .exactOptional(),
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
  policies: POLICIES.exactOptional(),
  discord: discord.exactOptional(),
});

export type TeamInput = z.input<typeof TEAM>;

const DEFAULT_DISCORD: DiscordSettings = {
  enabled: true,
  humanIds: [],
  notifications: { heartbeatUpdates: true, transitions: true, urgentPing: true, completionSummary: true },
};

/** A team without a file of its own: the local room log, and a Leader who accepts. */
export const DEFAULT_TEAM: TeamSettings = {
  schema: 1,
  name: 'team',
  admin: { name: 'Admin', matrixUserId: '@admin:local' },
  teamRoomId: '!team:local',
  leaderDmRoomId: '!leader-dm:local',
  policies: DEFAULT_POLICIES,
  discord: DEFAULT_DISCORD,
};

/** A guard that nobody can read stays closed: nobody has said that it is open. */
const GUARD = 'requireApproval';

/** What holds while there is a file that cannot be read. */
const UNREAD_TEAM: TeamSettings = { ...DEFAULT_TEAM, policies: guarded(DEFAULT_POLICIES) };

function guarded(policies: Policies): Policies {
  return { ...policies, [GUARD]: true };
}

function guarding(diagnostic: Diagnostic): Diagnostic {
  return { ...diagnostic, message: `${diagnostic.message}; until it is mended, new projects wait for approval` };
}

/** The settings of a team whose file is there and cannot be read, for a reason such as its size. */
export function unreadTeam(diagnostic: Diagnostic): ReturnType<typeof parseTeam> {
  return { team: UNREAD_TEAM, diagnostics: [guarding(diagnostic)] };
}

/**
 * The settings of the team, keys left out at their defaults (interface.md §6). An unknown key or a bad value is an
 * error that names the key's path; its default stands in, and all else is taken. Where `policies.requireApproval` cannot be
 * read, projects wait for approval.
 */
export function parseTeam(text: string | undefined): {
  readonly team: TeamSettings;
  readonly diagnostics: readonly Diagnostic[];
} {
  if (text === undefined) return { team: DEFAULT_TEAM, diagnostics: [] };
  const parsed = parseJson(text, TEAM_PATH);
  if ('diagnostic' in parsed) return unreadTeam(parsed.diagnostic);
  const defects: Defect[] = [];
  let rest: unknown = parsed.value;
  for (let read = TEAM.safeParse(rest); ; read = TEAM.safeParse(rest)) {
    if (read.success) {
      const given = withDefaults(read.data);
      const team = defects.some(hidesGuard) ? { ...given, policies: guarded(given.policies) } : given;
      const found = [...defects.map((defect) => diagnosticOf(text, defect)), ...languageDiagnostics(text, team)];
      return { team, diagnostics: found.sort(byPlace) };
    }
    const found = read.error.issues.flatMap(defectsOf);
    defects.push(...found);
    const bad = found.map(({ path }) => present(rest, path));
    rest = bad.reduce(without, rest) ?? {};
  }
}

function diagnosticOf(text: string, defect: Defect): Diagnostic {
  const { rule, path, message } = defect;
  const place = positionOfKey(text, path);
  const found: Diagnostic = {
    rule,
    severity: 'error',
    message: `${path.join('.')}: ${message}`,
    file: TEAM_PATH,
    ...place,
  };
  return hidesGuard(defect) ? guarding(found) : found;
}

/** Whether what is wrong is the guard itself, or what it stands in. */
function hidesGuard({ rule, path }: Defect): boolean {
  return rule === 'bad-value' && path.every((key, index) => key === ['policies', GUARD][index]);
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

function withDefaults({ admin, policies, discord: chat, ...rest }: z.output<typeof TEAM>): TeamSettings {
  const { leaderRoomId, ...base } = { ...DEFAULT_TEAM, ...rest };
  return {
    ...base,
    admin: { ...DEFAULT_TEAM.admin, ...admin },
    ...(leaderRoomId === undefined ? {} : { leaderRoomId }),
    policies: policiesWith(policies),
    discord: {
      ...DEFAULT_DISCORD,
      ...chat,
      notifications: { ...DEFAULT_DISCORD.notifications, ...chat?.notifications },
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
