import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import type { Dirent } from 'node:fs';
import { dirname } from 'node:path';
import type { WorkTree } from '../ports.ts';
import type { Diagnostic } from '../protocol/diagnostic.ts';
import { FlowError } from '../protocol/errors.ts';
import type { TreeReader, WorkspaceView } from '../protocol/view.ts';
import { makeDurable, replaceFile } from './atomic.ts';
import { createDiskReader } from './disk.ts';
import type { DiskReaderOptions } from './disk.ts';
import { createParseCache } from './parse-cache.ts';
import { createView, overlayReader } from './snapshot.ts';
import { TEMP_PREFIX, errorCode, linkAbove, look, refuseLinks, resolveInside } from './safe-path.ts';
import { isSettled, signatureOf } from './signature.ts';

export interface WorkTreeOptions extends DiskReaderOptions {
  /** Others' tasks are left out of the work tree (`git.sparse`). */
  readonly sparse?: boolean;
}

/**
 * The files of the workspace at `root` (an absolute path). Every `view()` begins a new generation, in which a file is
 * looked at once, when it is asked for; what did not change keeps its parsed form.
 */
export function createWorkTree(root: string, options: WorkTreeOptions = {}): WorkTree {
  const reader = createDiskReader(root, options);
  const cache = createParseCache();

  const current = (): WorkspaceView => {
    reader.recheck();
    return createView(reader, cache, options.sparse);
  };

  return {
    root,
    view: current,
    draft() {
      reader.recheck();
      const base = firstRead(root, reader);
      const overlay = overlayReader(base, []);
      return {
        view: () => createView(overlay, cache, options.sparse),
        add: (changes) => overlay.add(changes),
        seen: (path) => base.bytes(path),
      };
    },
    invalidate: (paths) => reader.invalidate(paths),
    files: (path) => filesBelow(root, path),
    bytes: (path) => bytesOf(root, path),
    stamp(path) {
      const file = resolveInside(root, path);
      if (linkAbove(root, path, plainIn(root)) !== undefined) return undefined;
      const now = options.millis?.();
      const found = look(file);
      return found?.isFile() === true && isSettled(found, now) ? signatureOf(found) : undefined;
    },
    tail: (path, from) => reading(root, path, (descriptor) => tailOf(descriptor, from)),
    writeBytes(path, bytes) {
      const file = resolveInside(root, path);
      refuseLinks(root, path, plainIn(root));
      writing(path, () => replaceFile(file, bytes));
      reader.invalidate([path]);
    },
    makeDurable: (paths) =>
      makeDurable(
        root,
        paths.map((path) => resolveInside(root, path)),
      ),
    removeFile(path) {
      const file = resolveInside(root, path);
      refuseLinks(root, parentOf(path));
      if (look(file) === undefined) return;
      writing(path, () => unlinkSync(file));
      removeEmptied(root, dirname(file));
      reader.invalidate([path]);
    },
  };
}

/**
 * Answers of a path what it held when it was first asked for. Others may look at the disk again in between, and what is
 * decided on must be what was compared with.
 */
function firstRead(root: string, reader: TreeReader): TreeReader & { bytes(path: string): Uint8Array | undefined } {
  const known = new Map<
    string,
    { readonly found: ReturnType<TreeReader['read']>; readonly bytes: Uint8Array | undefined }
  >();
  const first = (path: string) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const found = reader.read(path);
    const text = found !== undefined && 'text' in found ? found.text : undefined;
    // What is no text still has bytes, and what is gone has none.
    const bytes =
      found === undefined ? undefined : text === undefined ? bytesOf(root, path) : Buffer.from(text, 'utf8');
    const now = { found, bytes };
    known.set(path, now);
    return now;
  };
  return {
    read: (path) => first(path).found,
    exists: (path) => reader.exists(path),
    list: (directory) => reader.list(directory),
    bytes: (path) => first(path).bytes,
  };
}

/** A full disk, a read-only one or a missing right is told with the path and the system's reason. */
function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const code = errorCode(error);
    throw new FlowError('bad-workspace', `${path} cannot be written (${code})`, {
      remedy:
        code === 'ENOSPC' ? 'free some space on the disk' : 'check that the directory is there and may be written to',
      cause: error,
    });
  }
}

/** Directories that were no links a moment ago: in one go through many files they are not looked at for each. */
const plainDirectories = new Map<string, Set<string>>();

function plainIn(root: string): Set<string> {
  const known = plainDirectories.get(root);
  if (known !== undefined) return known;
  const fresh = new Set<string>();
  plainDirectories.set(root, fresh);
  // Forgotten before anybody else gets a turn in this process.
  queueMicrotask(() => plainDirectories.delete(root));
  return fresh;
}

const bytesOf = (root: string, path: string): Uint8Array | undefined => reading(root, path, (it) => readFileSync(it));

/** What `read` finds in a file; `undefined` when there is no plain file. */
function reading<Value>(root: string, path: string, read: (descriptor: number) => Value): Value | undefined {
  const file = resolveInside(root, path);
  if (refuseLinks(root, path, plainIn(root))?.isFile() !== true) return undefined;
  // Should a link take the file's place at this moment, it is still not followed.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return read(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function tailOf(descriptor: number, from: number): { readonly size: number; readonly bytes: Uint8Array } {
  const { size } = fstatSync(descriptor);
  const bytes = Buffer.alloc(Math.max(0, size - from));
  const read = bytes.length === 0 ? 0 : readSync(descriptor, bytes, 0, bytes.length, from);
  return { size, bytes: bytes.subarray(0, read) };
}

/** Git keeps no empty directories, so a removed file takes along those that only it held open; never the root. */
function removeEmptied(root: string, from: string): void {
  let directory = from;
  while (directory !== root && directory.startsWith(root)) {
    try {
      rmdirSync(directory);
    } catch {
      break;
    }
    directory = dirname(directory);
  }
}

function filesBelow(
  root: string,
  path: string,
): { readonly paths: readonly string[]; readonly problems: readonly Diagnostic[] } {
  const paths: string[] = [];
  const problems: Diagnostic[] = [];
  const file = resolveInside(root, path);
  refuseLinks(root, parentOf(path));
  const found = look(file);
  const itself = path.endsWith('/') ? path.slice(0, -1) : path;
  if (found?.isSymbolicLink() === true) problems.push(notPlain(itself, 'a symbolic link'));
  else if (found?.isDirectory() === true) collect(root, itself, paths, problems);
  else if (found?.isFile() === true && !path.endsWith('/')) paths.push(path);
  return { paths: paths.sort(), problems };
}

function collect(root: string, directory: string, paths: string[], problems: Diagnostic[]): void {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(resolveInside(root, directory), { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') problems.push(notPlain(directory, `unreadable (${errorCode(error)})`));
    return;
  }
  plainIn(root).add(directory);
  for (const entry of entries) {
    const path = `${directory}/${entry.name}`;
    if (entry.name.startsWith(TEMP_PREFIX)) continue;
    if (isGit(entry.name)) problems.push(notPlain(path, 'a git repository of its own'));
    else if (entry.isSymbolicLink()) problems.push(notPlain(path, 'a symbolic link'));
    else if (entry.isDirectory()) collect(root, path, paths, problems);
    else if (entry.isFile()) paths.push(path);
    else problems.push(notPlain(path, 'neither a file nor a directory'));
  }
}

function isGit(name: string): boolean {
  return name.toLowerCase() === '.git';
}

function notPlain(file: string, what: string): Diagnostic {
  const rule = what === 'a symbolic link' ? 'file-symlink' : 'file-not-plain';
  return { rule, severity: 'error', message: `${file} is ${what}`, file, line: 1, column: 1, expected: 'a plain file' };
}

function parentOf(path: string): string {
  const end = path.lastIndexOf('/', path.length - 2);
  return path.slice(0, end + 1);
}
