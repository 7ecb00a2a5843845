import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import type { MaintainedRepository } from '../../ports-git.ts';
import { FlowError } from '../../protocol/errors.ts';
import { importUserConfig, isolatedEnvironment } from './environment.ts';
import { redact } from './names.ts';
import { notRunnable, ordinary } from './run.ts';
import type { GitPlace } from './run.ts';
import { namesInFolder } from '../folder.ts';

interface Kept {
  readonly name: string;
  readonly place: GitPlace;
  readonly objects: string;
  /** A file whose age says when garbage was last collected. */
  readonly stamp: string;
  /** Whether refs may be packed: a node watches the files of a remote's. */
  readonly packsRefs: boolean;
}

/** The clone at `dir`; `undefined` where it is a work tree of somebody's own code, which is not Baton's to tidy. */
export async function maintainedClone(dir: string, env: NodeJS.ProcessEnv): Promise<MaintainedRepository | undefined> {
  const gitDir = join(dir, '.git');
  if (statSync(gitDir, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  const place = await placeOf(dir, gitDir, env);
  const objects = join(gitDir, 'objects');
  return maintained({ name: 'clone', place, objects, stamp: join(gitDir, 'baton/collected'), packsRefs: true });
}

/** A bare repository on this machine, if it was Baton that made it; nobody else's is touched. */
export async function maintainedRemote(
  directory: string,
  env: NodeJS.ProcessEnv,
): Promise<MaintainedRepository | undefined> {
  const place = await placeOf(directory, directory, env);
  const made = await ordinary(place, ['config', '--local', '--type=bool', '--get', MADE_BY_BATON]);
  if (made.code !== 0 || made.stdout.toString('utf8').trim() !== 'true') return undefined;
  const objects = join(directory, 'objects');
  return maintained({ name: 'remote', place, objects, stamp: join(directory, 'baton-collected'), packsRefs: false });
}

/** Set in bare repositories that `baton init` made. */
export const MADE_BY_BATON = 'baton.made';

async function placeOf(cwd: string, gitDir: string, env: NodeJS.ProcessEnv): Promise<GitPlace> {
  return { cwd, env: { ...isolatedEnvironment(env, await importUserConfig(env)), GIT_DIR: gitDir } };
}

function maintained(kept: Kept): MaintainedRepository {
  const { name, place, objects, stamp, packsRefs } = kept;
  const noteCollected = (): void => {
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, '');
  };
  return {
    name,
    look: () => ({
      loose: looseObjects(objects),
      packs: namesInFolder(join(objects, 'pack')).filter((file) => file.endsWith('.pack')).length,
      collectedAt: statSync(stamp, { throwIfNoEntry: false })?.mtimeMs,
    }),
    async pack(signal) {
      const began = Date.now();
      removeLocks(objects, (since) => began - since > LOCK_AGE);
      const tasks = ['loose-objects', 'incremental-repack', 'commit-graph', ...(packsRefs ? ['pack-refs'] : [])];
      // One by one, since git runs several in an order of its own, and small packs are joined once they are there.
      for (const task of tasks) await quietly(place, ['maintenance', 'run', '--quiet', `--task=${task}`], signal);
      // The first task leaves the files of what it has packed to its next run.
      await quietly(place, ['prune-packed', '--quiet'], signal);
      // One that is ended in the moment in which it locks leaves the lock.
      if (signal.aborted) removeLocks(objects, (since) => since >= began);
    },
    async collect(signal) {
      // A later git lets a repository name a command here, and none that a repository names is run (quality.md S3).
      const hook = await ordinary(place, ['config', '--get-all', 'gc.recentObjectsHook']);
      const refs = packsRefs ? [] : ['-c', 'gc.packRefs=false'];
      if (hook.code !== 0) {
        await quietly(place, [...refs, 'gc', '--quiet', '--cruft', '--prune=2.weeks.ago'], signal);
      }
      // One that was ended early is due again.
      if (!signal.aborted) noteCollected();
    },
    noteCollected,
  };
}

/** Objects are spread evenly over 256 directories by their ids. */
const SAMPLE = ['17', '55', 'aa', 'e1'];

function looseObjects(objects: string): number {
  const found = SAMPLE.flatMap((name) =>
    namesInFolder(join(objects, name)).filter((file) => /^[0-9a-f]{38,62}$/.test(file)),
  );
  return found.length * (256 / SAMPLE.length);
}

/** Locks of maintenance alone; git skips its work in silence, or fails, while one is there. */
const LOCKS = ['maintenance.lock', 'pack/multi-pack-index.lock', 'info/commit-graphs/commit-graph-chain.lock'];

/** No maintenance takes that long: a lock of that age was left by one that was killed. */
const LOCK_AGE = 6 * 3_600_000;

/** Removes those that were made at such a time; milliseconds since the epoch. */
function removeLocks(objects: string, made: (since: number) => boolean): void {
  for (const name of LOCKS) {
    const file = join(objects, name);
    const since = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && made(since)) rmSync(file, { force: true });
  }
}

const LOWEST_PRIORITY = 19;

/**
 * Runs a git that gives way to everything else on the machine. It is ended with all that it started when `signal`
 * aborts, which is no failure.
 */
function quietly(place: GitPlace, args: readonly string[], signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const options = { cwd: place.cwd, env: place.env, detached: process.platform !== 'win32' } as const;
    const child = spawn('git', [...args], { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    const { pid } = child;
    if (pid !== undefined) lower(pid);
    const end = (): void => {
      if (pid !== undefined) endGroup(pid, options.detached);
    };
    signal.addEventListener('abort', end, { once: true });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-2_000)));
    child.on('error', (error) => reject(notRunnable(error)));
    child.on('close', (code) => {
      signal.removeEventListener('abort', end);
      if (code === 0 || signal.aborted) resolve();
      else {
        const what = args.find((arg) => !arg.startsWith('-') && !arg.includes('=')) ?? '';
        reject(
          new FlowError('git-failed', `git ${what} failed with exit code ${code}: ${redact(stderr).trim()}`, {
            remedy: 'run `git fsck` in the repository if it goes on',
          }),
        );
      }
    });
  });
}

function lower(pid: number): void {
  try {
    setPriority(pid, LOWEST_PRIORITY);
  } catch {
    // It has ended already, or the system does not let us: then it runs as it is.
  }
}

function endGroup(pid: number, isGroup: boolean): void {
  try {
    process.kill(isGroup ? -pid : pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}
