import { watchRefs, watchTree } from './adapters/file-watcher.ts';
import { localGitDirectory, looseRef } from './adapters/git/local-refs.ts';
import type { Hint, Hints } from './adapters/hints.ts';
import { lastingWatch } from './adapters/lasting-watch.ts';
import type { Watching } from './adapters/lasting-watch.ts';
import type { Clock, Sync, WorkIndex, WorkTree } from './ports.ts';
import type { TaskStatus } from './protocol/records/types.ts';
import { eventsFrom, isTerminalTask } from './rules/lifecycle.ts';
import type { Watch } from './services/daemon.ts';

export interface WakingOptions {
  readonly root: string;
  readonly remote: string | undefined;
  readonly workTree: WorkTree;
  readonly index: WorkIndex;
  readonly sync: Sync;
  readonly clock: Clock;
  /** What the nodes of this machine tell each other; absent without a remote. */
  readonly hints: Hints | undefined;
  /** Whether what is pushed to this ref concerns the node. */
  readonly wants: (ref: string) => boolean;
  /** Whether others wait for what this node takes up, as they do for a Leader's; all else concerns only `branch`. */
  readonly isLeading: boolean;
  /** The published branch. */
  readonly branch: string;
  readonly onError: (error: unknown) => void;
}

export interface Watches {
  /** Files of the work tree that people and agents edit. */
  readonly watchFiles: Watch;
  /** Pushes to the remote, as far as this machine can tell of them; absent without a remote. */
  readonly watchRemote: Watch | undefined;
}

/** What wakes a node besides messages and the poll (architecture.md, "Waking"). */
export function watchesOf(options: WakingOptions): Watches {
  const { root, remote, onError } = options;
  return {
    async watchFiles(onChange) {
      const ended = endedTasks(options);
      const watching = await watchTree({ root, isAsleep: (id) => ended.has(id), onChange, onError });
      ended.begun();
      return watching;
    },
    watchRemote: remote === undefined ? undefined : (onChange) => watchRemote({ ...options, remote }, onChange),
  };
}

/**
 * Nobody works on a task that has ended for good, and most of a tree is ended work: to watch all of its files would cost more
 * than all else that a node does. What is edited there all the same is found by the next look at the whole tree. Until the
 * watch has begun the index tells which those are, so that no node parses ten thousand records before it answers.
 */
function endedTasks({ workTree, index }: Pick<WakingOptions, 'workTree' | 'index'>): {
  has(taskId: string): boolean;
  begun(): void;
} {
  const isOver = (status: TaskStatus): boolean => isTerminalTask(status) && eventsFrom(status).length === 0;
  const ended = index.facts().tasks.flatMap(({ id, status }) => (isOver(status) ? [id] : []));
  let known: ReadonlySet<string> | undefined = new Set(ended);
  return {
    has(taskId) {
      if (known !== undefined) return known.has(taskId);
      const status = workTree.view().task(taskId)?.meta?.status;
      return status !== undefined && isOver(status);
    },
    begun() {
      known = undefined;
    },
  };
}

/**
 * A Leader's node publishes again and again while lanes come in. If every Worker's fetched each time, they would take
 * from the same machine what the others need to hand in; a Worker's fetches before each of its own steps anyway.
 */
const FOR_WORKERS = { quiet: 300, patience: 3_000 };

async function watchRemote(
  options: WakingOptions & { readonly remote: string },
  onChange: (paths: readonly string[]) => void,
): Promise<Watching> {
  const { root, remote, hints, sync, wants, isLeading, branch, onError } = options;
  const look = (): string | undefined => localGitDirectory(root, remote);
  const refs = await lastingWatch({
    look,
    start: (gitDirectory) => {
      // What this node has just pushed or fetched itself is no news, and neither is what it never fetches.
      const isNews = (path: string): boolean => {
        if (path.endsWith('/') || (path.startsWith('refs/heads/') && !wants(path))) return false;
        const commit = looseRef(gitDirectory, path);
        return commit === undefined || !sync.isKnown(path, commit);
      };
      return watchRefs({
        root: gitDirectory,
        onError,
        onChange: (paths) => paths.some(isNews) && onChange(paths),
        ...(isLeading ? {} : { branch, ...FOR_WORKERS }),
      });
    },
    onReplaced: () => onChange(['refs/']),
    onError,
  });
  const ending = new AbortController();
  const told = await hints?.listen(takingHints(options, { look, onChange, signal: ending.signal }));
  return {
    async close() {
      ending.abort();
      await told?.close();
      await refs.close();
    },
  };
}

/** However many hints there are, so many milliseconds lie at least between two looks at the remote for their sake. */
const FLOOR = 250;
/** So long a remote whose refs are watched has to tell by itself, beyond what a hint waits; that is cheaper than to ask it twice. */
const GRACE = 1_000;

/**
 * Wakes the node for a hint whose commit it does not know yet. A hint is believed only so far: one that is wrong costs one
 * look at the remote, and is not looked at again.
 */
function takingHints(
  { sync, clock, wants, onError }: WakingOptions,
  {
    look,
    onChange,
    signal,
  }: {
    readonly look: () => string | undefined;
    readonly onChange: (paths: readonly string[]) => void;
    readonly signal: AbortSignal;
  },
): (hint: Hint) => void {
  const open = new Map<string, string>();
  const looked = new Map<string, string>();
  let isTimed = false;
  let last = -Infinity;

  const isNews = ([ref, commit]: readonly [string, string]): boolean =>
    looked.get(ref) !== commit && !sync.isKnown(ref, commit);

  async function wakeInTime(): Promise<void> {
    const patience = look() === undefined ? 0 : GRACE;
    await clock.sleep(Math.max(patience, last + FLOOR - clock.elapsed(), 0), signal);
    isTimed = false;
    if (signal.aborted) return;
    const news = [...open].filter(isNews);
    open.clear();
    if (news.length === 0) return;
    for (const [ref, commit] of news) looked.set(ref, commit);
    last = clock.elapsed();
    onChange(news.map(([ref]) => ref));
  }

  return ({ ref, commit }) => {
    if (!wants(ref) || !isNews([ref, commit])) return;
    open.set(ref, commit);
    if (isTimed) return;
    isTimed = true;
    wakeInTime().catch(onError);
  };
}
