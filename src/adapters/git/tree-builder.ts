import type { ObjectId, TreeEdit, TreeFile } from '../../ports-git.ts';
import { FlowError } from '../../protocol/errors.ts';
import type { GitObject, ObjectKind } from './loose.ts';
import { EMPTY_TREE, TREE_MODE, isTree, pick, rawName, spliced } from './trees.ts';

export interface TreeBase {
  /** 20 or 32. */
  readonly idBytes: number;
  readTree(id: ObjectId): Promise<Buffer>;
  identify(kind: ObjectKind, content: Uint8Array): GitObject;
}

/** What is to become of one name in a directory: of the entry itself, and then of what lies below it. */
interface Wanted {
  /** `null` removes what is there; absent leaves it. */
  entry?: TreeFile | null;
  below?: Folder;
}

type Folder = Map<string, Wanted>;

/**
 * The objects of a tree with edits applied: blobs, and the directories that lead to them; nothing else is read. The
 * last is the root. Removals are applied first, so that a file may take the place of a directory and the other way
 * round. A directory that nothing is left in is left out.
 */
export async function buildTree(
  base: TreeBase,
  root: ObjectId | undefined,
  edits: readonly TreeEdit[],
): Promise<{ readonly root: GitObject; readonly objects: readonly GitObject[] }> {
  const objects: GitObject[] = [];
  const wanted: Folder = new Map();
  for (const edit of edits) if (edit.kind === 'remove') at(wanted, edit.path).entry = null;
  for (const edit of edits) {
    if (edit.kind === 'remove') continue;
    const file = edit.kind === 'entry' ? { mode: edit.mode, id: edit.id } : blob(edit.mode, edit.content);
    at(wanted, edit.path).entry = file;
  }

  function blob(mode: string, content: Uint8Array): TreeFile {
    const object = base.identify('blob', content);
    objects.push(object);
    return { mode, id: object.id };
  }

  async function apply(id: ObjectId | undefined, folder: Folder): Promise<Buffer> {
    const tree = id === undefined ? EMPTY_TREE : await base.readTree(id);
    const present = pick(tree, base.idBytes, folder);
    const changes = await Promise.all(
      [...folder].map(async ([name, node]): Promise<[string, TreeFile | undefined]> => [
        name,
        await become(present.get(name), node),
      ]),
    );
    return spliced(tree, new Map(changes), base.idBytes);
  }

  async function become(present: TreeFile | undefined, { entry, below }: Wanted): Promise<TreeFile | undefined> {
    const own = entry === undefined ? present : (entry ?? undefined);
    if (below === undefined) return own;
    const directory = own !== undefined && isTree(own) ? own.id : undefined;
    // What only removes things below a file has nothing to remove.
    if (own !== undefined && directory === undefined && !adds(below)) return own;
    const content = await apply(directory, below);
    if (content.length === 0) return undefined;
    const tree = base.identify('tree', content);
    objects.push(tree);
    return { mode: TREE_MODE, id: tree.id };
  }

  const top = base.identify('tree', await apply(root, wanted));
  return { root: top, objects: [...objects, top] };
}

const adds = (folder: Folder): boolean =>
  [...folder.values()].some(
    ({ entry, below }) => (entry ?? undefined) !== undefined || (below !== undefined && adds(below)),
  );

/** No tree may hold these: git would refuse to check it out, or take them for something else. */
const NO_NAME = /^(?:|\.|\.\.|\.git)$/i;

function at(root: Folder, path: string): Wanted {
  let found: Wanted = { below: root };
  for (const name of path.split('/')) {
    if (NO_NAME.test(name) || name.includes('\0')) {
      throw new FlowError('git-failed', `${JSON.stringify(path)} is a path that no tree of git may hold`, {
        remedy: 'use plain file names',
      });
    }
    found.below ??= new Map();
    const key = rawName(name);
    const next = found.below.get(key) ?? {};
    found.below.set(key, next);
    found = next;
  }
  return found;
}
