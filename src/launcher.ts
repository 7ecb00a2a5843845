import { existsSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How this installation of Baton is started, by absolute paths: a package of the whole machine, or a checkout. */
export const LAUNCHER = {
  node: process.execPath,
  script: fileURLToPath(new URL(`./bin${extname(import.meta.url)}`, import.meta.url)),
} as const;

/** The folder that Baton itself came in: a checkout, or an installed package. */
export function packageRoot(): string {
  let directory = dirname(LAUNCHER.script);
  while (!existsSync(join(directory, 'package.json'))) directory = resolve(directory, '..');
  return directory;
}
