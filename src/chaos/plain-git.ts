import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Git as a person runs it, with the caller's own settings and credentials; trimmed output. Rejects when git does. */
export async function plainGit(cwd: string, env: NodeJS.ProcessEnv, ...words: readonly string[]): Promise<string> {
  const { stdout } = await execute('git', [...words], {
    cwd,
    env: { ...env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim();
}
