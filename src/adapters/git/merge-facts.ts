import { isolatedEnvironment } from './environment.ts';
import { ask } from './run.ts';
import type { GitPlace } from './run.ts';

/** The clone's own setting of a key; `undefined` when it has none. */
export async function settingOf(place: GitPlace, key: string): Promise<string | undefined> {
  const value = await ask(place, ['config', '--local', '--get', key], { codes: [0, 1] });
  return value === '' ? undefined : value;
}

/** What the clone in `dir` says about merging, without the person's own configuration (`MergeFacts`). */
export function createMergeFacts(dir: string, env: NodeJS.ProcessEnv) {
  const place: GitPlace = { cwd: dir, env: isolatedEnvironment(env, []) };
  return {
    setting: (key: string) => settingOf(place, key),
    async driverOf(path: string): Promise<string | undefined> {
      const found = await ask(place, ['check-attr', '-z', 'merge', '--', path]);
      const [, , value] = found.split('\0');
      return value === 'unspecified' ? undefined : value;
    },
  };
}
