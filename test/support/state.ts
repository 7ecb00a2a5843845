import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { git } from './git.ts';

/** Every file of a folder with a digest of its bytes, but for git's and the clone's own state. */
function filesOf(folder: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/(^|\/)\.(git|baton)(\/|$)/.test(name)) continue;
    const path = join(folder, name);
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts?.isFile() === true) found[name] = createHash('sha256').update(readFileSync(path)).digest('hex');
  }
  return found;
}

/** What a refusal must leave as it is: files, branches, and where a team has one, the branches of the remote. */
export function stateOf(workspace: string, remote?: string): unknown {
  const branches = (folder: string): string =>
    existsSync(folder) ? git(folder, 'for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads/') : 'gone';
  return {
    files: filesOf(workspace),
    branches: existsSync(join(workspace, '.git')) ? branches(workspace) : 'no repository',
    remote: remote === undefined ? undefined : branches(remote),
  };
}
