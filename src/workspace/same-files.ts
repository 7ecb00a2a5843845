import type { Log, SameFiles } from '../ports.ts';
import { openDerivedFile } from './derived-file.ts';

/** The form of the file; one of another form is made anew. */
const SCHEMA = 1;

/** Fewer files are read again sooner than a file with all of them is written. */
const WORTH = 1_000;

/** `directory`: the `.baton` with `same-files.json`, which may be deleted or damaged; without one, nothing outlives the process. */
export function createSameFiles(directory?: string, log?: Pick<Log, 'warn'>): SameFiles {
  const file = directory === undefined ? undefined : openDerivedFile(directory, 'same-files', SCHEMA);
  const known = new Map<string, string>();
  let isRecalled = false;
  /** How often one was read and noted since the file was written. */
  let fresh = 0;
  return {
    has: (path, seen) => known.get(path) === seen,
    note(path, seen) {
      known.set(path, seen);
      fresh += 1;
    },
    forget: (path) => known.delete(path),
    recall() {
      if (isRecalled) return;
      isRecalled = true;
      const found = file?.load();
      for (const entry of Array.isArray(found) ? (found as readonly unknown[]) : []) {
        const [path, seen] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
        if (typeof path === 'string' && typeof seen === 'string' && !known.has(path)) known.set(path, seen);
      }
    },
    keep(paths) {
      for (const path of known.keys()) if (!paths.has(path)) known.delete(path);
      if (file === undefined || Math.min(fresh, known.size) < WORTH) return;
      try {
        file.write([...known]);
        fresh = 0;
      } catch (error) {
        log?.warn(
          { error: String(error) },
          'which files are as committed could not be kept; the next start reads more of them',
        );
      }
    },
  };
}
