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

/** A change of a lane, with what main has at its path. */
export type NamedChange = TreeChange & { readonly inMain: ObjectId | undefined };

/** Whether a change brings a name to main: also when the lane has had it before, and main has lost it since. */
export const bringsName = ({ before, after, inMain }: NamedChange): boolean =>
  after !== undefined && (before === undefined || inMain === undefined);

/**
 * The names that additions must not collide with: those that stand in a commit at any part of the way to one of them, told apart by
 * case only or not at all. What only the lane itself holds, refused before, is in nobody's way.
 */
export async function knownNames(git: Git, commit: ObjectId, changes: readonly NamedChange[]): Promise<NameTable> {
  const ways = changes.filter(bringsName).map(({ path }) => prefixes(path));
  const removed = changes.filter(({ after }) => after === undefined).map(({ path }) => path);
  const isWanted = wantedNames(ways);
  const asked = ['', ...new Set(ways.flatMap((way) => way.slice(0, -1)))];
  const listings = await git.list(
    asked.map((directory) => (directory !== '' && isReservedPath(directory) ? '-' : `${commit}:${directory}`)),
  );
  const paths: string[] = [];
  for (const [index, directory] of asked.entries()) {
    for (const { name, isDirectory } of listings[index] ?? []) {
      if (!isWanted(directory, name)) continue;
      const path = directory === '' ? name : `${directory}/${name}`;
      if (!isDirectory) paths.push(path);
      else if (!removed.some((gone) => gone.startsWith(`${path}/`))) paths.push(`${path}/.`);
      // What the lane takes away of it may leave nothing.
      else paths.push(...(await git.entries(commit, path)).map((entry) => entry.path));
    }
  }
  return createNameTable(paths);
}

/**
 * Whether a name in a directory could be taken for a part of one of these ways. Most of ten thousand tasks could not, and that is told
 * from the name alone.
 */
function wantedNames(ways: readonly (readonly string[])[]): (directory: string, name: string) => boolean {
  const wanted = new Set(ways.flat().map(fold));
  const segments = new Set(ways.flatMap((way) => (way.at(-1) ?? '').split('/').map(fold)));
  return (directory, name) => {
    if (PLAIN.test(name) && !segments.has(name.toLowerCase())) return false;
    return wanted.has(fold(directory === '' ? name : `${directory}/${name}`));
  };
}

/** Names whose folded form is their lower case. */
const PLAIN = /^[ -~]*$/;

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
