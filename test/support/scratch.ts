import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** Bytes of it, and of the machine's memory, from which a run does not come near the end of either. */
const ENOUGH = { folder: 2 * 2 ** 30, machine: 6 * 2 ** 30 };

/**
 * Files of a run lie in memory where there is enough of it: tests make and remove some hundred thousand, and a disk takes longer for
 * that than all else takes. `TMPDIR=/tmp npm test` runs on the disk.
 */
export function setup(): (() => void) | undefined {
  if (process.env['TMPDIR'] !== undefined || !hasRoom()) return undefined;
  const folder = mkdtempSync(join(MEMORY, 'b-'));
  // Some tests work as another user in it, as they may in any folder for temporary files.
  chmodSync(folder, 0o711);
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  if (!mayRunPrograms(folder)) {
    remove();
    return undefined;
  }
  process.env['TMPDIR'] = folder;
  return remove;
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ENOUGH.folder && process.availableMemory() >= ENOUGH.machine;
  } catch {
    // A system without it.
    return false;
  }
}

/** Containers often forbid it, and tests put programs of their own in the place of git. */
function mayRunPrograms(folder: string): boolean {
  const program = join(folder, 'try');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o700 });
  try {
    execFileSync(program);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(program);
  }
}
