import { randomBytes } from 'node:crypto';
import { linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Nobody may write to a lock of ours, and its owner to every lock of git. */
const WRITABLE = 0o222n;

/**
 * Milliseconds for which one lock of ours stands before it counts as left by a node that was killed: git's own would stop
 * everybody for ever. Each who waits counts for itself, since clocks jump.
 */
const LEFT_BEHIND = 3_000;

export interface LockWatch {
  /** `left`: one of ours that has stood for too long; `gone`: none. */
  (lock: string): 'left' | 'held' | 'of git' | 'gone';
  /** Of the lock that was seen last. */
  inode(): bigint;
}

/** Looks at one lock again and again; a lock that was made anew counts from the beginning. */
export function createLockWatch(): LockWatch {
  let seen = '';
  let since = 0;
  let last = 0n;
  const watch = (lock: string): ReturnType<LockWatch> => {
    const found = statSync(lock, { throwIfNoEntry: false, bigint: true });
    if (found === undefined) return 'gone';
    const name = `${found.ino} ${found.mtimeNs}`;
    if (name !== seen) [seen, since] = [name, performance.now()];
    last = found.ino;
    if ((found.mode & WRITABLE) !== 0n) return 'of git';
    return performance.now() - since > LEFT_BEHIND ? 'left' : 'held';
  };
  return Object.assign(watch, { inode: () => last });
}

export function isLock(lock: string, inode: bigint): boolean {
  return statSync(lock, { throwIfNoEntry: false, bigint: true })?.ino === inode;
}

/** Takes a lock that was left out of the way: that one, and none that another has made meanwhile. */
export function takeAway(lock: string, inode: bigint, scratch: string): void {
  const aside = join(scratch, `tmp_lock_${randomBytes(6).toString('hex')}`);
  try {
    renameSync(lock, aside);
    if (!isLock(aside, inode)) linkSync(aside, lock);
  } catch (error) {
    // Another was faster, in taking it or in making a new one.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
