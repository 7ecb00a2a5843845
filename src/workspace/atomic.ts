import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TEMP_PREFIX, errorCode } from './safe-path.ts';

let written = 0;

/**
 * Replaces a file so that a reader, and a machine that loses power, meets the old bytes or the new ones and nothing
 * between: a temp file in the same directory, fsync, rename, fsync of the directory. Makes the directories it needs.
 */
export function writeAtomically(file: string, bytes: Uint8Array, mode = 0o666): void {
  const directory = dirname(file);
  const made = mkdirSync(directory, { recursive: true });
  const { descriptor, temp } = openTemp(directory, mode);
  try {
    try {
      writeWhole(descriptor, bytes);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temp, file);
  } catch (error) {
    unlinkSync(temp);
    throw error;
  }
  syncDirectory(directory);
  // A new directory is only durable once the one that names it is.
  if (made !== undefined) for (let at = directory; at !== dirname(made); at = dirname(at)) syncDirectory(dirname(at));
}

/** Writes until every byte is taken: one call may take fewer. */
export function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

/** Makes renames and new names in a directory durable, where the system lets directories be opened. */
export function syncDirectory(directory: string): void {
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
