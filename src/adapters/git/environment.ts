import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TRANSPORTS } from './names.ts';

const execute = promisify(execFile);

/** What of a person's own environment still reaches git: how to get to a remote, and nothing else of `GIT_*`. */
const KEPT = new Set([
  'GIT_ASKPASS',
  'GIT_SSH',
  'GIT_SSH_COMMAND',
  'GIT_SSH_VARIANT',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
]);
const DROPPED = new Set(['EDITOR', 'VISUAL', 'PAGER', 'PREFIX']);

/** Keys of a person's own configuration that say how to reach a remote and who they are. */
const IMPORTED =
  /^(credential|http)\.|^url\..*\.(push)?insteadof$|^core\.sshcommand$|^ssh\.variant$|^user\.(name|email)$|^safe\.directory$/;

export type ConfigEntry = readonly [key: string, value: string];

/**
 * Settings of every call. They come as command-scope configuration, which nothing in a repository can override, and
 * through the environment, where other users of the machine cannot read them as they could read arguments.
 */
const FIXED: readonly ConfigEntry[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.autocrlf', 'false'],
  ['core.ignoreCase', 'false'],
  ['core.precomposeUnicode', 'false'],
  ['core.quotePath', 'false'],
  // Objects are named by their ids, and git would look each of them up among the refs as well.
  ['core.warnAmbiguousRefs', 'false'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['core.askPass', ''],
  ['core.pager', 'cat'],
  ['core.alternateRefsCommand', 'true'],
  ['protocol.ext.allow', 'never'],
  ['protocol.fd.allow', 'never'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['commit.gpgSign', 'false'],
  ['push.gpgSign', 'false'],
  ['push.followTags', 'false'],
  ['push.recurseSubmodules', 'no'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.writeCommitGraph', 'false'],
  ['fetch.showForcedUpdates', 'false'],
  ['transfer.credentialsInUrl', 'allow'],
  ['diff.renames', 'false'],
  ['merge.renames', 'false'],
  ['merge.directoryRenames', 'false'],
  ['init.templateDir', ''],
  ['init.defaultBranch', 'main'],
  ['advice.detachedHead', 'false'],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '30'],
  // An empty helper forgets those that the repository names; the person's own follow.
  ['credential.helper', ''],
  ['core.sshCommand', 'ssh'],
];

/**
 * Reads, once, what the person's own configuration says about reaching remotes. Files that it includes are not
 * followed, and the repository's own configuration is not asked.
 */
export async function importUserConfig(env: NodeJS.ProcessEnv): Promise<readonly ConfigEntry[]> {
  try {
    const { stdout } = await execute('git', ['config', '--no-includes', '--list', '--show-scope', '-z'], {
      env: {
        ...withoutGit(env),
        ...pick(env, ['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM']),
        LC_ALL: 'C',
      },
      cwd: '/',
      timeout: 10_000,
    });
    return parseList(stdout).filter(([key]) => IMPORTED.test(key));
  } catch {
    // Git cannot read them, and says so to the person whenever they use it.
    return [];
  }
}

/** Of the person and of the machine; `text` holds a scope and then an entry, again and again. */
function parseList(text: string): readonly ConfigEntry[] {
  const items = text.split('\0');
  return items.flatMap((item, index) => {
    const scope = items[index - 1] ?? '';
    if (index % 2 === 0 || (scope !== 'system' && scope !== 'global')) return [];
    const end = item.indexOf('\n');
    return [end < 0 ? ([item, 'true'] as const) : ([item.slice(0, end), item.slice(end + 1)] as const)];
  });
}

/** The environment of every git call: the person's own without `GIT_*`, and the fixed settings on top of theirs. */
export function isolatedEnvironment(
  env: NodeJS.ProcessEnv,
  imported: readonly ConfigEntry[],
): Readonly<Record<string, string>> {
  return {
    ...withSettings(withoutGit(env), [...FIXED, ...imported]),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ALLOW_PROTOCOL: TRANSPORTS.join(':'),
    GIT_PROXY_COMMAND: '',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ATTR_NOSYSTEM: '1',
    LC_ALL: 'C',
  };
}

/** The environment of a call with some settings more. */
export function withSettings(
  env: Readonly<Record<string, string>>,
  settings: readonly ConfigEntry[],
): Readonly<Record<string, string>> {
  const first = Number(env['GIT_CONFIG_COUNT'] ?? 0);
  const entries = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${first + index}`, key],
    [`GIT_CONFIG_VALUE_${first + index}`, value],
  ]);
  return { ...env, ...Object.fromEntries(entries), GIT_CONFIG_COUNT: String(first + settings.length) };
}

/** Whether git would go somewhere else for a remote, as a person's own configuration says (`url.<base>.insteadOf`). */
export function isRewritten(env: Readonly<Record<string, string>>, remote: string): boolean {
  return Object.entries(env).some(([name, key]) => {
    const number = /^GIT_CONFIG_KEY_(\d+)$/.exec(name)?.[1];
    if (number === undefined || !INSTEAD.test(key)) return false;
    return remote.startsWith(env[`GIT_CONFIG_VALUE_${number}`] ?? '');
  });
}

const INSTEAD = /^url\..*\.(?:push)?insteadof$/i;

function withoutGit(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        (KEPT.has(entry[0].toUpperCase()) || !/^GIT_/i.test(entry[0])) &&
        !DROPPED.has(entry[0].toUpperCase()),
    ),
  );
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
