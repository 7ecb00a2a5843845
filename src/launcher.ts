import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How this installation of Baton is started, by absolute paths: a package of the whole machine, or a checkout. */
export const LAUNCHER = {
  node: process.execPath,
  script: fileURLToPath(new URL(`./bin${extname(import.meta.url)}`, import.meta.url)),
} as const;
