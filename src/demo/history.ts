import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

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

const RECORD = '\u001e';
const FIELD = '\u001f';

/** The commit that a repository stands at. */
export async function currentRevision(repository: string): Promise<string> {
  return (await git(repository, 'rev-parse', 'HEAD')).trim();
}

/** The newest `limit` commits up to a revision, oldest first, with the lines that each changed per file. */
export async function readHistory(repository: string, revision: string, limit = 400): Promise<readonly Commit[]> {
  const format = `${RECORD}%H${FIELD}%an${FIELD}%aI${FIELD}%s`;
  const text = await git(
    repository,
    'log',
    `--max-count=${limit}`,
    '--no-merges',
    '--numstat',
    `--format=${format}`,
    revision,
    '--',
  );
  return text
    .split(RECORD)
    .filter((record) => record.trim() !== '')
    .map(parseCommit)
    .toReversed();
}

/** Counts that the verifier takes from git itself, not from anybody's deliverable. */
export async function countCommits(repository: string, revision: string, limit = 400): Promise<number> {
  const text = await git(repository, 'rev-list', '--no-merges', `--max-count=${limit}`, revision, '--');
  return text.split('\n').filter((line) => line !== '').length;
}

async function git(repository: string, ...parameters: string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', repository, ...parameters], { maxBuffer: 256 * 1024 * 1024 });
  return stdout;
}

function parseCommit(record: string): Commit {
  const [header = '', ...lines] = record.split('\n');
  const [hash = '', author = '', date = '', subject = ''] = header.split(FIELD);
  const files = lines.flatMap((line) => {
    const [added, removed, path] = line.split('\t');
    // git prints `-` for binary files: they changed, but have no lines.
    return path === undefined ? [] : [{ path, added: Number(added) || 0, removed: Number(removed) || 0 }];
  });
  return { hash, author, date, subject, files };
}
