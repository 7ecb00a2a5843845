import type { Git, ObjectId } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { isSharedPath } from '../protocol/paths.ts';
import { allowing } from '../protocol/secrets/scan.ts';
import { word } from '../rules/shell.ts';
import { branchRef } from './context.ts';
import type { SyncContext } from './context.ts';
import { fetchAll } from './pull.ts';
import { leakOf, scanOf, wordsOf } from './secret-check.ts';

/** So many are remembered; whatever is forgotten is looked at again. */
const REMEMBERED = 4096;

/** Notes that all of a commit was looked at, or is on the remote. */
function vet(vetted: Set<ObjectId>, commit: ObjectId): void {
  vetted.delete(commit);
  vetted.add(commit);
  for (const oldest of vetted) {
    if (vetted.size <= REMEMBERED) break;
    vetted.delete(oldest);
  }
}

/**
 * As `git`, and keeps count of the commits whose content is known: what the remote has, and what Baton has made of such commits,
 * since it looks at what it writes before it commits it.
 */
export function vettingGit(git: Git, vetted: Set<ObjectId>): Git {
  return {
    ...git,
    async commit(draft) {
      const commit = await git.commit(draft);
      if (draft.parents.every((parent) => vetted.has(parent))) vet(vetted, commit);
      return commit;
    },
    async fetch(remote, branches) {
      const outcome = await git.fetch(remote, branches);
      if (outcome.kind === 'ok') for (const commit of outcome.refs.values()) vet(vetted, commit);
      return outcome;
    },
  };
}

/**
 * Throws `sync-failed` when a push of `commit` would bring a secret to the remote (protocol.md §11.6): in a commit that somebody has
 * made with plain git, also if a later one takes it out again. Once there, it stays in the history of main for good. The
 * first push to an empty remote brings what the team has had so far, which is not looked at.
 */
export async function requireNoSecretIn(context: SyncContext, remote: string, commit: ObjectId): Promise<void> {
  const { vetted, tracked } = context.state;
  if (vetted.has(commit) || tracked.size === 0) return;
  if ((await secretIn(context, commit)) !== undefined) {
    // What others have published is theirs, also when a person has pulled it before this node did.
    await fetchAll(context, remote);
    const found = await secretIn(context, commit);
    if (found !== undefined) throw found;
  }
  vet(vetted, commit);
}

async function secretIn(context: SyncContext, commit: ObjectId): Promise<FlowError | undefined> {
  const { git, state, branch } = context;
  const files = await git.broughtFiles(commit, [...new Set(state.tracked.values())]);
  const scan = scanOf(context);
  for (const { id, path } of files) {
    if (!isSharedPath(path)) continue;
    const [content] = await git.read([id]);
    if (leakOf(path, content, undefined, scan) === undefined) continue;
    const [before] = await git.read([`${state.tracked.get(branchRef(branch)) ?? '-'}:${path}`]);
    const leak = leakOf(path, content, before, scan);
    if (leak === undefined) continue;
    const where = `git log --oneline @{upstream}.. -- ${word(leak.path)}`;
    return new FlowError(
      'sync-failed',
      `a commit that is not on the remote yet cannot be pushed: ${leak.path} ${wordsOf(leak)}`,
      {
        remedy: `take it out of that commit: \`${where}\` names it, \`git commit --amend\` or \`git rebase -i\` changes it; ${allowing(leak)}`,
        data: { file: leak.path, line: leak.line, kind: leak.kind, fingerprint: leak.fingerprint },
      },
    );
  }
  return undefined;
}
