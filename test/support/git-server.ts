import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { eventually } from './waiting.ts';

export interface GitServer {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly child: ChildProcess;
}

/** Serves every repository below `folder` as `git://127.0.0.1:PORT/<path below it>`, for everyone to read and write. */
export async function serveGit(folder: string, { writable = true } = {}): Promise<GitServer> {
  const port = await freePort();
  // The program itself: `git daemon` would start it as a child of its own.
  const program = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-daemon');
  const pushes = writable ? ['--enable=receive-pack'] : [];
  const options = ['--export-all', ...pushes, `--base-path=${folder}`, '--listen=127.0.0.1'];
  const child = spawn(program, [...options, `--port=${port}`, folder], { stdio: 'ignore' });
  await eventually(() => accepts(port), 'git daemon answers');
  return { port, child };
}

async function accepts(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}
