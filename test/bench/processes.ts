import { appendFileSync } from 'node:fs';
import { subscribe } from 'node:diagnostics_channel';
import type { ChildProcess } from 'node:child_process';

/** A process that has ended, as it is noted. */
export interface NotedProcess {
  readonly words: readonly string[];
  /** When it was started; milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
  /** Exit code; `null` when a signal ended it. */
  readonly code: number | null;
}

/**
 * Loaded before a node (`--import`): notes every process that the node starts, a JSON line each, in the file that
 * BATON_BENCH_PROCESSES names. That is how the git calls of one operation are counted without changing the program.
 */
const file = process.env['BATON_BENCH_PROCESSES'];

if (file !== undefined) {
  subscribe('child_process', (message) => {
    const { process: child } = message as { readonly process: ChildProcess };
    const [at, start] = [Date.now(), performance.now()];
    child.once('close', (code) => {
      const [, ...words] = child.spawnargs;
      const ms = Number((performance.now() - start).toFixed(1));
      appendFileSync(file, `${JSON.stringify({ words, at, ms, code } satisfies NotedProcess)}\n`);
    });
  });
}
