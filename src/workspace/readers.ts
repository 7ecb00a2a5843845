import type { Change } from '../protocol/changes.ts';
import type { TreeReader } from '../protocol/view.ts';

/** A tree that is a map of texts by path: for tests, and for trees that are decided on before they exist. */
export function memoryReader(files: Readonly<Record<string, string>>): TreeReader {
  const texts = new Map(Object.entries(files));
  const directories = index(texts.keys());
  return {
    read(path) {
      const text = texts.get(path);
      return text === undefined ? undefined : { text };
    },
    exists: (path) => (path.endsWith('/') ? directories.has(path) : texts.has(path)),
    list: (directory) => [...(directories.get(asDirectory(directory)) ?? [])].sort(),
  };
}

/** A tree with changes on top of it that may grow. */
export interface Overlay extends TreeReader {
  /** Puts further changes on top, in order. */
  add(changes: readonly Change[]): void;
}

/**
 * `reader` as it will be once `changes` are applied, in order. What a change adopts is read from `adoptedFrom`: the
 * disk, where `reader` is something older; left out when `reader` is the disk itself.
 */
export function overlayReader(
  reader: TreeReader,
  changes: readonly Change[],
  adoptedFrom: TreeReader = reader,
): Overlay {
  const files = new Map<string, Layer>();
  const trees = new Map<string, Layer>();
  /** Directories that a change touches must be put together anew; all others are as they were. */
  const touched = new Map<string, Set<string>>();

  function add(added: readonly Change[]): void {
    for (const change of added) {
      if (change.kind === 'move') {
        move(change.from, change.path);
        continue;
      }
      const layer = layerOf(change, adoptedFrom);
      if (change.path.endsWith('/')) {
        for (const path of files.keys()) if (path.startsWith(change.path)) files.delete(path);
        trees.set(change.path, layer);
        enter(touched, change.path.slice(0, -1));
      } else {
        files.set(change.path, layer);
        enter(touched, change.path);
      }
    }
  }

  /** Everything below `from`, as it is by now, is below `to` from here on. */
  function move(from: string, to: string): void {
    const below = treeAbove(trees, from) ?? reader;
    const moved = [...files].filter(([path]) => path.startsWith(from));
    for (const [path] of moved) files.delete(path);
    for (const [path, layer] of moved) {
      const there = to + path.slice(from.length);
      files.set(there, elsewhere(layer, there, path));
      enter(touched, there);
    }
    trees.set(to, elsewhere(below, to, from));
    trees.set(from, NOTHING);
    enter(touched, to.slice(0, -1));
    enter(touched, from.slice(0, -1));
  }

  const layerAt = (path: string): Layer => files.get(path) ?? treeAbove(trees, path) ?? reader;

  function list(directory: string): readonly string[] {
    const path = asDirectory(directory);
    const below = layerAt(path).list(path);
    const children = touched.get(path);
    if (children === undefined) return below;
    const names = new Set(below);
    for (const child of children) {
      const name = child.endsWith('/') ? child.slice(0, -1) : child;
      // What is written here is a file, whatever the disk has.
      if (files.get(`${path}${name}`)?.exists(`${path}${name}`) === true) {
        names.add(name);
        continue;
      }
      for (const candidate of [name, `${name}/`]) {
        if (exists(`${path}${candidate}`)) names.add(candidate);
        else names.delete(candidate);
      }
    }
    return [...names].sort();
  }

  function exists(path: string): boolean {
    if (!path.endsWith('/')) return layerAt(path).exists(path);
    return touched.has(path) ? list(path).length > 0 : layerAt(path).exists(path);
  }

  add(changes);
  return { read: (path) => layerAt(path).read(path), exists, list, add };
}

type Layer = TreeReader;

const NOTHING: Layer = { read: () => undefined, exists: () => false, list: () => [] };

/** What `layer` holds below `from`, told as if it were below `at`. */
function elsewhere(layer: Layer, at: string, from: string): Layer {
  const back = (path: string): string => from + path.slice(at.length);
  return {
    read: (path) => layer.read(back(path)),
    exists: (path) => layer.exists(back(path)),
    list: (path) => layer.list(back(path)),
  };
}

function layerOf(change: Exclude<Change, { readonly kind: 'move' }>, adoptedFrom: TreeReader): Layer {
  if (change.kind === 'adopt') return adoptedFrom;
  if (change.kind === 'remove') return NOTHING;
  const { text } = change;
  return { read: () => ({ text }), exists: () => true, list: () => [] };
}

/** The innermost changed directory that holds `path`. */
function treeAbove(trees: ReadonlyMap<string, Layer>, path: string): Layer | undefined {
  if (trees.size === 0) return undefined;
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 2) + 1) {
    const layer = trees.get(path.slice(0, end));
    if (layer !== undefined) return layer;
  }
  return undefined;
}

/** The names directly under every directory above `paths`; directories end in `/`. */
function index(paths: Iterable<string>): Map<string, Set<string>> {
  const directories = new Map<string, Set<string>>();
  for (const path of paths) enter(directories, path);
  return directories;
}

function enter(directories: Map<string, Set<string>>, path: string): void {
  let start = 0;
  for (;;) {
    const directory = path.slice(0, start);
    const end = path.indexOf('/', start);
    const name = end === -1 ? path.slice(start) : path.slice(start, end + 1);
    const names = directories.get(directory) ?? new Set<string>();
    directories.set(directory, names.add(name));
    if (end === -1 || end === path.length - 1) break;
    start = end + 1;
  }
}

function asDirectory(path: string): string {
  return path === '' || path.endsWith('/') ? path : `${path}/`;
}
