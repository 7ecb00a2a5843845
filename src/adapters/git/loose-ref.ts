import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ObjectId } from '../../ports-git.ts';

/** Milliseconds between two looks at a lock that somebody else holds, and how many looks there are. */
const LOCKED = 15;
const LOOKS = 20;

/**
 * Git lets its owner write to a lock, and here nobody may. So one that a node left when it was killed is known, and does
 * not stop everybody for ever, as git's own would. Milliseconds after which it counts as left.
 */
const MODE = 0o444;
const WRITABLE = 0o222;
const LEFT_BEHIND = 3_000;

/**
 * Moves a ref from one commit to another as git itself does: whoever makes `<ref>.lock` may move it, and the lock becomes
 * the ref. `read` tells what the ref names now. False when it names something else, or is held by another for too long.
 * Throws what the file system says; then nothing has moved.
 */
export async function moveLooseRef(
  file: string,
  { from, to }: { readonly from: ObjectId; readonly to: ObjectId },
  read: () => ObjectId | undefined,
): Promise<boolean> {
  const lock = `${file}.lock`;
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = await takeLock(lock);
  if (descriptor === undefined) return false;
  let isHeld = true;
  try {
    try {
      writeSync(descriptor, `${to}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (read() !== from) return false;
    renameSync(lock, file);
    isHeld = false;
    return true;
  } catch (error) {
    // This process may have stood still for so long that another has taken the lock for one that was left.
    if (read() === to) return true;
    throw error;
  } finally {
    if (isHeld) rmSync(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<number | undefined> {
  for (let look = 1; ; look += 1) {
    try {
      return openSync(lock, 'wx', MODE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    // One of ours ends soon, or was left: so it is waited for, also where a clock has jumped.
    const isOurs = madeByUs(lock) !== undefined;
    if (isLeftBehind(lock) || (isOurs && look * LOCKED > LEFT_BEHIND)) rmSync(lock, { force: true });
    else if (!isOurs && look >= LOOKS) return undefined;
    else await wait(LOCKED);
  }
}

/** When a lock of ours was made; `undefined` for one of git, and for none. */
function madeByUs(lock: string): number | undefined {
  const found = statSync(lock, { throwIfNoEntry: false });
  return found === undefined || (found.mode & WRITABLE) !== 0 ? undefined : found.mtimeMs;
}

/** Whether a lock is one that a node of ours made, and left when it was killed. */
export function isLeftBehind(lock: string): boolean {
  const made = madeByUs(lock);
  return made !== undefined && Date.now() - made > LEFT_BEHIND;
}
