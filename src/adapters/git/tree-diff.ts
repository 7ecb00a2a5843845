import type { ObjectId, TreeChange, TreeFile } from '../../ports-git.ts';
import { FlowError } from '../../protocol/errors.ts';
import type { ObjectReader } from './object-reader.ts';
import { PLUMBING_TIMEOUT } from './run.ts';
import { EMPTY_TREE, LONGEST, differences, isTree, nameOf } from './trees.ts';

export interface DiffLimits {
  /** Milliseconds. */
  readonly within?: number;
  /** Paths that differ. */
  readonly most?: number;
}

/** Two directories of the same name; one of them may be absent. */
interface Pair {
  readonly path: string;
  readonly before: ObjectId | undefined;
  readonly after: ObjectId | undefined;
}

const TOGETHER = 64;

/** The files in which two commits or trees differ, by path. Directories that are alike are not read. */
export async function diffTrees(
  objects: ObjectReader,
  before: ObjectId,
  after: ObjectId,
  { within = PLUMBING_TIMEOUT, most = Number.POSITIVE_INFINITY }: DiffLimits,
): Promise<readonly TreeChange[]> {
  if (before === after) return [];
  const until = Date.now() + within;
  const roots = await objects.resolve([`${before}:`, `${after}:`]);
  const [left, right] = roots;
  if (left === undefined || right === undefined) throw absent(left === undefined ? before : after);
  const changes: TreeChange[] = [];
  // The last first, so that no more is ever waiting than the way to it is deep.
  const waiting: Pair[] = left === right ? [] : [{ path: '', before: left, after: right }];
  while (waiting.length > 0) {
    if (Date.now() > until) throw tooMuch(`more than ${within} ms of comparing`);
    for (const { changed, below } of await Promise.all(
      waiting.splice(-TOGETHER).map((pair) => compare(objects, pair)),
    )) {
      changes.push(...changed);
      waiting.push(...below);
    }
    if (changes.length > most) throw tooMuch(`more than ${most} files`);
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function compare(
  objects: ObjectReader,
  { path, before, after }: Pair,
): Promise<{ readonly changed: readonly TreeChange[]; readonly below: readonly Pair[] }> {
  const read = (id: ObjectId | undefined) => (id === undefined ? EMPTY_TREE : objects.readTree(id));
  const [left, right] = [await read(before), await read(after)];
  const changed: TreeChange[] = [];
  const below: Pair[] = [];
  const { changed: entries, isTooLong } = differences(left, right, objects.idBytes);
  if (isTooLong) throw tooMuch(`a name of more than ${LONGEST} bytes${path === '' ? '' : ` in ${path}`}`);
  for (const [name, old, fresh] of entries) {
    const at = path === '' ? nameOf(name) : `${path}/${nameOf(name)}`;
    if (at.length > LONGEST) throw tooMuch(`a path of more than ${LONGEST} letters`);
    const [oldFile, freshFile] = [fileOf(old), fileOf(fresh)];
    if (oldFile !== undefined || freshFile !== undefined) changed.push({ path: at, before: oldFile, after: freshFile });
    const [oldTree, freshTree] = [treeOf(old), treeOf(fresh)];
    if (oldTree !== freshTree) below.push({ path: at, before: oldTree, after: freshTree });
  }
  return { changed, below };
}

const fileOf = (file: TreeFile | undefined): TreeFile | undefined =>
  file === undefined || isTree(file) ? undefined : file;

const treeOf = (file: TreeFile | undefined): ObjectId | undefined =>
  file !== undefined && isTree(file) ? file.id : undefined;

function absent(id: ObjectId): FlowError {
  return new FlowError('git-failed', `${id.slice(0, 10)} is missing from the repository`, {
    remedy: 'run `git fsck` in the workspace',
  });
}

function tooMuch(what: string): FlowError {
  return new FlowError('git-failed', `the two trees differ in too much to be looked at: ${what}`, {
    remedy: 'look at them with `git diff --stat`',
  });
}
