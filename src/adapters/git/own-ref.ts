import { lstatSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FlowError } from '../../protocol/errors.ts';
import type { ObjectId, RefUpdate } from '../../ports-git.ts';
import { createRefReader } from './local-refs.ts';
import { moveLooseRef } from './loose-ref.ts';

/**
 * Moves a ref that nobody but this node moves, and that has no log: without a process, which a step would wait for. It is not forced to the
 * disk, as git forces none: what it names is not there either. Git does it where the ref is not there yet, or is kept in another
 * way than as a file, and says what is in the way.
 */
export function createOwnRef(
  { gitDir, objects }: { readonly gitDir: string; readonly objects: string },
  ref: string,
  byGit: (updates: readonly RefUpdate[]) => Promise<boolean>,
): (next: ObjectId) => Promise<void> {
  const refs = createRefReader(gitDir);
  const file = join(gitDir, ref);
  const read = (): ObjectId | undefined => refs([ref])?.[0];
  const move = async (next: ObjectId): Promise<boolean> => {
    const from = read();
    try {
      return from !== undefined && (await moveLooseRef(file, { from, to: next, isForced: false }, read, objects));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      return false;
    }
  };
  return async (next) => {
    if (await move(next)) return;
    if (isTorn(file)) rmSync(file);
    if (await byGit([{ ref, next }])) return;
    throw new FlowError('git-failed', `${ref} cannot be moved: what stands there is no ref`, {
      remedy: 'run `git fsck` in the workspace',
    });
  };
}

/** Whether a loss of power has left nothing of a ref but its name, or zeros: git moves none that it cannot read. */
function isTorn(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isFile() === true && /^\0*$/.test(readFileSync(file, 'latin1'));
}
