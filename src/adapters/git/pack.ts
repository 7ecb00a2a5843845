import { createHash } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { ObjectId } from '../../ports-git.ts';
import { LARGEST_TOGETHER, freshen, isAsWritten, isForAll, lookOf } from './loose.ts';
import type { GitObject, ObjectKind, Written } from './loose.ts';
import { plumb } from './run.ts';
import type { GitPlace } from './run.ts';

/** A pack that this process has had made. */
export interface OwnPack {
  readonly ids: ReadonlySet<ObjectId>;
  /** Of its checksums. */
  readonly algorithm: 'sha1' | 'sha256';
  /** Its files as they looked then, in the order in which git writes them: by its index a pack is found. */
  readonly files: ReadonlyMap<string, Written>;
}

const PACK_TYPE: Readonly<Record<ObjectKind, number>> = { commit: 1, tree: 2, blob: 3 };

const ENDINGS = ['.pack', '.rev', '.idx'];

/** Has git make a pack in the store at `directory`: it checks it, makes it durable and writes its index. Throws `git-failed`. */
export async function writePack(place: GitPlace, directory: string, objects: readonly GitObject[]): Promise<OwnPack> {
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(objects.length, 8);
  const parts: Uint8Array[] = [head];
  for (const { kind, content } of objects)
    parts.push(entryHead(PACK_TYPE[kind], content.length), deflateSync(content, { level: 1 }));
  const algorithm = objects[0]?.id.length === 64 ? 'sha256' : 'sha1';
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  const input = Buffer.concat([...parts, hash.digest()]);
  const { stdout } = await plumb(place, ['index-pack', '--stdin'], { input });
  const [, checksum = ''] = stdout.toString('utf8').trim().split('\t');
  const names = ENDINGS.map((ending) => `pack-${checksum}${ending}`);
  const files = names.flatMap((name) => {
    const found = lstatSync(join(directory, 'pack', name), { throwIfNoEntry: false });
    return found === undefined ? [] : [[name, lookOf(found)] as const];
  });
  return { ids: new Set(objects.map(({ id }) => id)), algorithm, files: new Map(files) };
}

/** Type and size: four bits of the size in the first byte, seven in each that follows. */
function entryHead(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 0x0f)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(rest & 0x7f);
  }
  return Buffer.from(bytes);
}

/**
 * Puts a pack of one store into another one as well, as the same files, as `git clone` does on one disk. False when the two cannot
 * share it, or when it is not there any more as it was made; then nothing of it is left there.
 */
export function sharePack(from: string, to: string, { files, algorithm }: OwnPack): boolean {
  const made: string[] = [];
  try {
    if (![...files.keys()].some((name) => name.endsWith('.idx'))) return false;
    for (const [name, written] of files) if (!isWhole(join(from, 'pack', name), written, algorithm)) return false;
    mkdirSync(join(to, 'pack'), { recursive: true });
    for (const [name, written] of files) {
      const file = join(to, 'pack', name);
      linkSync(join(from, 'pack', name), file);
      made.push(file);
      if (name.endsWith('.pack')) freshen(file, written);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    for (const file of made) rmSync(file, { force: true });
    return false;
  }
}

/** Whether a file of a pack is as it was made: untouched, and what the checksum at its end is of. */
function isWhole(file: string, written: Written, algorithm: string): boolean {
  const there = lstatSync(file);
  if (!isForAll(there) || !isAsWritten(there, written) || there.size > LARGEST_TOGETHER) return false;
  const bytes = readFileSync(file);
  const end = algorithm === 'sha256' ? -32 : -20;
  return createHash(algorithm).update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end));
}
