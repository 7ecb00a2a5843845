import type { TreeFile } from '../../ports-git.ts';

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

type Visit = (name: string, mode: string, start: number, end: number) => void;

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

/** Calls `visit` for every entry; bytes that are no tree end it early. `idBytes`: 20 or 32. */
function scan(tree: Buffer, idBytes: number, visit: Visit): void {
  for (let at = 0; at < tree.length;) {
    const space = tree.indexOf(0x20, at);
    const end = space < 0 ? -1 : tree.indexOf(0, space);
    if (end < 0 || end + idBytes > tree.length - 1) return;
    const next = end + 1 + idBytes;
    visit(tree.toString('latin1', space + 1, end), canonical(tree.toString('latin1', at, space)), at, next);
    at = next;
  }
}

const fileAt = (tree: Buffer, mode: string, end: number, idBytes: number): TreeFile => ({
  mode,
  id: tree.toString('hex', end - idBytes, end),
});

/** All entries by their raw names. */
export function entriesOf(tree: Buffer, idBytes: number): ReadonlyMap<string, TreeFile> {
  const entries = new Map<string, TreeFile>();
  scan(tree, idBytes, (name, mode, _, end) => entries.set(name, fileAt(tree, mode, end, idBytes)));
  return entries;
}

/** Those entries that have one of these raw names. */
export function pick(
  tree: Buffer,
  idBytes: number,
  names: { has(name: string): boolean },
): ReadonlyMap<string, TreeFile> {
  const found = new Map<string, TreeFile>();
  scan(tree, idBytes, (name, mode, _, end) => {
    if (names.has(name)) found.set(name, fileAt(tree, mode, end, idBytes));
  });
  return found;
}

/** Where two trees differ, by raw name; what they begin and end with alike is not taken apart. */
export function differences(
  before: Buffer,
  after: Buffer,
  idBytes: number,
): readonly (readonly [name: string, before: TreeFile | undefined, after: TreeFile | undefined])[] {
  const [left, right] = trimmed(before, after, idBytes);
  const [old, fresh] = [entriesOf(left, idBytes), entriesOf(right, idBytes)];
  const gone = [...old].filter(([name]) => !fresh.has(name)).map(([name, file]) => [name, file, undefined] as const);
  const other = [...fresh].flatMap(([name, file]) => {
    const known = old.get(name);
    return known?.id === file.id && known.mode === file.mode ? [] : [[name, known, file] as const];
  });
  return [...gone, ...other];
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
  const parts: Buffer[] = [];
  let [copied, next] = [0, 0];
  scan(tree, idBytes, (name, mode, start, end) => {
    const key = sortKey(name, mode);
    for (let item = fresh[next]; item !== undefined && item.key <= key; item = fresh[next]) {
      parts.push(tree.subarray(copied, start), item.bytes);
      copied = start;
      next += 1;
    }
    if (!changes.has(name)) return;
    parts.push(tree.subarray(copied, start));
    copied = end;
  });
  return Buffer.concat([...parts, tree.subarray(copied), ...fresh.slice(next).map(({ bytes }) => bytes)]);
}

/** Git sorts a directory as if its name ended in a slash. */
const sortKey = (name: string, mode: string): string => (mode === TREE_MODE ? `${name}/` : name);

const raw = (name: string, { mode, id }: TreeFile): Buffer =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(id, 'hex')]);
