import childProcess from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';

/**
 * Loaded before a program (`--import`): every effect that it has on files and on git becomes a point with a name in
 * words, and at the point that BATON_CHAOS_KILL counts to, the process kills itself with SIGKILL. So a crash can be
 * put at every step without a word of it in the program. Nothing is counted before `arm`.
 */
const wanted = Number(process.env['BATON_CHAOS_KILL'] ?? 0);
let armed = false;
const passed: string[] = [];

/** From now on points count. */
export function arm(): void {
  armed = true;
}

/** The points that were passed, by name. */
export const pointsPassed = (): readonly string[] => passed;

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
}

/** Whether this is the point; the caller does what is left to do, and dies. */
function isIt(name: string): boolean {
  if (!armed) return false;
  passed.push(name);
  return passed.length === wanted;
}

function point(name: string): void {
  if (isIt(name)) die();
}

const paths = new Map<number, string>();

/** Without what differs from run to run. */
function shown(path: unknown): string {
  const text = relative(process.cwd(), String(path)).replace(/\.baton-tmp-[\d-]+/, 'a new file');
  return text.replace(/[0-9a-f]{16,}/g, '…').replace(/objects\/..\/…?[0-9a-f]*/, 'objects/…');
}

const original = { ...fs };

type Effect = 'renameSync' | 'unlinkSync' | 'mkdirSync' | 'linkSync' | 'rmSync';

/** Before and after one call that changes names. */
function around(effect: Effect, words: string, which: 0 | 1): void {
  const run = original[effect] as (...given: unknown[]) => unknown;
  (fs as unknown as Record<Effect, unknown>)[effect] = (...given: unknown[]): unknown => {
    const name = `${words} ${shown(given[which])}`;
    point(`before ${name}`);
    const answer = run(...given);
    point(`after ${name}`);
    return answer;
  };
}

around('renameSync', 'the rename to', 1);
around('linkSync', 'the link to', 1);
around('unlinkSync', 'the removal of', 0);
around('rmSync', 'the removal of', 0);

fs.openSync = (path, ...more) => {
  const descriptor = original.openSync(path, ...more);
  paths.set(descriptor, shown(path));
  return descriptor;
};

fs.fsyncSync = (descriptor) => {
  point(`before the fsync of ${paths.get(descriptor)}`);
  original.fsyncSync(descriptor);
  point(`after the fsync of ${paths.get(descriptor)}`);
};

/** The baton program writes bytes only so; half of them are written by a process that dies in the middle. */
fs.writeSync = ((descriptor: number, bytes: Uint8Array | string, from?: number, ...more: number[]): number => {
  const offset = from ?? 0;
  if (typeof bytes === 'string') return original.writeSync(descriptor, bytes);
  const name = `writing ${paths.get(descriptor)}`;
  point(`before ${name}`);
  if (isIt(`in the middle of ${name}`)) {
    original.writeSync(descriptor, bytes, offset, Math.floor((bytes.length - offset) / 2));
    die();
  }
  const written = original.writeSync(descriptor, bytes, offset, ...more);
  point(`after ${name}`);
  return written;
}) as typeof fs.writeSync;

fs.appendFileSync = (file, data, ...more) => {
  const name = `appending to ${typeof file === 'number' ? paths.get(file) : shown(file)}`;
  point(`before ${name}`);
  if (isIt(`in the middle of ${name}`)) {
    const bytes = Buffer.from(data as string);
    original.appendFileSync(file, bytes.subarray(0, Math.floor(bytes.length / 2)), ...more);
    die();
  }
  original.appendFileSync(file, data, ...more);
  point(`after ${name}`);
};

const { spawn } = childProcess;

/** Git calls, by their first word; a session that stays is met at every request that changes something. */
function spawnWatched(...given: Parameters<typeof spawn>): ChildProcess {
  const words = given[1];
  const name = `git ${words.filter((word) => /^[a-z][a-z-]+$/.test(word))[0] ?? ''}`;
  point(`before ${name}`);
  const child = spawn(...given);
  const isRead = name === 'git cat-file';
  if (!isRead) child.prependOnceListener('exit', () => point(`after ${name}`));
  const { stdin } = child;
  if (stdin !== null && !isRead) {
    const write = stdin.write.bind(stdin) as (...bytes: unknown[]) => boolean;
    stdin.write = ((...bytes: unknown[]): boolean => {
      point(`before a request to ${name}`);
      const more = write(...bytes);
      child.stdout?.prependOnceListener('data', () => point(`after the answer of ${name}`));
      return more;
    }) as typeof stdin.write;
  }
  return child;
}

childProcess.spawn = spawnWatched as typeof spawn;
syncBuiltinESMExports();
