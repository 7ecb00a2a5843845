import type { ObjectId } from '../../ports-git.ts';
import { importUserConfig, isolatedEnvironment } from './environment.ts';
import { createGit } from './git.ts';
import { checkRefName } from './names.ts';
import { settingOf } from './merge-facts.ts';
import { demand, ordinary, plumb } from './run.ts';
import type { GitPlace } from './run.ts';
import { addRemote, configuredAuthor, initBare, initRepository } from './setup.ts';
import { writeSparsePatterns } from './sparse.ts';

/** Git for `baton init` (`SetupGit` of services/init-start.ts), isolated as everywhere (quality.md S3). */
export function createWorkspaceGit(env: NodeJS.ProcessEnv) {
  const placeAt = async (cwd: string): Promise<GitPlace> => ({
    cwd,
    env: isolatedEnvironment(env, await importUserConfig(env)),
  });
  return {
    open: (dir: string) => createGit({ dir, env }),
    initRepository,
    initBare,
    addRemote,
    author: () => configuredAuthor(env),
    async topLevel(dir: string): Promise<string | undefined> {
      const { code, stdout } = await ordinary(await placeAt(dir), ['rev-parse', '--show-toplevel']);
      return code === 0 ? stdout.toString('utf8').trimEnd() : undefined;
    },
    async origin(dir: string): Promise<string | undefined> {
      const { code, stdout } = await ordinary(await placeAt(dir), ['remote', 'get-url', 'origin']);
      return code === 0 ? stdout.toString('utf8').trimEnd() : undefined;
    },
    async checkOut(dir: string, branch: string, commit: ObjectId): Promise<readonly string[]> {
      const command = ['checkout', '--quiet', '-B', checkRefName(branch), commit, '--'];
      const { code, stderr } = await plumb(await placeAt(dir), command, { codes: [0, 1] });
      return code === 0 ? [] : filesInTheWay(stderr);
    },
    async makeSparse(dir: string, folders: readonly string[]): Promise<void> {
      const place = await placeAt(dir);
      const gitDir = await demand(place, ['rev-parse', '--absolute-git-dir']);
      writeSparsePatterns(gitDir, folders);
      for (const [key, value] of [
        ['core.sparseCheckout', 'true'],
        ['core.sparseCheckoutCone', 'false'],
      ] as const) {
        await plumb(place, ['config', '--local', '--replace-all', key, value]);
      }
    },
    async addWorktree(repository: string, dir: string, branch: string): Promise<void> {
      await demand(await placeAt(repository), ['worktree', 'add', '--quiet', '--', dir, checkRefName(branch)]);
    },
    async setting(dir: string, key: string): Promise<string | undefined> {
      return settingOf(await placeAt(dir), key);
    },
    async set(dir: string, key: string, value: string): Promise<void> {
      await plumb(await placeAt(dir), ['config', '--local', '--replace-all', key, value]);
    },
    async excludeFile(dir: string): Promise<string> {
      return demand(await placeAt(dir), ['rev-parse', '--path-format=absolute', '--git-path', 'info/exclude']);
    },
  };
}

/** Git lists them between two of its own lines, indented by a tab. */
function filesInTheWay(stderr: string): readonly string[] {
  const names = stderr.split('\n').filter((line) => line.startsWith('\t'));
  return names.length > 0 ? names.map((line) => line.trim()) : [stderr.trim()];
}
