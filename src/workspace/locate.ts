import { existsSync, lstatSync, realpathSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest directory at or above `start` that holds `baton.json`; real path, so that two spellings are one workspace. */
export function findWorkspace(start: string): string | undefined {
  for (let directory = start; ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'baton.json'))) return realpathSync(directory);
    if (dirname(directory) === directory) return undefined;
  }
}

/**
 * Removes the socket file that a killed node left behind. Only for the holder of the workspace's lock, after nothing
 * answered on it. A file that is no socket is left alone: listening then fails with its own message.
 */
export function clearStaleSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() === true) unlinkSync(path);
}
