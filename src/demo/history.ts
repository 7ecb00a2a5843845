import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FlowError } from '../protocol/errors.ts';
import { pathFor } from './folder.ts';
import { demoEnvironment, isCheckout, packageRoot } from './environment.ts';
import { oneLine } from '../protocol/plain-text.ts';

const run = promisify(execFile);

/** A history up to a commit, so that it stands still while it is reported about. */
export interface History {
  readonly repository: string;
  readonly revision: string;
  /** For a sentence: "report on …". */
  readonly name: string;
}

export interface ChangedFile {
  readonly path: string;
  readonly added: number;
  readonly removed: number;
}

export interface Commit {
  readonly hash: string;
  readonly author: string;
  /** ISO 8601 */
  readonly date: string;
  readonly subject: string;
  readonly files: readonly ChangedFile[];
}

/** More commits make a report that takes longer and shows no more. */
export const MOST_COMMITS = 400;
/** Fewer commits than this make a report that shows little. */
const ENOUGH_COMMITS = 12;

/**
 * What the demo reports about: the repository or bundle that was `chosen`, else the checkout's own history, else the
 * small one that comes with Baton. A bundle is cloned into `folder`. Throws `not-found` for a choice without commits.
 */
export async function findHistory(folder: string, chosen: string | undefined): Promise<History> {
  if (chosen !== undefined) return chosenHistory(folder, chosen);
  const home = packageRoot();
  if (isCheckout()) {
    const revision = await headOf(home);
    const commits = revision === undefined ? 0 : await countCommits({ repository: home, revision });
    if (revision !== undefined && commits >= ENOUGH_COMMITS) {
      return { repository: home, revision, name: "this checkout's own history" };
    }
  }
  const bundled = join(home, 'fixtures', 'demo', 'history.bundle');
  return { ...(await cloneOf(bundled, folder)), name: 'the small history that comes with Baton' };
}

async function chosenHistory(folder: string, path: string): Promise<History> {
  const name = pathFor(path);
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind === undefined) throw noHistory(`there is no ${name}`);
  if (kind.isFile()) return { ...(await cloneOf(path, folder)), name };
  const revision = await headOf(path);
  if (revision === undefined) throw noHistory(`${name} is not a git repository with commits`);
  return { repository: path, revision, name };
}

async function cloneOf(bundle: string, folder: string): Promise<Omit<History, 'name'>> {
  const repository = join(folder, 'history');
  try {
    await run('git', ['clone', '--quiet', '--', bundle, repository], { env: demoEnvironment() });
  } catch (cause) {
    throw noHistory(`${pathFor(bundle)} cannot be cloned`, cause);
  }
  const revision = await headOf(repository);
  if (revision === undefined) throw noHistory(`${pathFor(bundle)} holds no commits`);
  return { repository, revision };
}

function noHistory(message: string, cause?: unknown): FlowError {
  return new FlowError('not-found', message, {
    remedy: 'name a git repository or a bundle with --history, or leave it out',
    cause,
  });
}

/** The commit that a repository stands at; `undefined` where there is none, or it is not this user's to read. */
async function headOf(repository: string): Promise<string | undefined> {
  try {
    return (await git(repository, 'rev-parse', '--verify', '--quiet', 'HEAD^{commit}')).trim();
  } catch {
    return undefined;
  }
}

/** NUL is the one character that no name and no subject can hold. */
const FORMAT = ['', '%H', '%aI', '%an', '%s', ''].join('%x00');
const FIELDS = 5;

/** The newest `limit` commits, oldest first and without merges, with the lines that each changed per file. */
export async function readHistory(
  { repository, revision }: Pick<History, 'repository' | 'revision'>,
  limit = MOST_COMMITS,
): Promise<readonly Commit[]> {
  const text = await git(
    repository,
    'log',
    `--max-count=${limit}`,
    '--no-merges',
    '--numstat',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    `--format=${FORMAT}`,
    revision,
    '--',
  );
  const fields = text.split('\0').slice(1);
  const commits = Array.from({ length: Math.floor(fields.length / FIELDS) }, (_, index) =>
    commitOf(fields.slice(index * FIELDS, (index + 1) * FIELDS)),
  );
  return commits.toReversed();
}

/** Counted by git itself, not from anybody's deliverable. */
export async function countCommits(
  { repository, revision }: Pick<History, 'repository' | 'revision'>,
  limit = MOST_COMMITS,
): Promise<number> {
  return Number(await git(repository, 'rev-list', '--count', '--no-merges', `--max-count=${limit}`, revision, '--'));
}

/** Whatever is configured for this user or repository must not change what is printed. */
const PLAIN = ['-c', 'log.showSignature=false', '-c', 'core.quotePath=false', '-c', 'log.mailmap=false'];

async function git(repository: string, ...parameters: string[]): Promise<string> {
  try {
    const { stdout } = await run('git', ['-C', repository, ...PLAIN, ...parameters], {
      env: { ...demoEnvironment(), GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' },
      maxBuffer: 256 * 1024 * 1024,
    });
    return stdout;
  } catch (cause) {
    const { stderr = '', code } = cause as { readonly stderr?: string; readonly code?: unknown };
    const reason = stderr.trim().split('\n')[0] ?? '';
    throw new FlowError(
      'git-failed',
      `git cannot read the history in ${pathFor(repository)}: ${reason === '' ? String(code) : reason}`,
      { remedy: 'see whether it is still there, and run the demo again', cause },
    );
  }
}

function commitOf([hash = '', date = '', author = '', subject = '', numstat = '']: readonly string[]): Commit {
  const files = numstat.split('\n').flatMap((line) => {
    const [added, removed, path] = line.split('\t');
    // git prints `-` for binary files: they changed, but have no lines.
    return path === undefined ? [] : [{ path, added: Number(added) || 0, removed: Number(removed) || 0 }];
  });
  return { hash, author: oneLine(author), date, subject: oneLine(subject), files };
}
