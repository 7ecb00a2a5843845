import type { Git, ObjectId, TreeChange } from '../ports-git.ts';
import { isReservedPath } from '../protocol/names.ts';

/** The names of a tree as any file system may see them: used to keep out what could hide or displace another file. */
export interface NameTable {
  /** What stands against adding a file here, in words; `undefined` when nothing does. */
  problem(path: string): { readonly reason: 'case-twin' | 'not-owner'; readonly detail: string } | undefined;
  add(path: string): void;
  remove(path: string): void;
}

interface Name {
  readonly name: string;
  /** How many files it is (one) or holds. */
  count: number;
  file: boolean;
}

/**
 * The names that additions must not collide with: those that stand in a commit beside the first new name of each path.
 * Directories that an addition goes on in are there under just that name, so nothing above can be a twin. What only
 * the lane itself holds, refused before, is in nobody's way.
 */
export async function knownNames(git: Git, commit: ObjectId, changes: readonly TreeChange[]): Promise<NameTable> {
  const added = changes.filter(({ before, after }) => before === undefined && after !== undefined);
  const removed = changes.filter(({ after }) => after === undefined).map(({ path }) => path);
  const above = [...new Set(added.flatMap(({ path }) => prefixes(path).slice(0, -1)))];
  const inCommit = (path: string): string => (isReservedPath(path) ? '-' : `${commit}:${path}`);
  const found = await git.resolve(above.map(inCommit));
  const there = new Set(above.filter((_, index) => found[index] !== undefined));
  const ways = added.map(({ path }) => ['', ...prefixes(path).filter((name) => there.has(name))]);
  // Only here: a directory of ten thousand tasks is not gone through for what is added to one of them.
  const beside = [...new Set(ways.flatMap((way) => way.at(-1) ?? []))];
  const listings = await git.list(beside.map(inCommit));
  const paths = ways.flatMap((way) => way.slice(1, -1)).map((directory) => `${directory}/.`);
  for (const [index, directory] of beside.entries()) {
    const entries = listings[index] ?? [];
    // A commit holds no empty directory, so this is a file.
    if (entries.length === 0 && directory !== '') paths.push(directory);
    for (const { name, isDirectory } of entries) {
      const path = directory === '' ? name : `${directory}/${name}`;
      if (!isDirectory) paths.push(path);
      else if (!removed.some((gone) => gone.startsWith(`${path}/`))) paths.push(`${path}/.`);
      // What the lane takes away of it may leave nothing.
      else paths.push(...(await git.entries(commit, path)).map((entry) => entry.path));
    }
  }
  return createNameTable(paths);
}

export function createNameTable(paths: Iterable<string>): NameTable {
  const names = new Map<string, Name>();
  const files = new Set<string>();

  const table: NameTable = {
    problem(path) {
      for (const name of prefixes(path)) {
        const known = names.get(fold(name));
        if (known === undefined) return undefined;
        if (known.name !== name)
          return { reason: 'case-twin', detail: `differs from ${known.name} only by letter case` };
        if (known.file && name !== path) return { reason: 'not-owner', detail: `takes the place of the file ${name}` };
        if (!known.file && name === path)
          return { reason: 'not-owner', detail: `takes the place of the directory ${name}` };
      }
      return undefined;
    },
    add(path) {
      if (files.has(path)) return;
      files.add(path);
      for (const name of prefixes(path)) {
        const known = names.get(fold(name)) ?? { name, count: 0, file: name === path };
        known.count += 1;
        names.set(fold(name), known);
      }
    },
    remove(path) {
      if (!files.delete(path)) return;
      for (const name of prefixes(path)) {
        const known = names.get(fold(name));
        if (known === undefined) continue;
        known.count -= 1;
        if (known.count === 0) names.delete(fold(name));
      }
    },
  };
  for (const path of paths) table.add(path);
  return table;
}

function prefixes(path: string): readonly string[] {
  const segments = path.split('/');
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

const fold = (name: string): string => name.normalize('NFC').toLowerCase();
