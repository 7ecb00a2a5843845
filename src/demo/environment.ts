import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The demo is the same whatever the caller has configured: only what processes need is passed on. */
export function demoEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(BATON_|AGENTTEAMS_|GIT_)/.test(name));
  return Object.fromEntries(kept);
}

/** The folder that Baton itself came in: a checkout, or an installed package. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = resolve(directory, '..');
  return directory;
}

export function isCheckout(): boolean {
  return existsSync(join(packageRoot(), '.git'));
}
