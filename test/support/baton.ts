import { execFile } from 'node:child_process';
import { BATON } from './program.ts';

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An environment without the tester's own settings, in which nodes give each other no hints. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(BATON_|AGENTTEAMS_|GIT_|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  return { ...Object.fromEntries(kept), XDG_RUNTIME_DIR: '/absent' };
}

/** Runs `baton ...` to its end; never throws for an exit code. */
export function baton(cwd: string, ...parameters: string[]): Promise<Run> {
  return batonWith({ cwd }, ...parameters);
}

export function batonWith(
  options: { cwd: string; input?: string; env?: NodeJS.ProcessEnv },
  ...parameters: string[]
): Promise<Run> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [BATON, ...parameters],
      { cwd: options.cwd, env: { ...cleanEnvironment(), ...options.env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
    child.stdin?.end(options.input ?? '');
  });
}
