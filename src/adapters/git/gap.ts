import type { ObjectId, TreeFile } from '../../ports-git.ts';
import { GITLINK_MODE } from '../../ports-git.ts';
import { createPauses } from '../../pauses.ts';
import type { CommitNode } from './graph.ts';
import type { ObjectKind } from './loose.ts';
import type { Objects } from './objects.ts';
import { EMPTY_TREE, differences, isTree, pick } from './trees.ts';

/** What the walk reads: what is new, and what lies beside it in the parents. */
export type GapReader = Pick<Objects, 'idBytes' | 'readTree' | 'readCommits'>;

/**
 * Calls `visit` for every object that a repository lacks when it has everything before these commits: each commit, and of
 * its files and directories those that none of its parents holds in the same place. What a parent holds there is visited with
 * that parent, which may have it in common with a commit that was visited before: so a directory is gone through once for
 * each set of directories beside it. Ends early, with false, when `visit` does not want to go on, or when it takes too long a walk.
 */
export async function visitGap(
  commits: readonly (readonly [ObjectId, CommitNode])[],
  reader: GapReader,
  visit: (kind: ObjectKind, id: ObjectId) => Promise<boolean>,
): Promise<boolean> {
  const seen = new Set<ObjectId>();
  const walked = new Set<string>();
  const pause = createPauses();
  const once = (kind: ObjectKind, id: ObjectId): Promise<boolean> | true => {
    if (seen.has(id)) return true;
    seen.add(id);
    return visit(kind, id);
  };
  for (const [id, { tree, parents }] of commits) {
    if (!(await visit('commit', id))) return false;
    const above = await reader.readCommits(parents);
    const waiting: Place[] = [{ tree, beside: above.flatMap((node) => node?.tree ?? []) }];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      const key = [place.tree, ...place.beside].join(' ');
      if (walked.has(key) || place.beside.includes(place.tree)) continue;
      walked.add(key);
      await pause();
      if (walked.size > LONGEST || !(await once('tree', place.tree))) return false;
      const entries = await ownEntries(reader, place);
      if (entries === undefined) return false;
      for (const { file, beside } of entries) {
        if (isTree(file)) waiting.push({ tree: file.id, beside });
        else if (file.mode !== GITLINK_MODE && !(await once('blob', file.id))) return false;
      }
    }
  }
  return true;
}

/** Directories that are gone through at most; git has faster means for more. */
const LONGEST = 5_000;

/** A directory, and those that the parents of its commit have in its place. */
interface Place {
  readonly tree: ObjectId;
  readonly beside: readonly ObjectId[];
}

/**
 * Entries that no tree beside has, with the directories that it has in their places. `undefined` for a tree that holds a name
 * twice, as git writes none and takes every one, or one that is too long for any file.
 */
async function ownEntries(
  reader: GapReader,
  { tree, beside }: Place,
): Promise<readonly { readonly file: TreeFile; readonly beside: readonly ObjectId[] }[] | undefined> {
  const [first = EMPTY_TREE, ...others] = await Promise.all(beside.map((id) => reader.readTree(id)));
  const content = await reader.readTree(tree);
  const { changed, hasNameTwice, isTooLong } = differences(first, content, reader.idBytes);
  if (hasNameTwice || isTooLong) return undefined;
  const names = new Map(changed.flatMap(([name, , file]) => (file === undefined ? [] : [[name, file] as const])));
  if (names.size === 0) return [];
  const there = others.map((other) => pick(other, reader.idBytes, names));
  return changed.flatMap(([name, before, file]) => {
    if (file === undefined) return [];
    const same = [before, ...there.map((entries) => entries.get(name))].filter((entry) => entry !== undefined);
    // A commit of another repository is not here, whatever else has its id.
    if (same.some(({ id, mode }) => id === file.id && mode !== GITLINK_MODE)) return [];
    return [{ file, beside: same.filter(isTree).map(({ id }) => id) }];
  });
}
