import { isUtf8 } from 'node:buffer';
import { readFileSync, readdirSync } from 'node:fs';
import type { BigIntStats, Dirent } from 'node:fs';
import { isEventLog, isFullLog } from '../protocol/event-logs.ts';
import type { Diagnostic } from '../protocol/diagnostic.ts';
import type { TreeReader } from '../protocol/view.ts';
import { isSettled, signatureOf } from './signature.ts';
import { TEMP_PREFIX, errorCode, isInside, linkAbove, look, resolveInside } from './safe-path.ts';

/** Longer files are not read as text: no record, plan or result comes near. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

export interface DiskReaderOptions {
  /** Milliseconds since the epoch. Without it nothing read before is trusted, and every new generation reads again. */
  readonly millis?: () => number;
  /**
   * A watcher reports every change, so a look at very many tasks may rest on it: beyond the first few records of a
   * generation, those that were not invalidated are not checked again. Everything else always is, because a report
   * comes a moment later than the change, and what a command rewrites must be what stands on disk.
   */
  readonly watched?: boolean;
}

export interface DiskReader extends TreeReader {
  /** Forgets these paths and the listings above them; without paths, everything. */
  invalidate(paths?: readonly string[]): void;
  /** Begins a new generation: every path is checked against the disk once more, when it is next asked for. */
  recheck(): void;
}

/** More task records than this are only asked for by a look at the whole tree. */
const FEW_RECORDS = 64;

const TASK_RECORD = /^shared\/tasks\/[^/]+\/meta\.json$/;

interface Known<Value> {
  generation: number;
  readonly signature: string | undefined;
  readonly settled: boolean;
  readonly value: Value;
}

type Text = ReturnType<TreeReader['read']>;

/**
 * The files below `root`, read when asked for and kept while their time stamps, size and inode stay the same. Within
 * one generation every path is looked at once. Symbolic links are never followed, in no part of a path. Paths also
 * come out of texts that anybody may have written: at one that leads out of the workspace there is nothing.
 */
export function createDiskReader(root: string, options: DiskReaderOptions = {}): DiskReader {
  const texts = new Map<string, Known<Text>>();
  const listings = new Map<string, Known<readonly string[]>>();
  /** Nobody adds to a full part of a log, and hardly anybody reads it; together they are longer than all else. */
  const seldomRead = new Set<string>();
  let generation = 0;
  let records = 0;

  const restsOnWatcher = (path: string): boolean => {
    if (options.watched !== true || !TASK_RECORD.test(path)) return false;
    records += 1;
    return records > FEW_RECORDS;
  };

  /** Looks `path` up again if this generation has not yet; `load` runs only when the disk may say something new. */
  function refresh<Value>(
    known: Map<string, Known<Value>>,
    path: string,
    load: (found: BigIntStats | undefined) => Value,
    failed: (code: string) => Value,
  ): Value {
    const before = known.get(path);
    if (before !== undefined && (before.generation === generation || restsOnWatcher(path))) return before.value;
    let found: BigIntStats | undefined;
    try {
      found = look(resolveInside(root, path));
    } catch (error) {
      return failed(errorCode(error));
    }
    const signature = signatureOf(found);
    if (before !== undefined && before.settled && before.signature === signature) {
      before.generation = generation;
      return before.value;
    }
    const settled = isSettled(found, options.millis?.());
    const value = load(found);
    known.set(path, { generation, signature, settled, value });
    return value;
  }

  const read = (path: string): Text => {
    if (path.endsWith('/') || !isInside(path)) return undefined;
    const text = refresh(
      texts,
      path,
      (found) => (found === undefined ? undefined : loadText(root, path, found)),
      (code) => unreadable(path, code),
    );
    if (isEventLog(path) && text !== undefined && 'text' in text && isFullLog(text.text)) seldomRead.add(path);
    return text;
  };

  const list = (directory: string): readonly string[] => {
    const path = directory === '' || directory.endsWith('/') ? directory : `${directory}/`;
    if (path === '') return namesIn(root);
    if (!isInside(path)) return [];
    return refresh(
      listings,
      path,
      (found) =>
        found?.isDirectory() === true && linkAbove(root, path) === undefined ? namesIn(resolveInside(root, path)) : [],
      () => [],
    );
  };

  return {
    read,
    list,
    exists(path) {
      if (!isInside(path)) return false;
      const found = look(resolveInside(root, path));
      if (found === undefined || linkAbove(root, path) !== undefined) return false;
      return path.endsWith('/') ? found.isDirectory() : found.isFile();
    },
    invalidate(paths) {
      if (paths === undefined) {
        texts.clear();
        listings.clear();
        return;
      }
      forgetBelow(new Set(paths.filter((path) => path.endsWith('/'))), texts, listings);
      for (const path of paths) forget(path, texts, listings);
    },
    recheck() {
      generation += 1;
      records = 0;
      for (const path of seldomRead) texts.delete(path);
      seldomRead.clear();
    },
  };
}

function loadText(root: string, path: string, found: BigIntStats): Text {
  const link = found.isSymbolicLink() ? path : linkAbove(root, path);
  if (link !== undefined) return problem(path, 'file-symlink', `${link} is a symbolic link, and Baton follows none`);
  if (!found.isFile()) return undefined;
  if (found.size > MAX_TEXT_BYTES) {
    return problem(path, 'file-too-large', `${path} has ${found.size} bytes, too many for a text`, {
      expected: `at most ${MAX_TEXT_BYTES} bytes`,
    });
  }
  let bytes: Buffer;
  try {
    bytes = readFileSync(resolveInside(root, path));
  } catch (error) {
    // Removed between the look and the reading.
    return errorCode(error) === 'ENOENT' ? undefined : unreadable(path, errorCode(error));
  }
  if (isUtf8(bytes)) return { text: bytes.toString('utf8') };
  return problem(path, 'file-not-utf8', `${path} is not UTF-8 text`, {
    line: firstBrokenLine(bytes),
    expected: 'UTF-8',
  });
}

function problem(
  file: string,
  rule: string,
  message: string,
  more: { readonly line?: number; readonly expected?: string } = {},
): { readonly problem: Diagnostic } {
  return { problem: { rule, severity: 'error', message, file, column: 1, line: 1, ...more } };
}

function unreadable(path: string, code: string): { readonly problem: Diagnostic } {
  return problem(path, 'file-unreadable', `${path} cannot be read (${code})`);
}

function firstBrokenLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, start);
    const stop = end === -1 ? bytes.length : end;
    if (!isUtf8(bytes.subarray(start, stop))) return line;
    start = stop + 1;
  }
  return line;
}

function namesIn(directory: string): readonly string[] {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    // Removed between the look and the reading, or not ours to read: nothing is known to be in it.
    return [];
  }
  return entries
    .filter((entry) => !entry.name.startsWith(TEMP_PREFIX))
    .filter((entry) => entry.isDirectory() || entry.isFile() || entry.isSymbolicLink())
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort();
}

function forgetBelow(directories: ReadonlySet<string>, ...all: readonly Map<string, unknown>[]): void {
  if (directories.size === 0) return;
  for (const known of all) {
    for (const path of known.keys()) {
      for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 2) + 1) {
        if (directories.has(path.slice(0, end))) known.delete(path);
      }
    }
  }
}

function forget(path: string, texts: Map<string, unknown>, listings: Map<string, unknown>): void {
  texts.delete(path);
  // The new file may have brought directories with it, and a removed one may have taken them along.
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    listings.delete(path.slice(0, end + 1));
  }
}
