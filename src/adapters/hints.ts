import { constants, closeSync, fstatSync, lstatSync, mkdirSync, openSync, readSync, unlinkSync, watch } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFile } from '../workspace/atomic.ts';
import { lastingWatch } from './lasting-watch.ts';
import type { Watching } from './lasting-watch.ts';
import { remoteKey } from './remote-key.ts';
import { namesInFolder } from './folder.ts';

/** Somebody on this machine says that a ref of the remote names this commit now. Nobody has to believe it. */
export interface Hint {
  readonly ref: string;
  readonly commit: string;
}

/** How the nodes of one person on one machine tell each other that they have pushed (docs/sync.md). */
export interface Hints {
  tell(hint: Hint): void;
  /** Resolves once no hint that is given from now on is missed. */
  listen(onHint: (hint: Hint) => void): Promise<Watching>;
}

export interface HintsOptions {
  readonly remote: string;
  /** What a relative path of the remote begins at. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onError: (error: unknown) => void;
}

/** Longer than any node needs to hear of it. */
const STALE = 3_600_000;
/** More than a hint has: a commit of the longer kind, and a ref of the greatest length. */
const MOST_BYTES = 512;
const NAME = /^[0-9a-f]{32}-[0-9a-f]{16}$/;
const CONTENT = /^([0-9a-f]{40}|[0-9a-f]{64}) (refs\/heads\/[^\s\p{Cc}]{1,300})\n$/u;

/**
 * One small file for each remote and ref, which whoever has pushed replaces and the others watch. What is in it is not
 * trusted: it says when to look at the remote, and nothing of what is there. Whatever is wrong with the directory or a
 * file, the nodes find out by polling instead.
 */
export function createHints({ remote, root, env, onError }: HintsOptions): Hints {
  const prefix = `${remoteKey(remote, root)}-`;
  const place = (): string | undefined => ownDirectory(env);
  return {
    tell({ ref, commit }) {
      const directory = place();
      if (directory === undefined) return;
      const file = prefix + createHash('sha256').update(ref).digest('hex').slice(0, 16);
      try {
        replaceFile(join(directory, file), Buffer.from(`${commit} ${ref}\n`));
      } catch (error) {
        onError(error);
      }
    },
    listen(onHint) {
      const directory = place();
      if (directory !== undefined) sweep(directory);
      return lastingWatch({
        look: place,
        start: (found) => watchDirectory(found, { onHint, onError, prefix }),
        // What was told while nobody watched is read then.
        onReplaced: (found) => readAll(found, prefix).forEach(onHint),
        onError,
      });
    },
  };
}

/**
 * The directory that only this person can write to: in `XDG_RUNTIME_DIR`, else in the machine's temporary one. It is made
 * when it is not there. `undefined` when it is anybody else's, a link, or open to others.
 */
function ownDirectory(env: NodeJS.ProcessEnv): string | undefined {
  const uid = process.getuid?.();
  if (uid === undefined) return undefined;
  const runtime = env['XDG_RUNTIME_DIR'];
  const directory =
    runtime !== undefined && runtime.startsWith('/') ? join(runtime, 'baton') : join(tmpdir(), `baton-${uid}`);
  try {
    let found = lstatSync(directory, { throwIfNoEntry: false });
    if (found === undefined) {
      makeDirectory(directory);
      found = lstatSync(directory, { throwIfNoEntry: false });
    }
    const isOwn = found?.isDirectory() === true && found.uid === uid && (found.mode & 0o077) === 0;
    return isOwn ? directory : undefined;
  } catch {
    // Somebody else's runtime folder, as after `su`: there are no hints then.
    return undefined;
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch {
    // Made by another node meanwhile, or it cannot be: that is looked at next.
  }
}

function watchDirectory(
  directory: string,
  {
    onHint,
    onError,
    prefix,
  }: { readonly onHint: (hint: Hint) => void; readonly onError: (error: unknown) => void; readonly prefix: string },
): Watching {
  const watcher = watch(directory, { persistent: false }, (_, name) => {
    if (name?.startsWith(prefix) !== true) return;
    const hint = readHint(directory, name);
    if (hint !== undefined) onHint(hint);
  });
  watcher.on('error', onError);
  return {
    close: () => {
      watcher.close();
      return Promise.resolve();
    },
  };
}

function readAll(directory: string, prefix: string): readonly Hint[] {
  return namesInFolder(directory)
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => readHint(directory, name) ?? []);
}

/** Reads one; `undefined` for everything that is not a small plain file with a hint in it. Waits for nothing. */
function readHint(directory: string, name: string): Hint | undefined {
  if (!NAME.test(name)) return undefined;
  let descriptor: number | undefined;
  try {
    // Neither a link is followed, nor does a pipe that nobody writes to keep the node waiting.
    descriptor = openSync(join(directory, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.uid !== process.getuid?.() || found.size > MOST_BYTES) return undefined;
    const bytes = Buffer.alloc(MOST_BYTES);
    const length = readSync(descriptor, bytes, 0, MOST_BYTES, 0);
    const [, commit, ref] = CONTENT.exec(bytes.toString('utf8', 0, length)) ?? [];
    return commit === undefined || ref === undefined ? undefined : { ref, commit };
  } catch {
    // Replaced or removed meanwhile, or never readable: no hint, and the poll finds out.
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Removes hints of which everybody has heard, of whatever remote. */
function sweep(directory: string): void {
  const before = Date.now() - STALE;
  for (const name of namesInFolder(directory).filter((candidate) => NAME.test(candidate))) {
    try {
      if (lstatSync(join(directory, name)).mtimeMs < before) unlinkSync(join(directory, name));
    } catch {
      // Another node was faster.
    }
  }
}
