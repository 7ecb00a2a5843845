import { createHash } from 'node:crypto';
import type { IndexEntry, ObjectId } from '../../ports-git.ts';
import { withoutTrees } from './cache-tree.ts';

/** Thrown for an index that is not plain, and for entries in each other's way: git's own commands know them all. */
export class UnusualIndex extends Error {}

/** Bytes of the header; of an entry before its mode and its id; of its flags. */
const HEAD = 12;
const MODE_AT = 24;
const ID_AT = 40;
const FLAGS = 2;

const EXTENDED = 0x4000;
const NAME_LENGTH = 0x0fff;

/**
 * An index (the bytes of git's file, version 2 or 3) with these entries set, and those without an id taken out; all others
 * are copied as they stand. The new ones carry no times, so that git compares their files once. `undefined` when nothing
 * changes. Throws `UnusualIndex`.
 */
export function edited(index: Buffer, edits: readonly IndexEntry[], idBytes: number): Buffer | undefined {
  const body = bodyOf(index, idBytes);
  const entries = createEntries(body, idBytes);
  const wanted = edits
    .map((edit) => ({ edit, name: Buffer.from(edit.path, 'utf8') }))
    .sort((a, b) => Buffer.compare(a.name, b.name));
  const removed = new Set(edits.filter(({ id }) => id === undefined).map(({ path }) => path));
  const parts: Buffer[] = [];
  let [copied, count] = [HEAD, entries.count];
  for (const { edit, name } of wanted) {
    const first = entries.atOrAfter(name);
    let end = first;
    // One of each side, where a merge left them.
    while (end < entries.count && entries.compare(end, name) === 0) end += 1;
    if (edit.id !== undefined) refuseInTheWay(entries, name, removed);
    const fresh = edit.id === undefined ? [] : [entryOf(name, edit, idBytes)];
    if (end - first === fresh.length && fresh.every((entry) => entries.isLike(first, entry))) continue;
    parts.push(body.subarray(copied, entries.start(first)), ...fresh);
    copied = entries.start(end);
    count += fresh.length - (end - first);
  }
  if (parts.length === 0) return undefined;
  const head = Buffer.from(body.subarray(0, HEAD));
  head.writeUInt32BE(count, 8);
  const after = entries.start(entries.count);
  const kept = extensions(
    body.subarray(after),
    wanted.map(({ name }) => name),
    idBytes,
  );
  const whole = Buffer.concat([head, ...parts, body.subarray(copied, after), ...kept]);
  return Buffer.concat([whole, digest(whole, idBytes)]);
}

/** Everything before the sum at the end, which git does not compare either. */
function bodyOf(index: Buffer, idBytes: number): Buffer {
  const body = index.subarray(0, Math.max(0, index.length - idBytes));
  const version = body.length < HEAD || body.toString('latin1', 0, 4) !== 'DIRC' ? 0 : body.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw new UnusualIndex('another version');
  return body;
}

const digest = (bytes: Buffer, idBytes: number): Buffer =>
  createHash(idBytes === 32 ? 'sha256' : 'sha1')
    .update(bytes)
    .digest();

interface Entries {
  readonly count: number;
  /** Where an entry begins; of the one after the last, where the last one ends. */
  start(number: number): number;
  /** How a name sorts against the entry's: below zero, zero, above. */
  compare(number: number, name: Buffer): number;
  startsWith(number: number, prefix: Buffer): boolean;
  name(number: number): string;
  /** The first entry whose name is not before this one. */
  atOrAfter(name: Buffer): number;
  /** Whether it has the mode, the id and the flags of another one. */
  isLike(number: number, entry: Buffer): boolean;
}

function createEntries(body: Buffer, idBytes: number): Entries {
  const flagsAt = ID_AT + idBytes;
  const count = body.readUInt32BE(8);
  const starts = new Uint32Array(count + 1);
  const names = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let at = HEAD;
  for (let number = 0; number < count; number += 1) {
    if (at + flagsAt + FLAGS > body.length) throw new UnusualIndex('an entry that is cut off');
    const flags = body.readUInt16BE(at + flagsAt);
    const nameAt = at + flagsAt + FLAGS + ((flags & EXTENDED) === 0 ? 0 : FLAGS);
    const told = flags & NAME_LENGTH;
    const nameEnd = told < NAME_LENGTH ? nameAt + told : body.indexOf(0, nameAt);
    if (nameEnd < nameAt) throw new UnusualIndex('a name without an end');
    [starts[number], names[number], ends[number]] = [at, nameAt, nameEnd];
    at += padded(nameEnd - at);
  }
  if (at > body.length) throw new UnusualIndex('an entry that is cut off');
  starts[count] = at;
  const start = (number: number): number => starts[number] ?? at;
  const compare = (number: number, name: Buffer): number => name.compare(body, names[number] ?? 0, ends[number] ?? 0);
  return {
    count,
    start,
    compare,
    startsWith: (number, prefix) =>
      body
        .subarray(names[number] ?? 0, Math.min(ends[number] ?? 0, (names[number] ?? 0) + prefix.length))
        .equals(prefix),
    name: (number) => body.toString('utf8', names[number] ?? 0, ends[number] ?? 0),
    atOrAfter(name) {
      let [low, high] = [0, count];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (compare(middle, name) > 0) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    isLike: (number, entry) =>
      entry.compare(body, start(number) + MODE_AT, start(number) + MODE_AT + 4, MODE_AT, MODE_AT + 4) === 0 &&
      entry.compare(body, start(number) + ID_AT, start(number) + flagsAt + FLAGS, ID_AT, flagsAt + FLAGS) === 0,
  };
}

/** At least one NUL, up to a multiple of eight. */
const padded = (length: number): number => (length + 8) & ~7;

function entryOf(name: Buffer, edit: Extract<IndexEntry, { id: ObjectId }>, idBytes: number): Buffer {
  const nameAt = ID_AT + idBytes + FLAGS;
  const entry = Buffer.alloc(padded(nameAt + name.length));
  entry.writeUInt32BE(Number.parseInt(edit.mode, 8), MODE_AT);
  entry.write(edit.id, ID_AT, 'hex');
  entry.writeUInt16BE(Math.min(name.length, NAME_LENGTH), ID_AT + idBytes);
  name.copy(entry, nameAt);
  return entry;
}

/** A file cannot be where a directory is, nor the other way round; git knows which of them goes. */
function refuseInTheWay(entries: Entries, name: Buffer, removed: ReadonlySet<string>): void {
  for (let slash = name.indexOf(0x2f); slash > 0; slash = name.indexOf(0x2f, slash + 1)) {
    const above = name.subarray(0, slash);
    const found = entries.atOrAfter(above);
    if (found < entries.count && entries.compare(found, above) === 0 && !removed.has(entries.name(found)))
      throw new UnusualIndex('a file where a directory is to be');
  }
  const below = Buffer.concat([name, Buffer.from('/')]);
  for (let found = entries.atOrAfter(below); found < entries.count && entries.startsWith(found, below); found += 1) {
    if (!removed.has(entries.name(found))) throw new UnusualIndex('a directory where a file is to be');
  }
}

/** What speaks of places in the file, or of a work tree as it was. Git makes each anew when it wants it. */
const DROPPED: ReadonlySet<string> = new Set(['EOIE', 'IEOT', 'UNTR', 'FSMN', 'REUC']);

function extensions(rest: Buffer, names: readonly Buffer[], idBytes: number): readonly Buffer[] {
  const kept: Buffer[] = [];
  for (let at = 0; at < rest.length;) {
    const size = at + 8 > rest.length ? rest.length : rest.readUInt32BE(at + 4);
    const end = at + 8 + size;
    if (end > rest.length) throw new UnusualIndex('an extension that is cut off');
    const signature = rest.toString('latin1', at, at + 4);
    if (signature === 'TREE') {
      const trees = withoutTrees(rest.subarray(at + 8, end), names, idBytes);
      const head = Buffer.alloc(8);
      head.write('TREE', 'latin1');
      head.writeUInt32BE(trees.length, 4);
      kept.push(head, trees);
    } else if (!DROPPED.has(signature)) throw new UnusualIndex(`the extension ${signature}`);
    at = end;
  }
  return kept;
}
