import { statSync, watch as watchNode } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { watch } from 'chokidar';
import { isScratchName } from '../protocol/names.ts';
import { lastingWatch } from './lasting-watch.ts';
import type { Watching } from './lasting-watch.ts';

export interface WatchOptions {
  /** Absolute; reported paths are relative to it. */
  readonly root: string;
  /** What is watched below the root. Absent ones are taken up when they appear. */
  readonly dirs?: readonly string[];
  /** Paths with forward slashes, sorted, each once; directories end in `/`. Called again only after it has returned. */
  readonly onChange: (paths: readonly string[]) => void;
  readonly onError: (error: unknown) => void;
  /** A batch is given once nothing has happened for this long; milliseconds. */
  readonly quiet?: number;
  /** A batch that never comes to rest is given after this long all the same; milliseconds. */
  readonly patience?: number;
}

/** What people and agents edit (architecture.md, "Files and owners"). */
const EDITED = ['shared/projects', 'shared/tasks', 'shared/agents', 'shared/team.json'];

const QUIET = 40;
/** A push moves few refs, and whoever waits for it gathers by itself. */
const QUIET_REFS = 5;
const PATIENCE = 400;

/** Folders that hold one folder for each task: of those that sleep only their coming and going is watched. */
const TASKS = 'shared/tasks';

export interface TreeWatchOptions extends Omit<WatchOptions, 'dirs'> {
  /** What is watched below the root. Absent ones are taken up when they appear. */
  readonly dirs?: readonly string[];
  /** Whether nobody is expected to edit the folder of this task. Asked when the watch begins, and of new folders. */
  readonly isAsleep?: (taskId: string) => boolean;
}

/** Tells in batches which files changed below `root`. Resolves once nothing that changes from now on is missed. */
export async function watchTree({ root, dirs = EDITED, isAsleep, ...options }: TreeWatchOptions): Promise<Watching> {
  if (isAsleep === undefined) return watchPaths(root, dirs, { isIgnored: isTemporary }, options);
  const tasks = join(root, TASKS);
  /** What is watched stays so: to ask again with each change in a folder would have its record read each time. */
  const awake = new Set<string>();
  const sleeps = (path: string): boolean => {
    if (dirname(path) !== tasks || awake.has(path)) return false;
    const isSleeping = isAsleep(basename(path));
    if (!isSleeping) awake.add(path);
    return isSleeping;
  };
  return together([
    watchPaths(root, dirs, { isIgnored: (path) => isTemporary(path) || sleeps(path) }, options),
    watchNames(root, TASKS, options),
  ]);
}

const isTemporary = (path: string): boolean => isScratchName(basename(path));

/**
 * Which folders come and go in one directory, as one watch of the system tells it: to know each of ten thousand by its
 * file's times, as a watch on files does, would be a third of what a node does until it is up.
 */
function watchNames(
  root: string,
  directory: string,
  { onChange, onError, quiet = QUIET, patience = PATIENCE }: Omit<WatchOptions, 'root' | 'dirs'>,
): Promise<Watching> {
  const batch = createBatch({ quiet, patience }, onChange, onError);
  const kind = (path: string): 'directory' | 'other' | undefined => {
    const found = statSync(join(root, path), { throwIfNoEntry: false });
    return found && (found.isDirectory() ? 'directory' : 'other');
  };
  return lastingWatch({
    look: () => join(root, directory),
    start(place) {
      let watcher: FSWatcher | undefined;
      try {
        watcher = watchNode(place, (event, name) => {
          if (event !== 'rename' || name === null || isTemporary(name)) return;
          const found = kind(`${directory}/${name}`);
          // When the directory itself goes, that is told by its own name; and a file in it is somebody else's to tell.
          if (found === 'other' || (found === undefined && name === basename(directory))) return;
          batch.add(`${directory}/${name}/`);
        });
        watcher.on('error', onError);
      } catch (error) {
        // A system that has no watches left: looks at the whole tree find what this one would have told.
        onError(error);
      }
      return {
        close() {
          watcher?.close();
          return Promise.resolve();
        },
      };
    },
    onReplaced: () => batch.add(`${directory}/`),
    onError,
  }).then((watching) => ({
    async close() {
      batch.close();
      await watching.close();
    },
  }));
}

/** One that cannot begin leaves none of the others behind. */
async function together(begun: readonly Promise<Watching>[]): Promise<Watching> {
  const settled = await Promise.allSettled(begun);
  const watches = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(watches.map((watching) => watching.close()));
    throw failed.reason;
  }
  return {
    async close() {
      await Promise.all(watches.map((watching) => watching.close()));
    },
  };
}

export interface RefWatchOptions extends Omit<WatchOptions, 'dirs'> {
  /** Only this branch and nothing else concerns the node; absent: every ref does. */
  readonly branch?: string;
}

/**
 * Tells when the refs of a repository on this machine change: a push to it is seen at once (architecture.md, "Waking").
 * `root` is its git directory. Where many nodes each watched all branches, every push would wake all of them.
 */
export async function watchRefs({ branch, ...options }: RefWatchOptions): Promise<Watching> {
  const isLock = (path: string): boolean => path.endsWith('.lock');
  const timing = { quiet: QUIET_REFS, ...options };
  if (branch === undefined)
    return watchPaths(options.root, ['refs', 'packed-refs', 'reftable'], { isIgnored: isLock }, timing);
  const folder = join('refs/heads', dirname(branch));
  return together([
    // The folder of the branch and not what lies deeper, since a ref is replaced and never written.
    watchPaths(options.root, [folder], { isIgnored: isLock, depth: 0 }, timing),
    watchPaths(options.root, ['packed-refs', 'reftable'], { isIgnored: isLock }, timing),
  ]);
}

async function watchPaths(
  root: string,
  paths: readonly string[],
  { isIgnored, depth }: { readonly isIgnored: (path: string) => boolean; readonly depth?: number },
  { onChange, onError, quiet = QUIET, patience = PATIENCE }: Omit<WatchOptions, 'root' | 'dirs'>,
): Promise<Watching> {
  const batch = createBatch({ quiet, patience }, onChange, onError);
  const watcher = watch(
    paths.map((path) => join(root, path)),
    {
      ignoreInitial: true,
      followSymlinks: false,
      ignored: isIgnored,
      ignorePermissionErrors: true,
      ...(depth === undefined ? {} : { depth }),
    },
  );
  watcher.on('all', (event, path) => {
    const changed = relative(root, path).split(sep).join('/');
    batch.add(event === 'addDir' || event === 'unlinkDir' ? `${changed}/` : changed);
  });
  watcher.on('error', onError);
  await new Promise<void>((ready) => {
    watcher.once('ready', ready);
  });
  return {
    async close() {
      batch.close();
      await watcher.close();
    },
  };
}

interface Batch {
  add(path: string): void;
  close(): void;
}

function createBatch(
  { quiet, patience }: { readonly quiet: number; readonly patience: number },
  give: WatchOptions['onChange'],
  onError: WatchOptions['onError'],
): Batch {
  const paths = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let deadline = 0;
  const flush = (): void => {
    timer = undefined;
    const changed = [...paths].sort();
    paths.clear();
    try {
      give(changed);
    } catch (error) {
      onError(error);
    }
  };
  return {
    add(path) {
      const now = Date.now();
      if (paths.size === 0) deadline = now + patience;
      paths.add(path);
      clearTimeout(timer);
      timer = setTimeout(flush, Math.max(0, Math.min(quiet, deadline - now)));
    },
    close() {
      clearTimeout(timer);
      paths.clear();
    },
  };
}
