import type { EventBus } from '../events.ts';
import type { Clock, Log, Reach, Sync, WorkTree } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import { TEAM_PATH } from '../protocol/paths.ts';
import { chanceOf, pollDelay } from './polling.ts';
import type { Reconciler } from './reconciler.ts';
import { takeUpRemote } from './take-up.ts';

/** Something that reports changed paths until it is closed. */
export type Watch = (onChange: (paths: readonly string[]) => void) => Promise<{ close(): Promise<void> }>;

export interface DaemonDependencies {
  readonly sync: Sync;
  readonly workTree: WorkTree;
  readonly reconciler: Reconciler;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Log;
  /** Files of the work tree that people and agents edit. */
  readonly watchFiles: Watch;
  /** Pushes to the remote, as far as this machine can tell of them; absent without a remote. */
  readonly watchRemote: Watch | undefined;
  /** Milliseconds between polls, the fallback where nothing else wakes the node. */
  readonly pollInterval: number;
}

/**
 * Keeps one workspace going: first pull, then whatever changes on disk or on the remote is taken up, and a poll with
 * jitter catches what nobody reported. Started once the lock is held; disposing releases in reverse order.
 */
export async function startDaemon(dependencies: DaemonDependencies): Promise<AsyncDisposable> {
  const { sync, workTree, reconciler, events } = dependencies;
  await using stack = new AsyncDisposableStack();
  const work = createSerialWork(events);
  stack.defer(() => work.drain());

  /** Looks at the remote in vain since the last good one. */
  let failures = 0;
  const takeUp = async (reach?: Reach): Promise<void> => {
    failures = (await takeUpRemote(dependencies, reach)) ? 0 : failures + 1;
  };
  const adopt = createAdoption(dependencies);

  await takeUp();
  const files = await dependencies.watchFiles((paths) => {
    work.add('taking up changed files', async () => {
      const there = workTree.view();
      // Of a directory that is there only its name can be news: what is in it is reported file by file.
      workTree.invalidate(paths.map((path) => (path.endsWith('/') && there.exists(path) ? path.slice(0, -1) : path)));
      // One that sleeps is reported as a whole: that it is gone.
      const isGone = (path: string): boolean => TASK_FOLDER.test(path) && !there.exists(path);
      await adopt(paths.filter((path) => !path.endsWith('/') || isGone(path)));
      // What was held back may be allowed by now.
      if (paths.includes(TEAM_PATH)) await adopt(await sync.dirty());
      reconciler.wake(paths);
    });
  });
  stack.defer(() => files.close());
  // What was edited while nobody watched.
  await adopt(await sync.dirty());

  if (dependencies.watchRemote !== undefined) {
    // Everything that was pushed before a pull begins comes with that pull.
    let isAwaited = false;
    const remote = await dependencies.watchRemote(() => {
      if (isAwaited) return;
      isAwaited = true;
      work.add('taking up the remote', async () => {
        isAwaited = false;
        // Where many work at once each would otherwise take in what all others do, time and again; polls take in the rest.
        await takeUp('own-work');
        reconciler.wake([]);
      });
    });
    stack.defer(() => remote.close());
  }

  const ending = new AbortController();
  const ticks = poll(dependencies, { signal: ending.signal, work, takeUp, adopt, failures: () => failures });
  stack.defer(async () => {
    ending.abort();
    await ticks;
  });
  // A look at everything lets others go on, but would be in the way of what is still to be started.
  reconciler.wake();
  return stack.move();
}

const TASK_FOLDER = /^shared\/tasks\/[^/]+\/$/;

/** Takes up files that were changed by hand, and again with the next call those that could not be taken up. */
type Adopt = (paths: readonly string[]) => Promise<void>;

function createAdoption({ sync, reconciler, log }: DaemonDependencies): Adopt {
  /** Files of others of which that was said before. */
  const told = new Set<string>();
  /** Another git was at work, or a merge was under way. */
  const left = new Set<string>();
  return async (changed) => {
    const paths = [...new Set([...left, ...changed])];
    if (paths.length === 0) return;
    try {
      const { adopted, foreign } = await sync.adopt(paths);
      left.clear();
      if (adopted.length > 0) reconciler.wake(adopted, { promptly: true });
      const untold = foreign.filter((path) => !told.has(path));
      for (const path of untold) told.add(path);
      if (untold.length > 0) log.warn({ paths: untold }, 'changed by hand, but owned by somebody else: not published');
    } catch (error) {
      if (!(error instanceof FlowError)) throw error;
      if (!paths.every((path) => left.has(path))) {
        log.warn({ reason: error.message }, 'changed files are not published yet');
      }
      // That is about the clone as a whole. What is about one file must not hold up the others.
      if (error.code === 'bad-workspace') for (const path of paths) left.add(path);
      else left.clear();
    }
  };
}

/** So far apart the whole tree is looked at, for what no watch has told of; milliseconds. */
const FULL_LOOK = 600_000;

interface Polling {
  readonly signal: AbortSignal;
  readonly work: SerialWork;
  readonly takeUp: (reach: Reach) => Promise<void>;
  readonly adopt: Adopt;
  readonly failures: () => number;
}

/** The next wait begins when a poll is over, so that they never pile up. */
async function poll(
  dependencies: DaemonDependencies,
  { signal, work, takeUp, adopt, failures }: Polling,
): Promise<void> {
  const { clock, pollInterval, reconciler, sync } = dependencies;
  let looked = clock.elapsed();
  while (!signal.aborted) {
    await clock.sleep(pollDelay(pollInterval, failures(), chanceOf(clock)), signal);
    if (signal.aborted) return;
    const isFull = clock.elapsed() - looked >= FULL_LOOK;
    if (isFull) looked = clock.elapsed();
    work.add('polling the remote', async () => {
      await takeUp('when-calm');
      try {
        // Ended tasks are not watched, and a watch may have missed something.
        await adopt(isFull ? await sync.dirty() : []);
      } finally {
        // What the pull brings wakes the reconciler.
        reconciler.wake(isFull ? undefined : []);
      }
    });
    await work.drain();
  }
}

interface SerialWork {
  /** Runs `task` after those before it; a failure is reported and does not stop the next. */
  add(what: string, task: () => Promise<void>): void;
  drain(): Promise<void>;
}

function createSerialWork(events: EventBus): SerialWork {
  let last: Promise<void> = Promise.resolve();
  return {
    add(what, task) {
      last = last.then(task).catch((error: unknown) => events.emit('node:problem', { what, error }));
    },
    drain: () => last,
  };
}
