import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ObjectId } from '../../ports-git.ts';
import { createLockWatch, isLock, takeAway } from './left-lock.ts';

/** Milliseconds between two looks at a lock that somebody else holds, and how many looks there are at one of git. */
const LOCKED = 15;
const LOOKS = 20;
/** Milliseconds after which whoever waits for others gives up. */
const LONGEST = 15_000;

/** Git lets its owner write to a lock, and here nobody may: that is how ours is known. */
const MODE = 0o444;

/**
 * Moves a ref from one commit to another as git itself does: whoever makes `<ref>.lock` may move it, and the lock becomes
 * the ref. `read` tells what the ref names now; `scratch` is a folder of the same file system for what is not ready. `isForced`:
 * whether what it names now is on the disk before it is moved. False when it names something else, or is held by another for too
 * long. Throws what the file system says; then nothing has moved.
 */
export async function moveLooseRef(
  file: string,
  { from, to, isForced }: { readonly from: ObjectId; readonly to: ObjectId; readonly isForced: boolean },
  read: () => ObjectId | undefined,
  scratch: string,
): Promise<boolean> {
  const lock = `${file}.lock`;
  // Git clears away what begins like this, should we die here.
  const own = join(scratch, `tmp_ref_${randomBytes(6).toString('hex')}`);
  try {
    const inode = writeWhole(own, `${to}\n`, isForced);
    if (!(await takeLock(lock, own, scratch))) return false;
    try {
      // Another may have taken the lock for one that was left, since this process stood still.
      if (read() === from && isLock(lock, inode)) renameSync(lock, file);
      return read() === to;
    } catch (error) {
      if (read() === to) return true;
      throw error;
    } finally {
      if (isLock(lock, inode)) rmSync(lock, { force: true });
    }
  } finally {
    rmSync(own, { force: true });
  }
}

function writeWhole(file: string, content: string, isForced: boolean): bigint {
  const descriptor = openSync(file, 'wx', MODE);
  try {
    writeFileSync(descriptor, content);
    if (isForced) fsyncSync(descriptor);
    return fstatSync(descriptor, { bigint: true }).ino;
  } finally {
    closeSync(descriptor);
  }
}

async function takeLock(lock: string, own: string, scratch: string): Promise<boolean> {
  const begun = performance.now();
  const standing = createLockWatch();
  for (let looks = 0, times = 0; performance.now() - begun < LONGEST; times += 1) {
    // A lock is as old as its name: one that has waited for others is not.
    const now = new Date();
    if (times > 0) utimesSync(own, now, now);
    try {
      linkSync(own, lock);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && times === 0) {
        mkdirSync(dirname(lock), { recursive: true });
        continue;
      }
      if (code !== 'EEXIST') throw error;
    }
    const found = standing(lock);
    if (found === 'left') takeAway(lock, standing.inode(), scratch);
    else if (found === 'of git' && (looks += 1) >= LOOKS) return false;
    else await wait(LOCKED);
  }
  return false;
}
