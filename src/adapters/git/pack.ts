import { createHash } from 'node:crypto';
import { existsSync, linkSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { ObjectId } from '../../ports-git.ts';
import { freshen } from './loose.ts';
import type { GitObject, ObjectKind } from './loose.ts';
import { plumb } from './run.ts';
import type { GitPlace } from './run.ts';

/** A pack that this process has had made. */
export interface OwnPack {
  /** `pack-…`, without an ending. */
  readonly name: string;
  readonly ids: ReadonlySet<ObjectId>;
}

const PACK_TYPE: Readonly<Record<ObjectKind, number>> = { commit: 1, tree: 2, blob: 3 };

/** Git itself checks the pack, makes it durable and writes its index. Throws `git-failed`. */
export async function writePack(place: GitPlace, objects: readonly GitObject[]): Promise<OwnPack> {
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
  const [, name = ''] = stdout.toString('utf8').trim().split('\t');
  return { name: `pack-${name}`, ids: new Set(objects.map(({ id }) => id)) };
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

/** The files of a pack in the order in which git writes them: by its index it is found. */
const ENDINGS = ['.pack', '.rev', '.idx'];

/**
 * Puts a pack of one store into another one as well, as the same files, as `git clone` does on one disk. False when the two cannot
 * share it, or when it is gone: then whatever of it lies there already is of no use, and does no harm.
 */
export function sharePack(from: string, to: string, name: string): boolean {
  const [own, other] = [join(from, 'pack', name), join(to, 'pack', name)];
  try {
    const endings = ENDINGS.filter((ending) => ending !== '.rev' || existsSync(`${own}${ending}`));
    if (!endings.every((ending) => isForAll(`${own}${ending}`))) return false;
    mkdirSync(join(to, 'pack'), { recursive: true });
    for (const ending of endings) linkSync(`${own}${ending}`, `${other}${ending}`);
    freshen(`${other}.pack`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return false;
  }
}

/** A new file has the group and the permissions of the place where it is made; one that is shared has to be readable as it is. */
function isForAll(file: string): boolean {
  const found = lstatSync(file);
  return found.isFile() && found.uid === process.geteuid?.() && (found.mode & 0o444) === 0o444;
}
