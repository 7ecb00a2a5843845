import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Sides } from './merge-text.ts';

/** The files in which git passes the sides of a merge to a driver; the result goes into `ours`. */
export interface DriverFiles {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

export function readSides({ base, ours, theirs }: DriverFiles): Sides {
  return { base: readFileSync(base), ours: readFileSync(ours), theirs: readFileSync(theirs) };
}

/** Git reads the file back by its name, so it is not replaced. */
export function writeMerged({ ours }: DriverFiles, merged: Uint8Array): void {
  writeFileSync(ours, merged);
}

/** A file of the work tree as it is before the merge; `undefined` where it is not there or is no text. */
export function textIn(top: string, path: string): string | undefined {
  try {
    return readFileSync(join(top, path), 'utf8');
  } catch {
    // A directory in its place, or none at all: either way there is no record.
    return undefined;
  }
}

/** Whether the work tree is being rebased: then git's two sides have changed places. */
export function isRebasing(top: string, env: NodeJS.ProcessEnv): boolean {
  const gitDirectory = resolve(top, env['GIT_DIR'] ?? linkedDirectory(top) ?? '.git');
  return ['rebase-merge', 'rebase-apply'].some((name) => existsSync(join(gitDirectory, name)));
}

/** A work tree beside another one names its git directory in a file. */
function linkedDirectory(top: string): string | undefined {
  return /^gitdir: (.+)$/m.exec(textIn(top, '.git') ?? '')?.[1];
}
