import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import { onTestFinished } from 'vitest';
import { git } from './git.ts';
import { eventually } from './waiting.ts';

/** The address of a bare repository behind a server, until the test ends: nobody can watch its files through that. */
export async function served(repository: string): Promise<string> {
  const port = await freePort();
  const folder = dirname(repository);
  const options = ['--export-all', '--enable=receive-pack', `--base-path=${folder}`, '--listen=127.0.0.1'];
  const child = spawn('git', ['daemon', ...options, `--port=${port}`, folder], { stdio: 'ignore', detached: true });
  onTestFinished(() => {
    // `git` starts the server as a child of its own; both are of one group.
    if (child.pid !== undefined) process.kill(-child.pid);
  });
  const url = `git://127.0.0.1:${port}/${basename(repository)}`;
  await eventually(() => {
    try {
      return git(folder, 'ls-remote', url) !== '';
    } catch {
      return undefined;
    }
  }, 'git daemon answers');
  return url;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}
