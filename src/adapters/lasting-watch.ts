import { statSync } from 'node:fs';
import type { Stats } from 'node:fs';

export interface Watching {
  close(): Promise<void>;
}

export interface LastingWatchOptions {
  /** The directory to watch, as far as it is there now. */
  readonly look: () => string | undefined;
  readonly start: (directory: string) => Watching | Promise<Watching>;
  /** Called after the watch on another directory has begun: nobody has watched what happened before. */
  readonly onReplaced: (directory: string) => void;
  readonly onError: (error: unknown) => void;
  /** Milliseconds between two looks whether it is still the same one. */
  readonly interval?: number;
}

/** It happens when somebody moves a remote or a clone; until it is seen, the nodes poll. */
const INTERVAL = 5_000;

/**
 * A watch that outlives what it watches: a watcher holds on to the directory that it was given, also when that has been
 * removed, and made anew under the same name, and it cannot be given one that is not there yet.
 */
export async function lastingWatch(options: LastingWatchOptions): Promise<Watching> {
  const { look, start, onReplaced, onError, interval = INTERVAL } = options;
  let present = identify(look());
  let watching = present === undefined ? undefined : await start(present.directory);
  let isClosed = false;

  async function check(): Promise<void> {
    const found = identify(look());
    if (found?.identity === present?.identity) return;
    present = found;
    const before = watching;
    watching = undefined;
    await before?.close();
    if (found === undefined) return;
    watching = await start(found.directory);
    onReplaced(found.directory);
  }

  let checking = Promise.resolve();
  const timer = setInterval(() => {
    checking = checking
      .then(() => (isClosed ? undefined : check()))
      .catch((error: unknown) => {
        // Tried again with the next look.
        present = undefined;
        onError(error);
      });
  }, interval);
  timer.unref();
  return {
    async close() {
      isClosed = true;
      clearInterval(timer);
      await checking;
      await watching?.close();
    },
  };
}

interface Found {
  readonly directory: string;
  /** Another one for another directory under the same name. */
  readonly identity: string;
}

function identify(directory: string | undefined): Found | undefined {
  if (directory === undefined) return undefined;
  let found: Stats | undefined;
  try {
    found = statSync(directory, { throwIfNoEntry: false });
  } catch {
    // What may not be looked at cannot be watched either.
    return undefined;
  }
  return found && { directory, identity: `${directory}\0${found.dev}:${found.ino}:${found.birthtimeMs}` };
}
