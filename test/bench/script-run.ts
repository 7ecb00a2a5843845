import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from '../support/baton.ts';
import type { Run } from '../support/baton.ts';

/** Runs one of the scripts of this folder to its end, as npm does. */
export function script(name: string, ...words: readonly string[]): Promise<Run> {
  const file = fileURLToPath(new URL(name, import.meta.url));
  return new Promise((done) => {
    execFile(process.execPath, [file, ...words], { env: cleanEnvironment() }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}
