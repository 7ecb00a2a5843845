import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TEMP_PREFIX, errorCode } from './safe-path.ts';

let written = 0;

/**
 * Replaces a file so that a reader, and a machine that loses power, meets the old bytes or the new ones and nothing
 * between: a temp file in the same directory, fsync, rename, fsync of the directory. Makes the directories it needs.
 */
export function writeAtomically(file: string, bytes: Uint8Array, mode = 0o666): void {
  const directory = dirname(file);
  const made = replace(file, bytes, { mode, sync: true });
  syncDirectory(directory);
  // A new directory is only durable once the one that names it is.
  if (made !== undefined) for (let at = directory; at !== dirname(made); at = dirname(at)) syncDirectory(dirname(at));
}

/** As `writeAtomically` for every reader; what a loss of power leaves is only sure after `makeDurable`. */
export function replaceFile(file: string, bytes: Uint8Array): void {
  replace(file, bytes, { mode: 0o666, sync: false });
}

/** Returns the topmost directory that had to be made. */
function replace(
  file: string,
  bytes: Uint8Array,
  { mode, sync }: { readonly mode: number; readonly sync: boolean },
): string | undefined {
  const directory = dirname(file);
  const { descriptor, temp, made } = openTempIn(directory, mode);
  try {
    try {
      writeWhole(descriptor, bytes);
      if (sync) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temp, file);
  } catch (error) {
    unlinkSync(temp);
    throw error;
  }
  return made;
}

/** How many files are made durable at the same time; the system joins what it is asked together. */
const AT_ONCE = 16;

/** Makes files below `root` durable that were written or removed by now, with the directories that name them. */
export async function makeDurable(root: string, files: readonly string[]): Promise<void> {
  const directories = new Set<string>();
  for (const file of files) {
    for (let at = dirname(file); at.startsWith(root); at = dirname(at)) {
      if (directories.has(at)) break;
      directories.add(at);
    }
  }
  const targets = [...files, ...directories];
  const work = async (): Promise<void> => {
    for (let next = targets.pop(); next !== undefined; next = targets.pop()) await syncPath(next);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, targets.length) }, work));
}

/** What is gone meanwhile, or may not be opened as a directory may not on some systems, has nothing to make durable. */
async function syncPath(path: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM', 'EACCES'].includes(errorCode(error))) return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes until every byte is taken: one call may take fewer. */
export function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

/** Makes renames and new names in a directory durable, where the system lets directories be opened. */
function syncDirectory(directory: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(directory, 'r');
  } catch (error) {
    if (['EISDIR', 'EPERM', 'EACCES'].includes(errorCode(error))) return;
    throw error;
  }
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the directory only where it is not there, as it mostly is. */
function openTempIn(directory: string, mode: number): ReturnType<typeof openTemp> & { readonly made?: string } {
  try {
    return openTemp(directory, mode);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    const made = mkdirSync(directory, { recursive: true });
    return { ...openTemp(directory, mode), ...(made === undefined ? {} : { made }) };
  }
}

/** A name that no other process picks; one that a killed process of the same id left behind is passed over. */
function openTemp(directory: string, mode: number): { readonly descriptor: number; readonly temp: string } {
  for (;;) {
    written += 1;
    const temp = join(directory, `${TEMP_PREFIX}${process.pid}-${written}`);
    try {
      return { descriptor: openSync(temp, 'wx', mode), temp };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}
