import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { cleanEnvironment } from './baton.ts';
import { BATON } from './program.ts';

/** A node that runs as a process of its own: `baton up`. */
export interface RunningNode {
  readonly pid: number;
  /** What it logged so far. */
  log(): string;
  /** Ends it as a power cut would; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Ends it as Ctrl-C does; resolves with its exit code. */
  stop(): Promise<number>;
}

/** Starts `baton up` and waits until it says that it is up. It ends with the test at the latest. */
export async function startUp(workspace: string, env: NodeJS.ProcessEnv = {}): Promise<RunningNode> {
  const child = spawn(process.execPath, [BATON, 'up', '--json'], {
    cwd: workspace,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let logged = '';
  child.stderr.on('data', (chunk: Buffer) => (logged += chunk.toString('utf8')));
  const ended = Promise.withResolvers<number>();
  child.on('exit', (code) => ended.resolve(code ?? -1));
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<number> => {
    child.kill(signal);
    return ended.promise;
  };
  onTestFinished(() => end('SIGKILL').then(() => undefined));

  const up = Promise.withResolvers<void>();
  child.stdout.on('data', () => up.resolve());
  void ended.promise.then((code) => up.reject(new Error(`baton up ended with ${code}: ${logged}`)));
  await up.promise;
  return {
    pid: child.pid ?? 0,
    log: () => logged,
    kill: () => end('SIGKILL').then(() => undefined),
    stop: () => end('SIGTERM'),
  };
}
