import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_MODE } from '../../ports-git.ts';
import type { Author } from '../../ports-git.ts';
import { importUserConfig, isolatedEnvironment } from './environment.ts';
import { createGit } from './git.ts';
import { MADE_BY_BATON } from './maintenance.ts';
import { checkRefName, checkRemote } from './names.ts';
import { demand, ordinary } from './run.ts';
import type { GitPlace } from './run.ts';

async function placeAt(cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<GitPlace> {
  return { cwd, env: isolatedEnvironment(env, await importUserConfig(env)) };
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
  using git = await createGit({ dir });
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
