import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { FlowError } from '../protocol/errors.ts';
import { acquireLock } from '../workspace/lock.ts';
import type { HeldLock } from '../workspace/lock.ts';

/** Tells a folder that a demo made from everything else. */
const MARK = '.baton-demo';
const MARK_TEXT = 'Made by `baton demo`, which makes it anew when it is run here again.\n';

/** All that a demo puts into its folder, and so all that the next one takes away. */
const OWN: ReadonlySet<string> = new Set([MARK, 'remote.git', 'lead', 'ana', 'bo', 'history', 'demo.log']);

/** Left behind by a demo that was killed; the lock itself knows whether its holder lives. */
const isLock = (name: string): boolean => name === 'node.lock' || name === 'node.lock.takeover';

/**
 * Makes `folder` ready for a demo and holds it until the lock is released: new, empty, or cleared of what an earlier
 * demo left. Nothing else is ever removed. Throws `already-exists` for any other folder, `locked` while a demo runs
 * there, and `bad-workspace` where nothing can be written.
 */
export function takeFolder(folder: string, since: string): HeldLock {
  const shown = pathFor(folder);
  const found = entriesOf(folder, shown);
  const isOwn = (name: string): boolean => isLock(name) || (found.includes(MARK) && OWN.has(name));
  const foreign = found.filter((name) => !isOwn(name));
  if (foreign.length > 0) {
    const names = foreign.slice(0, 3).join(', ');
    throw new FlowError(
      'already-exists',
      `${shown} holds what no demo has put there (${names}${foreign.length > 3 ? ', …' : ''})`,
      { remedy: 'name a new or empty folder with --dir, or move these files away' },
    );
  }
  return writing(shown, () => {
    mkdirSync(folder, { recursive: true });
    const lock = acquireLock(folder, { since });
    try {
      writeFileSync(join(folder, MARK), MARK_TEXT);
      for (const name of found) {
        if (name !== MARK && !isLock(name)) rmSync(join(folder, name), { recursive: true, force: true });
      }
      return lock;
    } catch (error) {
      lock.release();
      throw error;
    }
  });
}

/** As a person at the prompt would write it. */
export function pathFor(path: string): string {
  const below = relative(process.cwd(), path);
  return below.startsWith('..') ? path : below === '' ? '.' : below;
}

function entriesOf(folder: string, shown: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') {
      throw new FlowError('already-exists', `${shown} is not a folder`, { remedy: 'name a new folder with --dir' });
    }
    throw unwritable(shown, error);
  }
}

function writing<Value>(shown: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (error instanceof FlowError) throw error;
    throw unwritable(shown, error);
  }
}

function unwritable(shown: string, cause: unknown): FlowError {
  const { code } = cause as NodeJS.ErrnoException;
  return new FlowError('bad-workspace', `the demo cannot use the folder ${shown} (${code ?? String(cause)})`, {
    remedy: 'name a folder that you may write to with --dir',
    cause,
  });
}
