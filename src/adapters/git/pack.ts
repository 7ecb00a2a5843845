import { createHash } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { ObjectId } from '../../ports-git.ts';
import { freshen, isAsWritten, isForAll, lookOf } from './loose.ts';
import type { GitObject, ObjectKind, Written } from './loose.ts';
import { plumb } from './run.ts';
import type { GitPlace } from './run.ts';

/** A pack that this process has had made. */
export interface OwnPack {
  readonly ids: ReadonlySet<ObjectId>;
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
  const hash = createHash(objects[0]?.id.length === 64 ? 'sha256' : 'sha1');
  for (const part of parts) hash.update(part);
  const input = Buffer.concat([...parts, hash.digest()]);
  const { stdout } = await plumb(place, ['index-pack', '--stdin'], { input });
  const [, checksum = ''] = stdout.toString('utf8').trim().split('\t');
  const names = ENDINGS.map((ending) => `pack-${checksum}${ending}`);
  const files = names.flatMap((name) => {
    const found = lstatSync(join(directory, 'pack', name), { throwIfNoEntry: false });
    return found === undefined ? [] : [[name, lookOf(found)] as const];
  });
  return { ids: new Set(objects.map(({ id }) => id)), files: new Map(files) };
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
 * share it, or when it is not there any more as it was made: then whatever of it lies there already is of no use, and does no harm.
 */
export function sharePack(from: string, to: string, { files }: OwnPack): boolean {
  const names = [...files.keys()];
  if (!names.some((name) => name.endsWith('.idx'))) return false;
  try {
    for (const [name, written] of files) {
      const there = lstatSync(join(from, 'pack', name));
      if (!isForAll(there) || !isAsWritten(there, written)) return false;
    }
    mkdirSync(join(to, 'pack'), { recursive: true });
    for (const name of names) linkSync(join(from, 'pack', name), join(to, 'pack', name));
    for (const name of names.filter((one) => one.endsWith('.pack'))) freshen(join(to, 'pack', name));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return false;
  }
}
