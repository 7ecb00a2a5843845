import type { ObjectId, TreeEntry } from '../../ports-git.ts';
import { createLookup } from './lookup.ts';
import { deflated, shareLoose } from './loose.ts';
import { createObjectReader } from './object-reader.ts';
import type { ObjectReader } from './object-reader.ts';
import { identified, writeObjects } from './object-store.ts';
import type { GitObject, ObjectKind, Written } from './loose.ts';
import type { OwnPack } from './pack.ts';
import { fields, plumb } from './run.ts';
import type { GitPlace } from './run.ts';
import { entriesOf, isTree, nameOf, rawName } from './trees.ts';

/** The objects of one repository. What is at hand is here. */
export interface Objects extends ObjectReader {
  identify(kind: ObjectKind, content: Uint8Array): GitObject;
  /** Where the objects lie. */
  readonly directory: string;
  /** Takes over an object of another store, in whose folder it may lie as a loose file. */
  takeOver(object: GitObject, from: string): void;
  write(objects: readonly GitObject[]): Promise<void>;
  /** What was written as a pack lately and not shared since, the newest last. */
  readonly ownPacks: OwnPack[];
  /** What was written as a loose file lately and not pushed since. */
  readonly ownLoose: Map<ObjectId, Written>;
}

/** More packs, and more loose objects, than this are not waiting to be pushed. */
const PACKS = 4;
const LOOSE = 2_000;

/** Bytes of trees that are kept at hand. */
const TREES = 24 * 2 ** 20;

export function createObjects(place: GitPlace, directory: string, idLength: number): Objects {
  const reader = createObjectReader(createLookup(place), idLength / 2, TREES);
  const ownPacks: OwnPack[] = [];
  const ownLoose = new Map<ObjectId, Written>();
  return {
    ...reader,
    identify: (kind, content) => identified(idLength, kind, content),
    directory,
    ownPacks,
    ownLoose,
    takeOver(object, from) {
      shareLoose(from, directory, object.id, () => deflated(object));
      reader.keep(object);
    },
    async write(objects) {
      const { pack, loose } = await writeObjects(place, directory, objects);
      if (pack !== undefined) ownPacks.push(pack);
      if (ownPacks.length > PACKS) ownPacks.shift();
      if (ownLoose.size > LOOSE) ownLoose.clear();
      for (const [id, written] of loose) ownLoose.set(id, written);
      for (const object of objects) reader.keep(object);
    },
  };
}

/** More directories than these are listed by a process of git, which does not have to be asked for each. */
const LISTED_AT_HAND = 64;

/** As `Git.entries`. */
export async function listTree(
  place: GitPlace,
  objects: Objects,
  root: ObjectId,
  path: string | readonly string[] = '',
): Promise<readonly TreeEntry[]> {
  const paths = (typeof path === 'string' ? [path] : path).map((name) => name.replace(/\/$/, ''));
  const [only = '', ...more] = paths;
  if (paths.length === 0) return [];
  return (more.length === 0 ? await listAtHand(objects, root, only) : undefined) ?? listByGit(place, root, paths);
}

async function listAtHand(objects: Objects, root: ObjectId, path: string): Promise<readonly TreeEntry[] | undefined> {
  const found: TreeEntry[] = [];
  const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  const [tree] = await objects.resolve([`${root}:${parent}`]);
  const [above] = await objects.find([tree]);
  if (tree === undefined || above?.kind !== 'tree') return path === '' ? undefined : [];
  const only = path === '' ? undefined : rawName(path.slice(path.lastIndexOf('/') + 1));
  let waiting: (readonly [path: string, tree: ObjectId])[] = [[parent, tree]];
  for (let read = 0; waiting.length > 0;) {
    read += waiting.length;
    if (read > LISTED_AT_HAND) return undefined;
    const below: (readonly [string, ObjectId])[] = [];
    for (const [directory, id] of waiting) {
      for (const [name, file] of entriesOf(await objects.readTree(id), objects.idBytes)) {
        if (directory === parent && only !== undefined && name !== only) continue;
        const entry = directory === '' ? nameOf(name) : `${directory}/${nameOf(name)}`;
        if (isTree(file)) below.push([entry, file.id]);
        else found.push({ path: entry, ...file });
      }
    }
    waiting = below;
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function listByGit(place: GitPlace, tree: ObjectId, paths: readonly string[]): Promise<readonly TreeEntry[]> {
  const below = paths.includes('') ? [] : ['--', ...paths];
  const { stdout } = await plumb(place, ['ls-tree', '-r', '-z', '--full-tree', tree, ...below]);
  return fields(stdout).flatMap((line) => {
    const match = /^(\d{6}) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line);
    return match === null ? [] : [{ mode: match[1] ?? '', id: match[2] ?? '', path: match[3] ?? '' }];
  });
}
