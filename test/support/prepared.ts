import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { keptFolder, testFolder } from './folders.ts';

/** What was made once and is kept for the tests of this file. */
const made: { remove(): void }[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) folder.remove();
});

/**
 * A folder of repositories that takes many processes to make: it is made once, and each test gets a copy of its own,
 * which lies elsewhere and names itself. `make` leaves nothing running in it. The answer fills the empty folder that it
 * is given, or one that goes with the test.
 */
export function prepared(name: string, make: (folder: string) => Promise<void>): (into?: string) => Promise<string> {
  let template: Promise<string> | undefined;
  const makeOnce = async (): Promise<string> => {
    const folder = keptFolder(name);
    made.push(folder);
    await make(folder.path);
    return folder.path;
  };
  return async (into) => {
    const from = await (template ??= makeOnce());
    const to = into ?? testFolder(name);
    cpSync(from, to, { recursive: true });
    for (const place of readdirSync(to)) rename(join(to, place), from, to);
    return to;
  };
}

/** Addresses of remotes are absolute, in git's own configuration and in Baton's. */
function rename(place: string, from: string, to: string): void {
  for (const file of ['baton.json', '.git/config']) {
    const path = join(place, file);
    if (existsSync(path)) writeFileSync(path, readFileSync(path, 'utf8').replaceAll(from, to));
  }
}
