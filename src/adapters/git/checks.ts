import { join } from 'node:path';
import type { ConfigEntry } from './environment.ts';
import { stampOf } from './file-stamp.ts';
import { fields, plumb } from './run.ts';
import type { GitPlace } from './run.ts';

/** What a clone's own configuration says of how git is to check what a fetch brings. */
export interface Checks {
  /** Whether it wants that at all. */
  readonly wanted: boolean;
  readonly settings: readonly ConfigEntry[];
}

/**
 * Asks a clone for its checks; `configs` are the files that say so, and git is asked again when one of them has changed. They
 * name no command, so that they are taken over from a clone in which nothing else counts.
 */
export function createChecks(clone: GitPlace, configs: readonly string[]): () => Promise<Checks> {
  let seen: string | undefined;
  let checks: Checks = { wanted: false, settings: [] };
  return async () => {
    const stamp = configs.map(stampOf).join(' ');
    if (stamp === seen) return checks;
    const asked = ['config', '-z', '--get-regexp', '^(fetch|transfer)\\.fsck'];
    const { stdout } = await plumb(clone, asked, { codes: [0, 1] });
    const settings = fields(stdout).map((line): ConfigEntry => {
      const end = line.indexOf('\n');
      // A key without a value is a yes.
      return end < 0 ? [line, 'true'] : [line.slice(0, end), line.slice(end + 1)];
    });
    checks = { wanted: settings.some(([key, value]) => key.endsWith('.fsckobjects') && !NO.test(value)), settings };
    seen = stamp;
    return checks;
  };
}

const NO = /^(?:false|no|off|0*)$/i;

/** Where the settings of a clone stand: of all its work trees, and of the one at hand. */
export const configsOf = (gitDirectory: string, commonDirectory: string): readonly string[] => [
  join(commonDirectory, 'config'),
  join(gitDirectory, 'config.worktree'),
];
