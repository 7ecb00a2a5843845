import { join } from 'node:path';
import type { ObjectId, RefUpdate } from '../../ports-git.ts';
import { createRefReader } from './local-refs.ts';
import { moveLooseRef } from './loose-ref.ts';

/**
 * Moves a ref that nobody but this node moves, and that has no log: without a process, which a step would wait for. Git does it where
 * the ref is not there yet, or is kept in another way than as a file, and says what is in the way.
 */
export function createOwnRef(
  { gitDir, objects }: { readonly gitDir: string; readonly objects: string },
  ref: string,
  byGit: (updates: readonly RefUpdate[]) => Promise<boolean>,
): (next: ObjectId) => Promise<void> {
  const refs = createRefReader(gitDir);
  const read = (): ObjectId | undefined => refs([ref])?.[0];
  const move = async (next: ObjectId): Promise<boolean> => {
    const from = read();
    try {
      return from !== undefined && (await moveLooseRef(join(gitDir, ref), { from, to: next }, read, objects));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      return false;
    }
  };
  return async (next) => {
    if (!(await move(next))) await byGit([{ ref, next }]);
  };
}
