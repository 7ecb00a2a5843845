import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../../.config/build.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(CHECKOUT, '.cache/program');

/** The program under test, built as it is installed. It lies in the checkout, where it finds what a checkout has. */
export const BATON = join(FOLDER, 'bin.js');

/** Builds it, where something of it has changed since. */
export async function setup(): Promise<void> {
  const sources = globSync(['src/**/*.{ts,py}', '.config/*.ts', 'package-lock.json'], { cwd: CHECKOUT });
  const changed = Math.max(...sources.map((file) => statSync(join(CHECKOUT, file)).mtimeMs));
  const built = statSync(BATON, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changed >= built) await buildProgram(FOLDER);
}
