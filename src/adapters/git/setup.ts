import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FlowError } from '../../protocol/errors.ts';
import { FILE_MODE } from '../../ports-git.ts';
import type { Author } from '../../ports-git.ts';
import { importUserConfig, isolatedEnvironment } from './environment.ts';
import { createGit } from './git.ts';
import { MADE_BY_BATON } from './maintenance.ts';
import { checkRefName, checkRemote } from './names.ts';
import { demand, ordinary, plumb } from './run.ts';
import type { GitPlace } from './run.ts';

async function placeAt(cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<GitPlace> {
  return { cwd, env: isolatedEnvironment(env, await importUserConfig(env)) };
}

/** Version of the git on the PATH, for instance `2.39.5`. Throws `git-failed` when there is none. */
export async function gitVersion(): Promise<string> {
  const text = await demand(await placeAt(process.cwd()), ['--version']);
  return /\d+(\.\d+)+/.exec(text)?.[0] ?? text;
}

/** Makes `dir` a repository on `branch`, without hooks; a repository that is there already stays as it is. */
export async function initRepository(dir: string, branch: string): Promise<void> {
  mkdirSync(dir, { recursive: true });
  await demand(await placeAt(dir), ['init', '--template=', `--initial-branch=${checkRefName(branch)}`, '--', dir]);
}

/** Makes a bare repository for a team to share on this machine. */
export async function initBare(path: string, branch: string): Promise<void> {
  mkdirSync(path, { recursive: true });
  await demand(await placeAt(path), [
    'init',
    '--bare',
    '--template=',
    `--initial-branch=${checkRefName(branch)}`,
    '--',
    path,
  ]);
  await demand(await placeAt(path), ['config', MADE_BY_BATON, 'true']);
}

/** Clones one branch into a folder that is not there or empty. Throws `bad-config` or `sync-failed`. */
export async function cloneRepository(url: string, dir: string, branch: string): Promise<void> {
  checkRemote(url);
  checkRefName(branch);
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new FlowError('already-exists', 'the folder to clone into is not empty', {
      remedy: 'name an empty or new folder',
    });
  }
  mkdirSync(dirname(dir), { recursive: true });
  const place = await placeAt(dirname(dir));
  const flags = [
    '--template=',
    '--no-tags',
    '--no-recurse-submodules',
    '--upload-pack=git-upload-pack',
    '--origin=origin',
  ];
  const result = await ordinary(place, ['clone', ...flags, `--branch=${branch}`, '--', url, dir], { total: 600_000 });
  if (result.code === 0) return;
  const detail = result.timedOut ? 'no answer in time' : result.stderr.trim().split('\n').at(-1);
  throw new FlowError('sync-failed', `cannot clone the team's repository: ${detail ?? ''}`, {
    remedy: /remote branch .* not found/i.test(result.stderr)
      ? `the remote has no branch ${branch} yet: make the Leader's workspace first`
      : 'check the address and that you may read it, then try again',
  });
}

/** Names a remote of the repository, or gives it a new address. */
export async function addRemote(dir: string, name: string, url: string): Promise<void> {
  checkRemote(url);
  checkRefName(name);
  const place = await placeAt(dir);
  const known = await ordinary(place, ['remote', 'get-url', name]);
  if (known.code === 0 && known.stdout.toString('utf8').trim() === url) return;
  await demand(place, known.code === 0 ? ['remote', 'set-url', name, url] : ['remote', 'add', name, url]);
}

/** The name and address under which the person commits with plain git, if they said so. */
export async function configuredAuthor(env: NodeJS.ProcessEnv = process.env): Promise<Author | undefined> {
  const entries = await importUserConfig(env);
  const last = (key: string): string | undefined => entries.findLast(([name]) => name === key)?.[1];
  const [name, email] = [last('user.name'), last('user.email')];
  return name === undefined || email === undefined ? undefined : { name, email };
}

/**
 * Commits these files as the first commit of the branch that a new repository is on; nothing happens when it has
 * commits already. Returns whether it made one.
 */
export async function firstCommit(
  dir: string,
  paths: readonly string[],
  message: string,
  author: Author,
): Promise<boolean> {
  const git = await createGit({ dir });
  const { branch, refs } = await git.facts();
  const ref = `refs/heads/${branch ?? ''}`;
  if (branch === undefined || refs.has(ref)) return false;
  const edits = paths.map(
    (path) => ({ path, kind: 'content', mode: FILE_MODE, content: readFileSync(join(dir, path)) }) as const,
  );
  const commit = await git.commit({
    parents: [],
    edits,
    message: `${message}\n`,
    author,
    at: Math.floor(Date.now() / 1000),
  });
  if (!(await git.updateRefs([{ ref, next: commit, previous: null }]))) return false;
  await git.stage(await git.entries(commit));
  return true;
}

/** Makes `branch` from the commit that is checked out, and moves to it; the files stay as they are. */
export async function switchToBranch(dir: string, branch: string): Promise<void> {
  checkRefName(branch);
  const place = await placeAt(dir);
  const ref = `refs/heads/${branch}`;
  const known = await plumb(place, ['rev-parse', '--verify', '--quiet', ref], { codes: [0, 1] });
  const head = await demand(place, ['rev-parse', 'HEAD']);
  if (known.code !== 0) await plumb(place, ['update-ref', ref, head]);
  else if (known.stdout.toString('utf8').trim() !== head) {
    throw new FlowError('bad-workspace', `branch ${branch} is there already and holds other commits`, {
      remedy: `look at it with \`git log ${branch}\`; switch to it with \`git switch ${branch}\``,
    });
  }
  await plumb(place, ['symbolic-ref', 'HEAD', ref]);
}
