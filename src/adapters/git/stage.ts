import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IndexEntry } from '../../ports-git.ts';
import { FlowError } from '../../protocol/errors.ts';
import { UnusualIndex, edited } from './index-file.ts';
import { createLockWatch, takeAway } from './left-lock.ts';
import type { LockWatch } from './left-lock.ts';
import { plumb } from './run.ts';
import type { GitPlace } from './run.ts';
import type { Stillness } from './stillness.ts';

/** Where an index is. */
export interface IndexPlace {
  readonly file: string;
  /** The folder of the objects: git clears away there what is old and begins with `tmp_`, should we die before it is in place. */
  readonly objects: string;
  /** Of an id: 20 or 32. */
  readonly idBytes: number;
}

/**
 * Sets entries of an index, and leaves all others as they are; false when another git holds its lock. The file is edited
 * here, since every step has something for it; git does what it takes more for. `place` shows git no work tree.
 */
export function createStage(
  place: GitPlace,
  index: IndexPlace,
  noteOwn: Stillness['noteOwn'],
): (entries: readonly IndexEntry[]) => Promise<boolean> {
  const standing = createLockWatch();
  return async (entries) => {
    if (entries.length === 0) return true;
    try {
      const isHiding = entries.some((entry) => entry.id !== undefined && entry.hidden === true);
      if (!isHiding) return replace(index, { standing, noteOwn }, (content) => edited(content, entries, index.idBytes));
    } catch (error) {
      const isForGit = error instanceof UnusualIndex || (error as NodeJS.ErrnoException).syscall !== undefined;
      if (!isForGit) throw error;
    }
    return stageByGit(place, entries, index.idBytes);
  };
}

/**
 * Replaces a file as git does, whoever makes `<file>.lock` first: false when another has it, or has changed the file
 * meanwhile. The lock is there for no longer than it takes to rename it, so that a node that is killed hardly ever leaves it.
 */
function replace(
  { file, objects }: IndexPlace,
  { standing, noteOwn }: { readonly standing: LockWatch; readonly noteOwn: Stillness['noteOwn'] },
  edit: (content: Buffer) => Buffer | undefined,
): boolean {
  const lock = `${file}.lock`;
  const seen = statSync(file, { bigint: true });
  const content = edit(readFileSync(file));
  if (content === undefined) return true;
  const own = join(objects, `tmp_index_${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(own, content, { flag: 'wx', mode: 0o444 });
    if (standing(lock) === 'left') takeAway(lock, standing.inode(), objects);
    linkSync(own, lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
  const now = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (now?.ino !== seen.ino || now.mtimeNs !== seen.mtimeNs || now.size !== seen.size) {
    rmSync(lock, { force: true });
    return false;
  }
  renameSync(lock, file);
  chmodSync(file, Number(seen.mode) & 0o777);
  noteOwn(seen, statSync(file, { bigint: true }));
  return true;
}

async function stageByGit(place: GitPlace, entries: readonly IndexEntry[], idBytes: number): Promise<boolean> {
  const lines = entries.map((entry) =>
    entry.id === undefined
      ? `0 ${'0'.repeat(idBytes * 2)}\t${entry.path}\0`
      : `${entry.mode} ${entry.id}\t${entry.path}\0`,
  );
  const set = await updateIndex(place, ['-z', '--add', '--remove', '--replace', '--index-info'], lines.join(''));
  // The bit that says that the work tree leaves them out.
  const hidden = entries.flatMap((entry) =>
    entry.id !== undefined && entry.hidden === true ? [`${entry.path}\0`] : [],
  );
  return set && (hidden.length === 0 || updateIndex(place, ['--skip-worktree', '-z', '--stdin'], hidden.join('')));
}

async function updateIndex(place: GitPlace, flags: readonly string[], input: string): Promise<boolean> {
  const { code, stderr } = await plumb(place, ['update-index', ...flags], { input, codes: [0, 128] });
  if (code === 0) return true;
  if (/index\.lock|unable to (create|write)/i.test(stderr)) return false;
  throw new FlowError('git-failed', `git update-index failed: ${stderr.trim().slice(0, 400)}`, {
    remedy: 'run `git status` in the workspace and mend what it reports',
  });
}
