import { createPauses } from '../pauses.ts';
import type { BroughtContent, Git, ObjectId } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { allowing, findSecrets } from '../protocol/secrets/scan.ts';
import type { FoundSecret, ScanOptions } from '../protocol/secrets/scan.ts';
import { word } from '../rules/shell.ts';
import { branchRef } from './context.ts';
import type { SyncContext } from './context.ts';
import { fetchAll } from './pull.ts';
import { leakOf, scanOf, wordsOf } from './secret-check.ts';
import type { Leak } from './secret-check.ts';

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
    async fetch(remote, branches, options) {
      const outcome = await git.fetch(remote, branches, options);
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

/** Bytes of a file from which it is not looked at: no text of people or agents comes near. */
const LARGEST = 16 * 2 ** 20;

async function secretIn(context: SyncContext, commit: ObjectId): Promise<FlowError | undefined> {
  const { refs } = await context.git.facts();
  // A person may have fetched, and merged, branches that no node asks for.
  const fetched = [...refs].flatMap(([ref, id]) => (ref.startsWith('refs/remotes/origin/') ? [id] : []));
  const there = new Set([...context.state.tracked.values(), ...fetched]);
  const { files, words } = await context.git.brought(commit, [...there]);
  const scan = await scanOf(context);
  for (const { commit: id, text } of words) {
    const [found] = findSecrets(text, scan);
    const name = id.slice(0, 10);
    if (found !== undefined) return refusal(`the message of ${name} holds a secret (${found.kind})`, name, found);
  }
  const pause = createPauses();
  const seen = new Set<string>();
  for (const file of files) {
    await pause();
    const key = `${file.id} ${file.path}`;
    const leak = seen.has(key) ? undefined : await leakIn(context, file, scan);
    seen.add(key);
    if (leak === undefined) continue;
    const where = `\`git log --oneline @{upstream}.. -- ${word(leak.path)}\``;
    return refusal(`${leak.path} ${wordsOf(leak)}`, where, leak, { file: leak.path, line: leak.line });
  }
  return undefined;
}

/** What stands there already, in the commits before or on the remote, is not brought by this one. */
async function leakIn(
  { git, state, branch, ownBranch }: SyncContext,
  { id, path, before }: BroughtContent['files'][number],
  scan: ScanOptions,
): Promise<Leak | undefined> {
  const [size = 0] = await git.sizes([id]);
  const [content] = size > LARGEST ? [] : await git.read([id]);
  const leak = leakOf(path, content, undefined, scan);
  if (leak === undefined) return undefined;
  const tips = [branch, ownBranch].flatMap((name) => state.tracked.get(branchRef(name)) ?? []);
  const there = await git.read([...before, ...tips.map((tip) => `${tip}:${path}`)]);
  const known = there.filter((text) => text !== undefined);
  if (leak.line === 0 && known.length > 0) return undefined;
  const fresh = known.map((text) => leakOf(path, content, text, scan));
  return fresh.includes(undefined) ? undefined : (fresh[0] ?? leak);
}

function refusal(
  what: string,
  where: string,
  found: FoundSecret,
  place: { readonly file?: string; readonly line?: number } = {},
): FlowError {
  return new FlowError('sync-failed', `a commit that is not on the remote yet cannot be pushed: ${what}`, {
    remedy: `take it out of that commit: ${where} names it, \`git rebase -i\` changes it, and \`git commit --amend\` where it is the last one; ${allowing(found)}`,
    retryable: false,
    data: { ...place, kind: found.kind, fingerprint: found.fingerprint },
  });
}
