import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { FlowError } from '../../protocol/errors.ts';
import { deflated, putLoose } from './loose.ts';
import type { GitObject, ObjectKind } from './loose.ts';
import { plumb } from './run.ts';
import type { GitPlace } from './run.ts';
import { createTurns } from './turns.ts';

/** Gives an object the id that git gives it. `idLength`: 40 or 64. */
export function identified(idLength: number, kind: ObjectKind, content: Uint8Array): GitObject {
  const hash = createHash(idLength === 64 ? 'sha256' : 'sha1');
  return { kind, content, id: hash.update(`${kind} ${content.length}\0`).update(content).digest('hex') };
}

/**
 * So many objects and more go into a pack of their own: git looks through thousands of loose files slowly. What a team does in a
 * moment stays below, since every other clone on the machine can share loose files and has to copy what is packed.
 */
export const PACK_FROM = 256;

/**
 * Writes objects into a repository's store as git does: few as loose files, each complete before it has its name, many
 * as one pack. What is there already stays. A process for each commit would cost more than the commit.
 */
export async function writeObjects(place: GitPlace, directory: string, objects: readonly GitObject[]): Promise<void> {
  const each = new Map(objects.map((object) => [object.id, object]));
  if (each.size >= PACK_FROM) return writePack(place, [...each.values()]);
  const turns = createTurns();
  for (const object of each.values()) {
    await turns();
    try {
      putLoose(directory, object.id, () => deflated(object));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new FlowError('git-failed', `an object of git cannot be written (${code})`, {
        remedy: code === 'ENOSPC' ? 'free some space on the disk' : 'check that .git/objects may be written to',
        cause: error,
      });
    }
  }
}

const PACK_TYPE: Readonly<Record<ObjectKind, number>> = { commit: 1, tree: 2, blob: 3 };

/** Git itself checks the pack, makes it durable and writes its index. Throws `git-failed`. */
export async function writePack(place: GitPlace, objects: readonly GitObject[]): Promise<void> {
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(objects.length, 8);
  const parts: Uint8Array[] = [head];
  for (const { kind, content } of objects)
    parts.push(entryHead(PACK_TYPE[kind], content.length), deflateSync(content, { level: 1 }));
  const hash = createHash(objects[0]?.id.length === 64 ? 'sha256' : 'sha1');
  for (const part of parts) hash.update(part);
  await plumb(place, ['index-pack', '--stdin'], { input: Buffer.concat([...parts, hash.digest()]) });
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
