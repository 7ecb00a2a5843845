import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import type { ObjectId } from '../../ports-git.ts';
import { MOST_OF_ONE_BLOCK, asOneBlock, ofOneBlock } from './stored.ts';

export type ObjectKind = 'blob' | 'tree' | 'commit';

export interface GitObject {
  readonly kind: ObjectKind;
  readonly id: ObjectId;
  readonly content: Uint8Array;
}

/** Bytes of an object, and of many together, from which git moves them, in a pack. */
export const LARGEST = 4 * 2 ** 20;
export const LARGEST_TOGETHER = 24 * 2 ** 20;

/** Where a store keeps an object that is not packed. */
export const looseFile = (directory: string, id: ObjectId): string => join(directory, id.slice(0, 2), id.slice(2));

/** Whether an object lies there as a file with content; a loss of power leaves empty ones. */
export const isLoose = (directory: string, id: ObjectId): boolean =>
  (statSync(looseFile(directory, id), { throwIfNoEntry: false })?.size ?? 0) > 0;

/** Bytes of an object up to which it is stored as it is: most disks give a file a block of 4 KB in any case. */
const SMALL = 4_000;

/** An object as its loose file holds it. A tree is not packed either: its ids do not compress, and the next one will replace it. */
export function deflated({ kind, content }: Pick<GitObject, 'kind' | 'content'>): Buffer {
  const whole = Buffer.concat([Buffer.from(`${kind} ${content.length}\0`), content]);
  const most = kind === 'tree' ? MOST_OF_ONE_BLOCK : SMALL;
  return whole.length <= most ? asOneBlock(whole) : deflateSync(whole, { level: kind === 'tree' ? 0 : 1 });
}

/**
 * What a loose file holds of at most `LARGEST` bytes, unpacked; `undefined` for a larger one, and for what is no object. Its
 * id is not compared.
 */
export function inflated(bytes: Uint8Array): { readonly kind: ObjectKind; readonly content: Buffer } | undefined {
  let whole = ofOneBlock(bytes);
  try {
    const chunkSize = Math.min(16 * 1024, 256 + bytes.length * 4);
    whole ??= inflateSync(bytes, { maxOutputLength: LARGEST, chunkSize });
  } catch {
    return undefined;
  }
  const end = whole.indexOf(0);
  const [, kind, size] = /^(blob|tree|commit) (0|[1-9]\d*)$/.exec(whole.toString('latin1', 0, Math.max(0, end))) ?? [];
  const content = whole.subarray(end + 1);
  return kind === undefined || Number(size) !== content.length ? undefined : { kind: kind as ObjectKind, content };
}

/**
 * The bytes of a loose file; `undefined` when the object is packed or not there, and `unfit` for a file that holds more
 * than `LARGEST` bytes, or for something else in its place: that is not read.
 */
export function looseBytes(directory: string, id: ObjectId): Buffer | 'unfit' | undefined {
  let descriptor: number;
  try {
    // A pipe would be waited for.
    descriptor = openSync(looseFile(directory, id), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const found = fstatSync(descriptor);
    return found.isFile() && found.size <= LARGEST ? readWhole(descriptor, found.size) : 'unfit';
  } finally {
    closeSync(descriptor);
  }
}

/** At most so many bytes; a loose file never grows. */
function readWhole(descriptor: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let done = 0;
  while (done < size) {
    const read = readSync(descriptor, bytes, done, size - done, null);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

/** How a file looks that this process has written, as long as nobody else has touched it. */
export type Written = Pick<Stats, 'ino' | 'size' | 'mtimeMs'>;

export const lookOf = ({ ino, size, mtimeMs }: Stats): Written => ({ ino, size, mtimeMs });

export function isAsWritten(now: Stats, { ino, size, mtimeMs }: Written): boolean {
  return now.ino === ino && now.size === size && now.mtimeMs === mtimeMs;
}

/**
 * Puts an object into a store as a loose file, complete before it has its name, and returns how that looks. What is there already
 * stays: then nothing is known of it. But for a file that a loss of power has torn: who writes through it has what it should hold.
 */
export function putLoose(directory: string, id: ObjectId, bytesOf: () => Uint8Array): Written | undefined {
  const file = looseFile(directory, id);
  const there = statSync(file, { throwIfNoEntry: false });
  if (there !== undefined && isWhole(directory, id)) {
    freshen(file, there);
    return undefined;
  }
  const temporary = join(dirname(file), `tmp_obj_${randomBytes(6).toString('hex')}`);
  try {
    const written = writeNew(temporary, bytesOf);
    renameSync(temporary, file);
    return written;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function isWhole(directory: string, id: ObjectId): boolean {
  const bytes = looseBytes(directory, id);
  return bytes === 'unfit' || (bytes !== undefined && inflated(bytes) !== undefined);
}

/** Milliseconds for which a file counts as just made; what collects garbage gives an hour and more. */
const FRESH = 60_000;

/** Whatever collects garbage goes by age, and this is needed from now on. `there`: how the file looks. */
export function freshen(file: string, { mtimeMs }: Pick<Stats, 'mtimeMs'>): void {
  const now = new Date();
  if (Math.abs(now.getTime() - mtimeMs) > FRESH) utimesSync(file, now, now);
}

/** Git's cleaning takes away a directory that is empty, also one that was made just now. */
const ATTEMPTS = 6;

function writeNew(file: string, bytesOf: () => Uint8Array): Written {
  const bytes = bytesOf();
  for (let attempt = 1; ; attempt += 1) {
    let descriptor: number;
    try {
      descriptor = openSync(file, 'wx', 0o444);
    } catch (error) {
      if (attempt === ATTEMPTS || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(dirname(file), { recursive: true });
      continue;
    }
    try {
      writeFileSync(descriptor, bytes);
      return lookOf(fstatSync(descriptor));
    } finally {
      closeSync(descriptor);
    }
  }
}

/**
 * Puts an object of one store into another one as well: the same file where the two can share it, as `git clone` does on one
 * disk, and a new one otherwise. What is there already stays.
 */
export function shareLoose(from: string, to: string, id: ObjectId, bytesOf: () => Uint8Array): void {
  if (!linkLoose(from, to, id)) putLoose(to, id, bytesOf);
}

/**
 * False when there is no such loose file, or none that looks as it was `written`, when the two cannot share it, or when the other
 * one has it.
 */
export function linkLoose(from: string, to: string, id: ObjectId, written?: Written): boolean {
  const file = looseFile(to, id);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      // A link to somewhere else, a file of somebody else, and one that not everybody may read, are copied: a new file has the
      // group and the permissions of the place where it is made.
      const there = lstatSync(looseFile(from, id));
      if (!isForAll(there) || (written !== undefined && !isAsWritten(there, written))) return false;
      linkSync(looseFile(from, id), file);
      freshen(file, there);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
      // Either the one is not there, or the other's directory.
      mkdirSync(dirname(file), { recursive: true });
    }
  }
  return false;
}

const user = process.geteuid?.();

/** A plain file of this process's own user that everybody may read. */
export function isForAll(found: Stats): boolean {
  return found.isFile() && found.uid === user && (found.mode & 0o444) === 0o444;
}
