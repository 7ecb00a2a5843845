import type { TreeFile, TreeName } from '../../ports-git.ts';

/**
 * Trees as git stores them: entries of a mode, a name and an id in bytes, in the order of their names. Names are held
 * byte by byte (latin1), so that none is changed on its way through.
 */
export const TREE_MODE = '40000';

export const EMPTY_TREE = Buffer.alloc(0);

export const isTree = ({ mode }: TreeFile): boolean => mode === TREE_MODE;

/** The name of an entry as the strings of paths have it, and back. */
export const nameOf = (raw: string): string => Buffer.from(raw, 'latin1').toString('utf8');
export const rawName = (name: string): string => Buffer.from(name, 'utf8').toString('latin1');

type Visit = (start: number, nameStart: number, nameEnd: number) => void;

const MODES = new Map<string, string>();

/** Modes are numbers, and git knows five of them whatever else is written. */
function canonical(mode: string): string {
  const known = MODES.get(mode);
  if (known !== undefined) return known;
  const value = Number.parseInt(mode, 8);
  const kind = value & 0o170000;
  const plain = value & 0o100 ? '100755' : '100644';
  const found = kind === 0o100000 ? plain : kind === 0o120000 ? '120000' : kind === 0o040000 ? TREE_MODE : '160000';
  // Nobody may fill the memory with ways to write a mode.
  if (MODES.size < 100) MODES.set(mode, found);
  return found;
}

/**
 * Calls `visit` for every entry, by where it begins and where its name is; bytes that are no tree end it early. A tree may
 * hold ten thousand entries, of which few are asked for: so no text is made of any. `idBytes`: 20 or 32.
 */
function scan(tree: Buffer, idBytes: number, visit: Visit): void {
  const { length } = tree;
  for (let at = 0; at < length;) {
    let space = at;
    while (space < length && tree[space] !== 0x20) space += 1;
    let end = space;
    while (end < length && tree[end] !== 0) end += 1;
    if (end + idBytes >= length) return;
    visit(at, space + 1, end);
    at = end + 1 + idBytes;
  }
}

function fileAt(tree: Buffer, start: number, nameStart: number, nameEnd: number, idBytes: number): TreeFile {
  return {
    mode: canonical(tree.toString('latin1', start, nameStart - 1)),
    id: tree.toString('hex', nameEnd + 1, nameEnd + 1 + idBytes),
  };
}

/** Names by their length, so that most entries are passed over without a look at their bytes. */
function createMatcher(names: Iterable<string>): (tree: Buffer, start: number, end: number) => string | undefined {
  const byLength = Map.groupBy(names, (name) => name.length);
  return (tree, start, end) =>
    byLength.get(end - start)?.find((name) => {
      // Names in one directory mostly begin alike.
      for (let index = name.length - 1; index >= 0; index -= 1) {
        if (tree[start + index] !== name.charCodeAt(index)) return false;
      }
      return true;
    });
}

/** From so many names on, texts of all entries are the cheaper way. */
const MANY = 32;

function matcherOf(
  names: ReadonlyMap<string, unknown>,
): (tree: Buffer, start: number, end: number) => string | undefined {
  if (names.size < MANY) return createMatcher(names.keys());
  return (tree, start, end) => {
    const name = tree.toString('latin1', start, end);
    return names.has(name) ? name : undefined;
  };
}

/**
 * Bytes of a name, and of a path: no system opens what is longer. A thousand names that are much longer cost seconds, since
 * from some length on a text is put into a map by its length alone.
 */
export const LONGEST = 4096;

interface Entries {
  /** By their raw names. */
  readonly entries: ReadonlyMap<string, TreeFile>;
  /** Whether one name stands there twice, as git writes none and takes every one. */
  readonly hasNameTwice: boolean;
  /** Whether one is too long, and left out. */
  readonly isTooLong: boolean;
}

function readEntries(tree: Buffer, idBytes: number): Entries {
  const entries = new Map<string, TreeFile>();
  let count = 0;
  let isTooLong = false;
  scan(tree, idBytes, (start, from, to) => {
    if (to - from > LONGEST) {
      isTooLong = true;
      return;
    }
    count += 1;
    entries.set(tree.toString('latin1', from, to), fileAt(tree, start, from, to, idBytes));
  });
  return { entries, hasNameTwice: entries.size < count, isTooLong };
}

/** All entries by their raw names, but for those that are too long for any file. */
export function entriesOf(tree: Buffer, idBytes: number): ReadonlyMap<string, TreeFile> {
  return readEntries(tree, idBytes).entries;
}

/** All names as the strings of paths have them, in the order of the tree. */
export function namesIn(tree: Buffer, idBytes: number): readonly TreeName[] {
  const names: TreeName[] = [];
  scan(tree, idBytes, (start, from, to) => {
    const mode = canonical(tree.toString('latin1', start, from - 1));
    names.push({ name: tree.toString('utf8', from, to), isDirectory: mode === TREE_MODE });
  });
  return names;
}

/** Those entries that have one of these raw names. */
export function pick(
  tree: Buffer,
  idBytes: number,
  names: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, TreeFile> {
  const found = new Map<string, TreeFile>();
  const match = matcherOf(names);
  scan(tree, idBytes, (start, from, to) => {
    const name = match(tree, from, to);
    if (name !== undefined) found.set(name, fileAt(tree, start, from, to, idBytes));
  });
  return found;
}

export interface TreeDifferences {
  readonly changed: readonly (readonly [name: string, before: TreeFile | undefined, after: TreeFile | undefined])[];
  /** Whether what is new in the tree holds a name twice. */
  readonly hasNameTwice: boolean;
  /** Whether one of the two holds a name that is too long for any file, which is left out. */
  readonly isTooLong: boolean;
}

/** Where two trees differ, by raw name; what they begin and end with alike is not taken apart. */
export function differences(before: Buffer, after: Buffer, idBytes: number): TreeDifferences {
  const [left, right] = trimmed(before, after, idBytes);
  const { entries: old, isTooLong: wasTooLong } = readEntries(left, idBytes);
  const { entries: fresh, hasNameTwice, isTooLong } = readEntries(right, idBytes);
  const gone = [...old].filter(([name]) => !fresh.has(name)).map(([name, file]) => [name, file, undefined] as const);
  const other = [...fresh].flatMap(([name, file]) => {
    const known = old.get(name);
    return known?.id === file.id && known.mode === file.mode ? [] : [[name, known, file] as const];
  });
  return { changed: [...gone, ...other], hasNameTwice, isTooLong: isTooLong || wasTooLong };
}

/** Two trees without the entries that both begin with, and those that both end with. */
function trimmed(left: Buffer, right: Buffer, idBytes: number): readonly [Buffer, Buffer] {
  const start = entryBefore(left, commonLength(left, right, false), idBytes);
  const [a, b] = [left.subarray(start), right.subarray(start)];
  const same = commonLength(a, b, true);
  const [tail, otherTail] = [a, b].map((tree) => tree.length - entryFrom(tree, tree.length - same, idBytes));
  return tail === otherTail && tail !== undefined
    ? [a.subarray(0, a.length - tail), b.subarray(0, b.length - tail)]
    : [a, b];
}

/** Where the last entry begins that starts at `limit` or before. */
function entryBefore(tree: Buffer, limit: number, idBytes: number): number {
  let start = 0;
  for (let at = 0; at <= limit && at < tree.length; at = entryEnd(tree, at, idBytes)) start = at;
  return entryEnd(tree, start, idBytes) <= limit ? entryEnd(tree, start, idBytes) : start;
}

/** Where the first entry begins that starts at `limit` or after. */
function entryFrom(tree: Buffer, limit: number, idBytes: number): number {
  let at = 0;
  while (at < limit && at < tree.length) at = entryEnd(tree, at, idBytes);
  return Math.min(at, tree.length);
}

function entryEnd(tree: Buffer, start: number, idBytes: number): number {
  const end = tree.indexOf(0, start);
  return end < 0 ? tree.length : end + 1 + idBytes;
}

const BLOCK = 4096;

/** How many bytes are alike from the beginning, or from the end. */
function commonLength(left: Buffer, right: Buffer, fromEnd: boolean): number {
  const most = Math.min(left.length, right.length);
  const block = (buffer: Buffer, done: number, size: number): Buffer =>
    fromEnd ? buffer.subarray(buffer.length - done - size, buffer.length - done) : buffer.subarray(done, done + size);
  let done = 0;
  for (let size = BLOCK; size > 0 && done < most;) {
    const length = Math.min(size, most - done);
    if (block(left, done, length).equals(block(right, done, length))) done += length;
    else size = length === 1 ? 0 : Math.floor(length / 2);
  }
  return done;
}

/** The tree with these entries put in, or taken out where there is none; everything else is copied as it stands. */
export function spliced(tree: Buffer, changes: ReadonlyMap<string, TreeFile | undefined>, idBytes: number): Buffer {
  const fresh = [...changes]
    .flatMap(([name, file]) => (file === undefined ? [] : [{ key: sortKey(name, file.mode), bytes: raw(name, file) }]))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const match = matcherOf(changes);
  const parts: Buffer[] = [];
  let [copied, next] = [0, 0];
  scan(tree, idBytes, (start, from, to) => {
    for (let item = fresh[next]; item !== undefined && isAfter(tree, start, from, to, item.key); item = fresh[next]) {
      parts.push(tree.subarray(copied, start), item.bytes);
      copied = start;
      next += 1;
    }
    if (match(tree, from, to) === undefined) return;
    parts.push(tree.subarray(copied, start));
    copied = to + 1 + idBytes;
  });
  return Buffer.concat([...parts, tree.subarray(copied), ...fresh.slice(next).map(({ bytes }) => bytes)]);
}

/** Git sorts a directory as if its name ended in a slash. */
const sortKey = (name: string, mode: string): string => (mode === TREE_MODE ? `${name}/` : name);

/** Whether an entry sorts with the key or after it. */
function isAfter(tree: Buffer, start: number, nameStart: number, nameEnd: number, key: string): boolean {
  const length = nameEnd - nameStart;
  for (let index = 0; index < length && index < key.length; index += 1) {
    const difference = (tree[nameStart + index] ?? 0) - key.charCodeAt(index);
    if (difference !== 0) return difference > 0;
  }
  if (length >= key.length) return true;
  const isDirectory = canonical(tree.toString('latin1', start, nameStart - 1)) === TREE_MODE;
  // The slash that a directory ends in is all that is left of it.
  return (
    isDirectory && (0x2f > key.charCodeAt(length) || (0x2f === key.charCodeAt(length) && length + 1 >= key.length))
  );
}

const raw = (name: string, { mode, id }: TreeFile): Buffer =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(id, 'hex')]);
