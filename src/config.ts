import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { formatDiagnostic } from './protocol/diagnostic.ts';
import { FlowError } from './protocol/errors.ts';
import { isUserId, localpartOf, sameLocalpart } from './protocol/identity.ts';
import { isRecord, parseJson } from './protocol/json.ts';
import { teamJsonSchema } from './protocol/records/team.ts';
import { ROLES } from './protocol/records/types.ts';
import type { Role } from './protocol/records/types.ts';
import { parseRole } from './protocol/roles.ts';
import { parseDuration } from './protocol/timestamps.ts';

export const CONFIG_FILE = 'baton.json';

/** Server name of identities that were given without one: nothing outside this machine knows it. */
export const LOCAL_SERVER = 'local';

const text = z.string().trim().min(1);
const port = z.int().min(0).max(65_535);

const identity = z
  .strictObject({
    localpart: text.optional(),
    matrixUserId: text.refine(isUserId, 'must be a full Matrix user id such as @ana:hs.domain').optional(),
    role: z.enum(ROLES),
  })
  .refine(({ localpart, matrixUserId }) => localpart !== undefined || matrixUserId !== undefined, {
    message: 'needs localpart or matrixUserId',
  })
  .refine(({ localpart, matrixUserId }) => localpart === undefined || sameName(localpart, matrixUserId), {
    message: 'localpart and matrixUserId name two different actors',
    path: ['localpart'],
  });

function sameName(localpart: string, matrixUserId: string | undefined): boolean {
  return matrixUserId === undefined || sameLocalpart(localpart, localpartOf(matrixUserId));
}

const git = z.strictObject({
  remote: text.optional(),
  branch: text.default('main'),
  lanePrefix: text.regex(/\/$/, 'must end in /').default('lanes/'),
  author: z.strictObject({ name: text, email: text }).optional(),
  minPushInterval: text
    .refine((value) => parseDuration(value) !== undefined, 'must be a duration such as 0s, 10s or 1m')
    .default('0s'),
  sparse: z.boolean().default(false).describe("whether a Worker's clone leaves others' tasks out of its work tree"),
  maintenance: z.boolean().default(true).describe('whether a running node keeps git in order'),
});

const matrix = z
  .strictObject({
    homeserver: z.url({ protocol: /^https?$/ }),
    accessTokenEnv: text.optional(),
    accessTokenFile: text.optional(),
    passwordEnv: text.optional(),
    passwordFile: text.optional(),
    deviceId: text.optional(),
  })
  .refine((value) => value.accessTokenEnv === undefined || value.accessTokenFile === undefined, {
    message: 'takes accessTokenEnv or accessTokenFile, and not both',
  })
  .refine((value) => value.passwordEnv === undefined || value.passwordFile === undefined, {
    message: 'takes passwordEnv or passwordFile, and not both',
  });

const server = z.strictObject({
  host: text.default('127.0.0.1'),
  port: port.default(6200),
  aliasPorts: z.array(port).default([6201]),
  auth: z
    .strictObject({ enabled: z.boolean().default(false), tokensFile: text.default('.baton/tokens.json') })
    .prefault({}),
});

const embeddings = z.strictObject({
  provider: z.enum(['lexical', 'openai', 'ollama', 'none']).default('lexical'),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  model: text.optional(),
  apiKeyEnv: text.optional(),
  dimensions: z.int().positive().optional(),
  timeoutMs: z.int().positive().default(10_000),
  batchSize: z.int().positive().default(64),
});

/** `baton.json` (interface.md §6). `$schema` lets editors find the published JSON Schema. */
const CONFIG_SCHEMA = z.strictObject({
  $schema: z.string().optional(),
  identity,
  git: git.prefault({}),
  matrix: matrix.optional(),
  server: server.prefault({}),
  embeddings: embeddings.prefault({}),
  worker: z.strictObject({ exec: text.optional() }).prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      file: text.optional(),
    })
    .prefault({}),
});

export interface BatonConfig extends Omit<z.output<typeof CONFIG_SCHEMA>, 'identity' | '$schema'> {
  readonly identity: { readonly localpart: string; readonly matrixUserId: string; readonly role: Role };
}

type Kind = 'text' | 'number' | 'boolean' | 'numbers';

/** What the environment may override, weakest name first: a later one of the same key wins. */
const OVERRIDES: readonly (readonly [name: string, path: readonly string[], kind: Kind])[] = [
  ['BATON_IDENTITY_LOCALPART', ['identity', 'localpart'], 'text'],
  ['AGENTTEAMS_MATRIX_USER_ID', ['identity', 'matrixUserId'], 'text'],
  ['BATON_MATRIX_USER_ID', ['identity', 'matrixUserId'], 'text'],
  ['BATON_IDENTITY_MATRIX_USER_ID', ['identity', 'matrixUserId'], 'text'],
  ['BATON_IDENTITY_ROLE', ['identity', 'role'], 'text'],
  ['BATON_GIT_REMOTE', ['git', 'remote'], 'text'],
  ['BATON_GIT_BRANCH', ['git', 'branch'], 'text'],
  ['BATON_GIT_LANE_PREFIX', ['git', 'lanePrefix'], 'text'],
  ['BATON_GIT_AUTHOR_NAME', ['git', 'author', 'name'], 'text'],
  ['BATON_GIT_AUTHOR_EMAIL', ['git', 'author', 'email'], 'text'],
  ['BATON_GIT_MIN_PUSH_INTERVAL', ['git', 'minPushInterval'], 'text'],
  ['BATON_GIT_SPARSE', ['git', 'sparse'], 'boolean'],
  ['BATON_GIT_MAINTENANCE', ['git', 'maintenance'], 'boolean'],
  ['BATON_MATRIX_HOMESERVER', ['matrix', 'homeserver'], 'text'],
  ['BATON_MATRIX_ACCESS_TOKEN_ENV', ['matrix', 'accessTokenEnv'], 'text'],
  ['BATON_MATRIX_ACCESS_TOKEN_FILE', ['matrix', 'accessTokenFile'], 'text'],
  ['BATON_MATRIX_PASSWORD_ENV', ['matrix', 'passwordEnv'], 'text'],
  ['BATON_MATRIX_PASSWORD_FILE', ['matrix', 'passwordFile'], 'text'],
  ['BATON_MATRIX_DEVICE_ID', ['matrix', 'deviceId'], 'text'],
  ['BATON_SERVER_HOST', ['server', 'host'], 'text'],
  ['BATON_SERVER_PORT', ['server', 'port'], 'number'],
  ['BATON_SERVER_ALIAS_PORTS', ['server', 'aliasPorts'], 'numbers'],
  ['BATON_SERVER_AUTH_ENABLED', ['server', 'auth', 'enabled'], 'boolean'],
  ['BATON_SERVER_AUTH_TOKENS_FILE', ['server', 'auth', 'tokensFile'], 'text'],
  ['BATON_EMBEDDINGS_PROVIDER', ['embeddings', 'provider'], 'text'],
  ['BATON_WORKER_EXEC', ['worker', 'exec'], 'text'],
  ['BATON_LOG_LEVEL', ['log', 'level'], 'text'],
  ['BATON_LOG_FILE', ['log', 'file'], 'text'],
];

/**
 * The settings of the node that owns `root`: `baton.json` with what the environment overrides. Throws `no-workspace`
 * when there is no such file, and `bad-config` that names the file (or variable) and the key's path.
 */
export function loadConfig(root: string, env: NodeJS.ProcessEnv): BatonConfig {
  let content: string;
  try {
    content = readFileSync(join(root, CONFIG_FILE), 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code !== 'ENOENT') throw badConfig(`${CONFIG_FILE} cannot be read (${code})`, cause);
    throw new FlowError('no-workspace', `no ${CONFIG_FILE} in the workspace`, {
      remedy: 'make a workspace here with `baton init`, or name one with --workspace DIR',
    });
  }
  return parseConfig(content, env);
}

/** As `loadConfig`, from the text of the file. */
export function parseConfig(content: string, env: NodeJS.ProcessEnv): BatonConfig {
  const parsed = parseJson(content, CONFIG_FILE);
  if ('diagnostic' in parsed) throw badConfig(formatDiagnostic(parsed.diagnostic));
  const { settings, sources } = overridden(parsed.value, env);
  const result = CONFIG_SCHEMA.safeParse(settings);
  if (!result.success) throw badConfig(result.error.issues.map((issue) => describe(issue, sources)).join('; '));
  const { $schema: _, identity: given, ...rest } = result.data;
  return { ...rest, identity: whoActs(given) };
}

/** The JSON Schemas of the two configuration files, by file name, so that editors complete them. */
export function configSchemas(): Readonly<Record<'baton.json' | 'team.json', unknown>> {
  return {
    'baton.json': z.toJSONSchema(CONFIG_SCHEMA, { io: 'input' }),
    'team.json': teamJsonSchema(),
  };
}

function whoActs({ localpart, matrixUserId, role }: z.output<typeof identity>): BatonConfig['identity'] {
  const name = localpartOf(matrixUserId ?? localpart ?? '');
  return { localpart: name, matrixUserId: matrixUserId ?? `@${name}:${LOCAL_SERVER}`, role };
}

interface Overridden {
  readonly settings: Record<string, unknown>;
  /** Key path → the variable that set it. */
  readonly sources: ReadonlyMap<string, string>;
}

function overridden(value: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Overridden {
  const settings = structuredClone(value) as Record<string, unknown>;
  const sources = new Map<string, string>();
  for (const [name, path, kind] of OVERRIDES) {
    const given = env[name];
    if (given === undefined || given === '') continue;
    setAt(settings, path, readAs(kind, given));
    sources.set(path.join('.'), name);
  }
  const who = settings['identity'];
  if (isRecord(who)) {
    // A full id from the environment replaces the file's actor whole; its localpart would only contradict it.
    if (sources.has('identity.matrixUserId') && !sources.has('identity.localpart')) delete who['localpart'];
    if (typeof who['role'] === 'string') who['role'] = parseRole(who['role']) ?? who['role'];
  }
  return { settings, sources };
}

/** What cannot be read as its kind stays text, so that the schema refuses it with the key's path. */
function readAs(kind: Kind, given: string): unknown {
  if (kind === 'number' && /^\d+$/.test(given)) return Number(given);
  if (kind === 'boolean' && /^(?:true|1|false|0)$/.test(given)) return given === 'true' || given === '1';
  if (kind === 'numbers') return given.split(',').map((part) => readAs('number', part.trim()));
  return given;
}

function setAt(settings: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = settings;
  for (const key of path.slice(0, -1)) {
    const next = at[key];
    // Anything else than an object is wrong in the file itself; the schema says so.
    if (next !== undefined && !isRecord(next)) return;
    const child: Record<string, unknown> = next ?? {};
    at[key] = child;
    at = child;
  }
  at[path.at(-1) ?? ''] = value;
}

function describe(issue: z.core.$ZodIssue, sources: ReadonlyMap<string, string>): string {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => (path === '' ? key : `${path}.${key}`));
    return `${CONFIG_FILE}: unknown key ${keys.join(', ')}`;
  }
  return `${sources.get(path) ?? CONFIG_FILE}: ${path}: ${issue.message}`;
}

function badConfig(message: string, cause?: unknown): FlowError {
  return new FlowError('bad-config', message, {
    remedy: 'correct it, then try again',
    ...(cause === undefined ? {} : { cause }),
  });
}
