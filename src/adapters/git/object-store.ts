import { createHash, hash } from 'node:crypto';
import type { ObjectId } from '../../ports-git.ts';
import { FlowError } from '../../protocol/errors.ts';
import { createPauses } from '../../pauses.ts';
import { deflated, putLoose } from './loose.ts';
import type { GitObject, ObjectKind, Written } from './loose.ts';
import { writePack } from './pack.ts';
import type { OwnPack } from './pack.ts';
import type { GitPlace } from './run.ts';

/** Bytes up to which an object is copied to be hashed at once. */
const SMALL = 64 * 1024;

/** Gives an object the id that git gives it. `idLength`: 40 or 64. */
export function identified(idLength: number, kind: ObjectKind, content: Uint8Array): GitObject {
  const algorithm = idLength === 64 ? 'sha256' : 'sha1';
  const head = `${kind} ${content.length}\0`;
  // To make a hash ready that takes its bytes in parts costs more than to hash a small object.
  const id =
    content.length <= SMALL
      ? hash(algorithm, Buffer.concat([Buffer.from(head), content]))
      : createHash(algorithm).update(head).update(content).digest('hex');
  return { kind, content, id };
}

/**
 * So many objects and more go into a pack of their own: git looks through thousands of loose files slowly. What a team does in a
 * moment stays below, since every other clone on the machine can share loose files and has to copy what is packed.
 */
export const PACK_FROM = 256;

/** What was written into a store, so that it can be told whether it still is what was written. */
export interface Stored {
  readonly pack?: OwnPack;
  readonly loose: ReadonlyMap<ObjectId, Written>;
}

/**
 * Writes objects into a repository's store as git does: few as loose files, each complete before it has its name, many
 * as one pack. What is there already stays. A process for each commit would cost more than the commit.
 */
export async function writeObjects(place: GitPlace, directory: string, objects: readonly GitObject[]): Promise<Stored> {
  const each = new Map(objects.map((object) => [object.id, object]));
  if (each.size >= PACK_FROM) return { pack: await writePack(place, directory, [...each.values()]), loose: new Map() };
  const loose = new Map<ObjectId, Written>();
  const pause = createPauses();
  for (const object of each.values()) {
    await pause();
    try {
      const written = putLoose(directory, object.id, () => deflated(object));
      if (written !== undefined) loose.set(object.id, written);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new FlowError('git-failed', `an object of git cannot be written (${code})`, {
        remedy: code === 'ENOSPC' ? 'free some space on the disk' : 'check that .git/objects may be written to',
        cause: error,
      });
    }
  }
  return { loose };
}
