import type { ObjectId, TreeEntry } from '../ports-git.ts';
import { FILE_MODE } from '../ports-git.ts';
import { createPauses } from '../pauses.ts';
import { isScratchName } from '../protocol/names.ts';
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

/** As `differing`, with the committed entries below the path given; all of it as it is at one moment. */
export function unlike(context: SyncContext, path: string, committed: readonly TreeEntry[]): Differing {
  const comparing = compare(context, path, committed);
  let step = comparing.next();
  while (step.done !== true) step = comparing.next();
  return step.value;
}

/** File by file, so that whoever compares very many can let others go on in between. */
function* compare(
  context: SyncContext,
  path: string,
  committed: readonly TreeEntry[],
): Generator<undefined, Differing, undefined> {
  const { workTree, state } = context;
  const { paths, problems } = workTree.files(path);
  const isLeftOut = hiddenPaths(context);
  const known = new Map(committed.map((entry) => [entry.path, entry]));
  const files: DiskFile[] = [];
  for (const file of paths) {
    yield;
    const entry = known.get(file);
    const content = changedContent(context, file, entry?.id);
    if (content === undefined) continue;
    files.push({ path: file, mode: entry?.mode.startsWith('100') === true ? entry.mode : FILE_MODE, content });
  }
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

/**
 * Paths under `shared/` that differ from the commit. Walks the tree, and lets others go on between its files: each is looked at again by
 * whoever takes it up. What a watch leaves out is left out here as well, unless it was committed.
 */
export async function dirtyPaths(context: SyncContext, head: ObjectId): Promise<readonly string[]> {
  const { git, same } = context;
  const committed = await git.entries(head, ALL);
  same.recall();
  const comparing = compare(context, ALL, committed);
  const pause = createPauses();
  let step = comparing.next();
  while (step.done !== true) {
    const others = pause();
    if (others !== undefined) await others;
    step = comparing.next();
  }
  const known = new Set(committed.map((entry) => entry.path));
  same.keep(known);
  const paths = step.value.files.map(({ path }) => path);
  return paths.filter((path) => known.has(path) || !path.split('/').some(isScratchName));
}
