import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './atomic.ts';

/** Keeps when this clone pushed last, so that a restart does not push at once again. `directory` is its `.baton`. */
export function openLastPush(directory: string): { read(): number | undefined; write(millis: number): void } {
  const file = join(directory, 'last-push');
  return {
    read() {
      try {
        const text = readFileSync(file, 'utf8').trim();
        return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
      } catch {
        // Not there yet, or not to be read: then nothing is known of it, and the next push writes it anew.
        return undefined;
      }
    },
    write(millis) {
      replaceFile(file, Buffer.from(`${Math.trunc(millis)}\n`));
    },
  };
}
