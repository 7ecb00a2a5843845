import type { Git, ObjectId, TreeFile } from '../../ports-git.ts';
import { FlowError } from '../../protocol/errors.ts';
import type { CommitNode, ReadCommits } from './graph.ts';
import { LARGEST_COMMIT } from './lookup.ts';
import type { Found, ObjectLookup } from './lookup.ts';
import { isTree, pick, rawName } from './trees.ts';

/** Reads objects by id and by path. What was read stays at hand for a while, since objects never change. */
export interface ObjectReader {
  readonly lookup: ObjectLookup;
  readonly idBytes: number;
  /** `undefined` for what is not there, or is no commit. */
  readonly readCommits: ReadCommits;
  /** Throws `git-failed` for what is not there, or is no tree. */
  readTree(id: ObjectId): Promise<Buffer>;
  /** Objects by id, from what is at hand as far as it goes; what is no id is answered as absent. */
  find(ids: readonly (ObjectId | undefined)[]): Promise<readonly (Found | undefined)[]>;
  readonly sizes: Git['sizes'];
  /** As `Git.resolve`; `<id>:<path>` names are found through trees that are at hand. */
  readonly resolve: Git['resolve'];
  readonly read: Git['read'];
  /** Whether a tree or a commit has been read before. */
  isAtHand(id: ObjectId): boolean;
  /** Has an object at hand that was read or made elsewhere. */
  keep(found: Pick<Found, 'id' | 'kind' | 'content'>): void;
}

/** The size of a tree, in bytes, from which it is not kept at hand. */
const LARGEST_TREE = 4 * 2 ** 20;
const COMMITS = 20_000;
/** The size of a file, in bytes, up to which it is kept at hand, and what all of those may take. */
const LARGEST_FILE = 64 * 1024;
const FILES = 4 * 2 ** 20;

/** `kept`: bytes of trees that are kept at hand. */
export function createObjectReader(lookup: ObjectLookup, idBytes: number, kept: number): ObjectReader {
  const commits = new Map<ObjectId, CommitNode>();
  const trees = createShelf(kept, LARGEST_TREE);
  const files = createShelf(FILES, LARGEST_FILE);

  function keepCommit(id: ObjectId, content: Uint8Array, size = content.length): CommitNode {
    if (commits.size >= COMMITS) commits.clear();
    const node = { ...parseCommit(content), ...(size > LARGEST_COMMIT ? { isTooLarge: true as const } : {}) };
    commits.set(id, node);
    return node;
  }

  function keep({ id, kind, content, size }: Omit<Found, 'size'> & Partial<Pick<Found, 'size'>>): void {
    if (kind === 'commit') keepCommit(id, content, size);
    if (kind === 'tree') trees.keep(id, content);
    if (kind === 'blob') files.keep(id, content);
  }

  function atHand(id: ObjectId): Found | undefined {
    const tree = trees.get(id);
    const content = tree ?? files.get(id);
    return content && { id, kind: tree === undefined ? 'blob' : 'tree', size: content.length, content };
  }

  async function readTree(id: ObjectId): Promise<Buffer> {
    const known = trees.get(id);
    if (known !== undefined) return known;
    const [found] = await lookup.read([id]);
    if (found?.kind !== 'tree') throw missing(id);
    return trees.keep(id, found.content);
  }

  /** The tree of a commit, or of a tree itself. */
  async function rootOf(id: ObjectId): Promise<ObjectId | undefined> {
    if (trees.has(id)) return id;
    if (!commits.has(id)) {
      const [found] = await lookup.read([id]);
      if (found !== undefined) keep(found);
      if (found?.kind === 'tree') return found.id;
    }
    return commits.get(id)?.tree;
  }

  /** Ids of paths below one commit or tree; each tree on the way is gone through once. */
  async function below(root: ObjectId, paths: readonly string[]): Promise<ReadonlyMap<string, ObjectId>> {
    const found = new Map<string, ObjectId>();
    const top = await rootOf(root);
    let level: Way[] = top === undefined ? [] : [{ tree: top, rest: paths.map((path) => [path, path.split('/')]) }];
    while (level.length > 0) level = (await Promise.all(level.map((way) => step(way, found)))).flat();
    return found;
  }

  async function step({ tree, rest }: Way, found: Map<string, ObjectId>): Promise<Way[]> {
    const byName = Map.groupBy(rest, ([, [name = '']]) => rawName(name));
    const here = byName.get('') ?? [];
    for (const [path] of here) if (path === '') found.set(path, tree);
    if (byName.size === (here.length > 0 ? 1 : 0)) return [];
    const entries = pick(await readTree(tree), idBytes, byName);
    return [...byName].flatMap(([name, ways]) => {
      const entry: TreeFile | undefined = entries.get(name);
      if (entry === undefined) return [];
      for (const [path, names] of ways) if (names.length === 1) found.set(path, entry.id);
      const deeper = ways.filter(([, names]) => names.length > 1);
      return deeper.length === 0 || !isTree(entry)
        ? []
        : [{ tree: entry.id, rest: deeper.map(([path, names]) => [path, names.slice(1)] as const) }];
    });
  }

  async function resolve(names: readonly string[]): Promise<readonly (ObjectId | undefined)[]> {
    const parsed = names.map((name) => BELOW.exec(name));
    const byRoot = Map.groupBy(
      parsed.filter((match) => match !== null),
      ([, root = '']) => root,
    );
    const found = new Map<string, ReadonlyMap<string, ObjectId>>();
    for (const [root, matches] of byRoot)
      found.set(root, await below(root, [...new Set(matches.map(([, , path = '']) => path))]));
    const others = names.filter((_, index) => parsed[index] === null);
    const asked = others.every((name) => name === ABSENT) ? [] : await lookup.stat(others);
    let next = 0;
    return parsed.map((match) => {
      if (match === null) return asked[next++]?.id;
      return found.get(match[1] ?? '')?.get(match[2] ?? '');
    });
  }

  /** What is at hand, and what `ask` says of the others. */
  async function each(
    names: readonly (ObjectId | undefined)[],
    ask: (names: readonly string[]) => Promise<readonly (Found | undefined)[]>,
  ): Promise<readonly (Found | undefined)[]> {
    const here = names.map((name) => (name === undefined ? undefined : atHand(name)));
    const isAsked = names.map((name, index) => name !== undefined && name !== ABSENT && here[index] === undefined);
    const asked = names.flatMap((name, index) => (name !== undefined && isAsked[index] === true ? [name] : []));
    const found = asked.length === 0 ? [] : await ask(asked);
    let next = 0;
    return here.map((object, index) => (isAsked[index] === true ? found[next++] : object));
  }

  async function find(ids: readonly (ObjectId | undefined)[]): Promise<readonly (Found | undefined)[]> {
    return each(ids, async (names) => {
      const found = await lookup.read(names);
      // Not trees: what is only listed would take the place of those that paths lead through.
      for (const object of found) if (object?.kind === 'blob') keep(object);
      return found;
    });
  }

  return {
    lookup,
    idBytes,
    readTree,
    resolve,
    find,
    sizes: async (ids) => (await each(ids, (names) => lookup.stat(names))).map((object) => object?.size),
    keep,
    async readCommits(ids) {
      const unknown = [...new Set(ids)].filter((id) => !commits.has(id));
      const read = new Map<ObjectId, CommitNode>();
      for (const found of unknown.length === 0 ? [] : await lookup.read(unknown)) {
        if (found?.kind === 'commit') read.set(found.id, keepCommit(found.id, found.content, found.size));
      }
      return ids.map((id) => commits.get(id) ?? read.get(id));
    },
    async read(names) {
      const paths = names.filter((name) => BELOW.test(name));
      const found = paths.length === 0 ? [] : await resolve(paths);
      const ids = new Map(paths.map((path, index) => [path, found[index]]));
      return (await find(names.map((name) => (ids.has(name) ? ids.get(name) : name)))).map((object) => object?.content);
    },
    isAtHand: (id) => trees.has(id) || commits.has(id),
  };
}

/** What callers write for an object that there is none of. */
const ABSENT = '-';

/** Bytes that the name of a content and its place take, about. */
const OVERHEAD = 300;

/** Contents by id; what was asked for longest ago makes room. */
interface Shelf {
  has(id: ObjectId): boolean;
  get(id: ObjectId): Buffer | undefined;
  /** Keeps a copy, and returns it; what is too large is returned as it is. */
  keep(id: ObjectId, content: Uint8Array): Buffer;
}

/** `most`: bytes of all together; `largest`: of one. */
function createShelf(most: number, largest: number): Shelf {
  const contents = new Map<ObjectId, Buffer>();
  let held = 0;
  return {
    has: (id) => contents.has(id),
    get(id) {
      const known = contents.get(id);
      if (known === undefined) return undefined;
      contents.delete(id);
      contents.set(id, known);
      return known;
    },
    keep(id, content) {
      const known = contents.get(id);
      if (known !== undefined) return known;
      if (content.length > largest) return Buffer.from(content.buffer, content.byteOffset, content.length);
      // Of its own memory: a small part of a shared piece would hold all of that.
      const copy = Buffer.allocUnsafeSlow(content.length);
      copy.set(content);
      contents.set(id, copy);
      held += OVERHEAD + copy.length;
      for (const [oldest, bytes] of contents) {
        if (held <= most) break;
        contents.delete(oldest);
        held -= OVERHEAD + bytes.length;
      }
      return copy;
    },
  };
}

interface Way {
  readonly tree: ObjectId;
  readonly rest: readonly (readonly [path: string, names: readonly string[]])[];
}

/** `<id>:<path>`. */
const BELOW = /^([0-9a-f]{40}|[0-9a-f]{64}):(.*)$/s;

function missing(id: ObjectId): FlowError {
  return new FlowError('git-failed', `the tree ${id.slice(0, 10)} is missing from the repository`, {
    remedy: 'run `git fsck` in the workspace',
  });
}

/** What history is made of, from the bytes of a commit. */
export function parseCommit(content: Uint8Array): CommitNode {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const end = bytes.indexOf('\n\n');
  const text = bytes.toString('latin1', 0, end === -1 ? bytes.length : end + 1);
  // As git reads it: parents are those that follow the tree, and lines like them further down are text.
  const [, tree = '', parents = ''] = HEAD.exec(text) ?? [];
  const date = /\ncommitter [^\n]* (\d+) [+-]\d+\n/.exec(text)?.[1];
  return {
    tree,
    parents: parents
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice('parent '.length)),
    date: Number(date ?? 0),
  };
}

const HEAD = /^tree ([0-9a-f]{40}|[0-9a-f]{64})\n((?:parent (?:[0-9a-f]{64}|[0-9a-f]{40})\n)*)/;
