import type { ObjectId, TreeEntry } from '../ports-git.ts';
import { FILE_MODE } from '../ports-git.ts';
import { createPauses } from '../pauses.ts';
import { blobId } from './context.ts';
import type { SyncContext } from './context.ts';
import type { DiskFile } from './fitness.ts';
import { hiddenPaths } from './sparse.ts';

/** Everything that people and agents write. */
const ALL = 'shared/';

interface Differing {
  readonly files: readonly DiskFile[];
  readonly problems: readonly { readonly path: string; readonly why: string }[];
}

/** What differs from the commit below `path`: a file, or a folder ending in `/`. */
export async function differing(context: SyncContext, head: ObjectId, path: string): Promise<Differing> {
  return unlike(context, path, await context.git.entries(head, path));
}

/** As `differing`, with the committed entries below the path given. */
export async function unlike(context: SyncContext, path: string, committed: readonly TreeEntry[]): Promise<Differing> {
  const { workTree, state, same } = context;
  if (path === ALL) same.recall();
  const { paths, problems } = workTree.files(path);
  const isLeftOut = hiddenPaths(context);
  const known = new Map(committed.map((entry) => [entry.path, entry]));
  const files: DiskFile[] = [];
  const pause = createPauses();
  for (const file of paths) {
    const others = pause();
    if (others !== undefined) await others;
    const entry = known.get(file);
    const content = changedContent(context, file, entry?.id);
    if (content === undefined) continue;
    files.push({ path: file, mode: entry?.mode.startsWith('100') === true ? entry.mode : FILE_MODE, content });
  }
  if (path === ALL) same.keep(known);
  const present = new Set(paths);
  const obstructed = new Set(problems.map((problem) => problem.file ?? path));
  for (const entry of known.values()) {
    const hidden = [...obstructed].some((file) => entry.path === file || entry.path.startsWith(`${file}/`));
    if (!present.has(entry.path) && !hidden && !isLeftOut(entry.path))
      files.push({ path: entry.path, mode: entry.mode, content: undefined });
  }
  return {
    files: files.filter((file) => !state.unplaced.has(file.path)).sort((a, b) => (a.path < b.path ? -1 : 1)),
    problems: problems.map((problem) => ({
      path: problem.file ?? path,
      why: problem.message.replace(/^.* is /, 'is '),
    })),
  };
}

/**
 * What stands in a file, unless it is what the commit holds. One that looks as it did when it was found to be the same is not
 * read again: the look at the whole tree would read all of it.
 */
function changedContent(
  { git, workTree, same }: SyncContext,
  path: string,
  committed: ObjectId | undefined,
): Uint8Array | undefined {
  const stamp = committed === undefined ? undefined : workTree.stamp(path);
  // Joined, and so a text of its own: a template would hold on to those that it is of.
  const seen = stamp === undefined ? undefined : [committed, stamp].join(' ');
  if (seen !== undefined && same.has(path, seen)) return undefined;
  const content = workTree.bytes(path);
  if (content === undefined || blobId(git, content) !== committed) {
    same.forget(path);
    return content;
  }
  if (seen !== undefined) same.note(path, seen);
  return undefined;
}

/** Paths under `shared/` that differ from the commit. Walks the tree. */
export async function dirtyPaths(context: SyncContext, head: ObjectId): Promise<readonly string[]> {
  return (await differing(context, head, ALL)).files.map(({ path }) => path);
}
