import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCheckout, packageRoot } from '../environment.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

/** Pinned, so that what went well yesterday meets the same homeserver today. */
const REQUIREMENT = 'matrix-synapse==1.163.2';
const INTERPRETERS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

/** The interpreter that has Synapse, or in one line why there is none. */
export type Installed = { readonly python: string } | { readonly missing: string };

/** Installs Synapse where `cacheFolder` says, unless it is there: half a minute once, then a fraction of a second. */
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
    execFile(interpreter, [join(HERE, 'install.py'), cacheFolder(), REQUIREMENT], (error, stdout, stderr) => {
      const reason = (stderr.trim().split('\n').at(-1) ?? '').slice(0, 300);
      if (error === null) done({ python: stdout.trim() });
      else done(error.code === 'ENOENT' ? undefined : { missing: reason === '' ? error.message : reason });
    });
  });
}

/** A checkout keeps it for itself; an installed Baton, whose own folder may not be the user's, where programs keep such. */
function cacheFolder(): string {
  if (isCheckout()) return join(packageRoot(), '.cache');
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'baton');
}
