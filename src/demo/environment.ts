import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../launcher.ts';

/** The demo is the same whatever the caller has configured: only what processes need is passed on. */
export function demoEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(BATON_|AGENTTEAMS_|GIT_)/.test(name));
  return Object.fromEntries(kept);
}

export function isCheckout(): boolean {
  return existsSync(join(packageRoot(), '.git'));
}
