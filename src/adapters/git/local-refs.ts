import { existsSync, lstatSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ObjectId } from '../../ports-git.ts';
import { ABSENT, stampOf } from './file-stamp.ts';

export type Branches = ReadonlyMap<string, ObjectId>;

/** What git tries behind a path, in this order. */
const ENDINGS = ['/.git', '', '.git/.git', '.git'];

/**
 * The git directory of a remote that lies on this machine; `undefined` for any other, and where a file names it, as in a
 * work tree of another repository.
 */
export function localGitDirectory(root: string, remote: string): string | undefined {
  const path = pathOf(remote);
  if (path === undefined) return undefined;
  const directory = resolve(root, path);
  for (const candidate of ENDINGS.map((ending) => `${directory}${ending}`)) {
    const found = statSync(candidate, { throwIfNoEntry: false });
    if (found?.isFile() === true) return undefined;
    if (found?.isDirectory() === true && WHOLE.every((name) => existsSync(join(candidate, name)))) return candidate;
  }
  return undefined;
}

/** What git looks for in a directory that is a repository. */
const WHOLE = ['HEAD', 'objects', 'refs'];

function pathOf(remote: string): string | undefined {
  if (remote.startsWith('file://')) {
    try {
      return fileURLToPath(remote);
    } catch {
      return undefined;
    }
  }
  // `host:path` is an address of ssh, unless a slash comes before the colon.
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(remote) || /^[^/]*:/.test(remote) ? undefined : remote;
}

/**
 * What a ref of a repository on this machine names, by its path below the git directory (`refs/heads/main`);
 * `undefined` for everything that is not a loose ref: gone, packed, or another kind of file.
 */
export function looseRef(gitDirectory: string, path: string): ObjectId | undefined {
  try {
    const text = readFileSync(join(gitDirectory, path), 'utf8').trim();
    return ID.test(text) ? text : undefined;
  } catch {
    // Removed or packed meanwhile: then nothing can be told from the file.
    return undefined;
  }
}

/**
 * Reads branches of a repository on this machine from its files, by patterns as of a fetch (`main`, `lanes/*`). It
 * tells in a fraction of a millisecond whether a fetch would bring anything. `undefined` for a repository that keeps
 * its refs in another way, or that cannot be read: then git is asked.
 */
export function createLocalRefs(gitDirectory: string): (patterns: readonly string[]) => Branches | undefined {
  const readPacked = createPackedRefs(join(gitDirectory, 'packed-refs'));
  return (patterns) => {
    if (hasRefsElsewhere(gitDirectory)) return undefined;
    try {
      // Git removes loose refs once they are packed: so they are read in this order, and loose ones are newer.
      const names = patterns.flatMap((pattern) =>
        pattern.endsWith('*') ? below(gitDirectory, pattern.slice(0, -1)) : [`${HEADS}${pattern}`],
      );
      const loose = names.flatMap((name) => readLoose(gitDirectory, name));
      const packed = [...readPacked()].filter(([ref]) => patterns.some((pattern) => matches(ref, pattern)));
      return new Map([...packed, ...loose]);
    } catch {
      // Something that is no plain ref, or that changes at this moment.
      return undefined;
    }
  };
}

/**
 * Reads refs by their full names, as `createLocalRefs` does, in order; nothing for one that is not there. Whether there is an object
 * of that name is not asked.
 */
export function createRefReader(
  gitDirectory: string,
): (names: readonly string[]) => readonly (ObjectId | undefined)[] | undefined {
  const readPacked = createPackedRefs(join(gitDirectory, 'packed-refs'));
  return (names) => {
    if (hasRefsElsewhere(gitDirectory)) return undefined;
    try {
      const loose = names.map((name) => readLoose(gitDirectory, name)[0]?.[1]);
      return loose.every((id) => id !== undefined)
        ? loose
        : loose.map((id, index) => id ?? readPacked().get(names[index] ?? ''));
    } catch {
      return undefined;
    }
  };
}

/** A work tree of another repository, or refs in tables. */
const hasRefsElsewhere = (gitDirectory: string): boolean =>
  existsSync(join(gitDirectory, 'commondir')) || existsSync(join(gitDirectory, 'reftable'));

const HEADS = 'refs/heads/';
const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Whether a ref (`refs/heads/…`) is one of those that a pattern names. */
export function matches(ref: string, pattern: string): boolean {
  const name = `${HEADS}${pattern}`;
  return name.endsWith('*') ? ref.startsWith(name.slice(0, -1)) : ref === name;
}

/** Nothing for one that is not there as a file. Throws for what is no plain ref. */
function readLoose(gitDirectory: string, name: string): readonly (readonly [string, ObjectId])[] {
  const found = lstatSync(join(gitDirectory, name), { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return [];
  const id = found.isFile() ? looseRef(gitDirectory, name) : undefined;
  if (id === undefined) throw new TypeError(`${name} is no plain ref`);
  return [[name, id]];
}

/** The refs whose names begin with this prefix, which need not end at a slash. */
function below(gitDirectory: string, prefix: string): readonly string[] {
  const name = `${HEADS}${prefix}`;
  const directory = name.slice(0, name.lastIndexOf('/'));
  const root = join(gitDirectory, directory);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((file) => `${directory}/${file}`)
    .filter((file) => file.startsWith(name) && !file.endsWith('.lock'));
}

/** The file is parsed again only when it has changed. */
function createPackedRefs(file: string): () => Branches {
  let seen = '';
  let refs: Branches = new Map();
  return () => {
    const stamp = stampOf(file);
    if (stamp === seen) return refs;
    const lines = stamp === ABSENT ? [] : readFileSync(file, 'utf8').split('\n');
    refs = new Map(
      lines.flatMap((line) => {
        const [id = '', ref = ''] = line.split(' ');
        return ID.test(id) ? [[ref, id] as const] : [];
      }),
    );
    seen = stamp;
    return refs;
  };
}
