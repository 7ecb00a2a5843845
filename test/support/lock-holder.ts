import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { eventually } from './waiting.ts';

/** A process that has a lock open, as git has while it writes files. `release` ends it and takes the lock away. */
export async function holdLock(lock: string): Promise<{ readonly release: () => void }> {
  const child = spawn('sh', ['-c', 'exec 3>"$0"; exec sleep 600', lock], { stdio: 'ignore' });
  const release = (): void => {
    child.kill('SIGKILL');
    rmSync(lock, { force: true });
  };
  onTestFinished(release);
  await eventually(() => existsSync(lock) || undefined, 'the lock is there');
  return { release };
}
