import { execFile } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const CACHE = resolve(HERE, '../../../.cache');

/** Pinned, so that a test that passed yesterday meets the same homeserver today. */
const REQUIREMENT = 'matrix-synapse==1.163.2';
const INTERPRETERS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

/** The interpreter that has Synapse, or in one line why there is none. */
export type Installed = { readonly python: string } | { readonly missing: string };

/** Installs Synapse under `.cache/` unless it is there: half a minute once, then a fraction of a second. */
export async function installSynapse(): Promise<Installed> {
  let missing = 'no python3 on this machine';
  for (const interpreter of INTERPRETERS) {
    const outcome = await runInstaller(interpreter);
    if (outcome === undefined) continue;
    if ('python' in outcome) return outcome;
    missing = outcome.missing;
    // Another version may do where this one is too old; whatever else went wrong would go wrong again.
    if (!missing.includes('needs Python')) break;
  }
  return { missing };
}

/** `undefined` when there is no such interpreter. */
function runInstaller(interpreter: string): Promise<Installed | undefined> {
  return new Promise((done) => {
    execFile(interpreter, [join(HERE, 'install.py'), CACHE, REQUIREMENT], (error, stdout, stderr) => {
      const reason = (stderr.trim().split('\n').at(-1) ?? '').slice(0, 300);
      if (error === null) done({ python: stdout.trim() });
      else done(error.code === 'ENOENT' ? undefined : { missing: reason === '' ? error.message : reason });
    });
  });
}
