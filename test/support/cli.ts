import { runCli } from '../../src/doors/cli/main.ts';
import { cleanEnvironment } from './baton.ts';
import type { Run } from './baton.ts';

/** `baton ...` to its end as a call within this process: the real command line on the real program, without its start. */
export function cli(cwd: string, ...words: readonly string[]): Promise<Run> {
  return cliWith({ cwd }, ...words);
}

/** As `cli`, in this environment and with this on standard input. */
export async function cliWith(
  { cwd, env = cleanEnvironment(), input = '' }: { cwd: string; env?: NodeJS.ProcessEnv; input?: string },
  ...words: readonly string[]
): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(words, {
    env,
    cwd,
    stdin: () => Promise.resolve(input),
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    terminal: { stdout: false, columns: 100 },
    load: {
      app: () => import('../../src/app.ts'),
      demo: () => import('../../src/demo/main.ts'),
      chaos: () => import('../../src/chaos/main.ts'),
      mergeDriver: () => import('../../src/merge-driver.ts'),
    },
  });
  return { code, stdout: out.join(''), stderr: err.join('') };
}

/** `baton ... --json`, parsed. */
export async function cliJson(cwd: string, ...words: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await cli(cwd, ...words, '--json');
  try {
    return JSON.parse(stdout) as Record<string, unknown>;
  } catch {
    throw new Error(`baton ${words.join(' ')} printed no JSON: ${stdout}${stderr}`);
  }
}
