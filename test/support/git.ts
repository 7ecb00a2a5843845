import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const IDENTITY = {
  GIT_AUTHOR_NAME: 'Pat',
  GIT_AUTHOR_EMAIL: 'pat@local',
  GIT_COMMITTER_NAME: 'Pat',
  GIT_COMMITTER_EMAIL: 'pat@local',
};

/** Plain git, as a person or an attacker runs it; trimmed output. */
export function git(cwd: string, ...parameters: string[]): string {
  return execFileSync('git', parameters, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...IDENTITY },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/** The texts of every file of a branch, by path, trimmed; two processes of git however many there are. */
export function filesOf(repository: string, branch: string): ReadonlyMap<string, string> {
  const paths = git(repository, 'ls-tree', '-r', '--name-only', '-z', branch)
    .split('\0')
    .filter((path) => path !== '');
  const found = execFileSync('git', ['cat-file', '--batch'], {
    cwd: repository,
    input: paths.map((path) => `${branch}:${path}\n`).join(''),
    maxBuffer: 256 * 1024 * 1024,
  });
  let at = 0;
  return new Map(
    paths.map((path) => {
      const start = found.indexOf(0x0a, at) + 1;
      const size = Number(found.toString('utf8', at, start).trim().split(' ')[2]);
      at = start + size + 1;
      return [path, found.toString('utf8', start, start + size).trim()] as const;
    }),
  );
}

/** The refs below a prefix (`refs/baton/`) as they lie in a git directory, without a process. */
export function refsIn(gitDir: string, prefix: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const packed = join(gitDir, 'packed-refs');
  for (const line of existsSync(packed) ? readFileSync(packed, 'utf8').split('\n') : []) {
    const [id = '', ref = ''] = line.split(' ');
    if (ref.startsWith(prefix)) found.set(ref, id);
  }
  const folder = join(gitDir, prefix);
  for (const name of existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []) {
    const file = join(folder, name);
    if (statSync(file).isFile()) found.set(`${prefix}${name}`, readFileSync(file, 'utf8').trim());
  }
  return found;
}
