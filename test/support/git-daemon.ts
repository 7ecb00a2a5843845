import { basename, dirname } from 'node:path';
import { onTestFinished } from 'vitest';
import { serveGit } from './git-server.ts';

/** The address of a bare repository behind a server, until the test ends: nobody can watch its files through that. */
export async function served(repository: string): Promise<string> {
  const { port, child } = await serveGit(dirname(repository));
  onTestFinished(() => void child.kill());
  return `git://127.0.0.1:${port}/${basename(repository)}`;
}
