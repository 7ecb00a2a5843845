import { FlowError } from '../../protocol/errors.ts';
import type { MergeConflict, MergedTree, ObjectId, TreeFile } from '../../ports-git.ts';
import { writeCommit } from './commit.ts';
import type { Objects } from './objects.ts';
import { fields, plumb } from './run.ts';
import type { GitPlace } from './run.ts';

/**
 * `git merge-tree --write-tree`. A given base tree is put under both sides as a commit of its own, since git before
 * 2.40 takes no base: that is how lanes without their refused part are merged (architecture.md, "Lanes").
 */
export async function mergeTrees(
  place: GitPlace,
  objects: Objects,
  ours: ObjectId,
  theirs: ObjectId,
  base?: ObjectId,
): Promise<MergedTree> {
  const [left, right] = base === undefined ? [ours, theirs] : await onBase(objects, base, ours, theirs);
  const { stdout } = await plumb(place, ['merge-tree', '--write-tree', '-z', '--no-messages', left, right], {
    codes: [0, 1],
  });
  const [tree, ...lines] = fields(stdout);
  if (tree === undefined) throw new FlowError('internal', 'git merge-tree named no tree');
  const stages = new Map<string, (TreeFile | undefined)[]>();
  for (const line of lines) {
    const match = /^(\d{6}) ([0-9a-f]+) ([123])\t(.*)$/s.exec(line);
    if (match === null) continue;
    const path = match[4] ?? '';
    const found = stages.get(path) ?? [undefined, undefined, undefined];
    found[Number(match[3]) - 1] = { mode: match[1] ?? '', id: match[2] ?? '' };
    stages.set(path, found);
  }
  return { tree, conflicts: [...stages].map(([path, found]) => conflictOf(path, found, [left, right])) };
}

/** A file that met a directory of its name stands beside it as `<name>~<side>`. */
function conflictOf(path: string, found: readonly (TreeFile | undefined)[], labels: readonly string[]): MergeConflict {
  const [base, ours, theirs] = found;
  const label = labels.find((side) => new RegExp(`~${side}(_\\d+)?$`).test(path));
  const at = label === undefined ? path : path.slice(0, path.lastIndexOf(`~${label}`));
  return { path: at, base, ours, theirs, displacedTo: label === undefined ? undefined : path };
}

async function onBase(
  objects: Objects,
  base: ObjectId,
  ours: ObjectId,
  theirs: ObjectId,
): Promise<[ObjectId, ObjectId]> {
  const trees = await objects.resolve([base, ours, theirs].map((id) => `${id}:`));
  const [found, left, right] = trees;
  if (found === undefined || left === undefined || right === undefined) {
    throw new FlowError('git-failed', 'a commit to be merged is missing from the repository', {
      remedy: 'run `git fsck` in the workspace',
    });
  }
  const draft = { edits: [], message: 'merge base\n', author: { name: 'baton', email: 'baton' }, at: 0 };
  const root = await writeCommit(objects, { ...draft, parents: [], tree: found });
  return [
    await writeCommit(objects, { ...draft, parents: [root], tree: left }),
    await writeCommit(objects, { ...draft, parents: [root], tree: right }),
  ];
}
