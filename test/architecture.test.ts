import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/**
 * The direction of dependencies, checked on the imports as written. Each rule carries its reason, so that a failure
 * says why and not only where.
 */
const src = resolve(dirname(fileURLToPath(import.meta.url)), '../src');

interface Source {
  readonly file: string;
  readonly room: string;
  readonly imports: readonly string[];
  readonly text: string;
}

/** Static imports and re-exports, and lazy imports of a literal. */
const IMPORT = /^(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,]+?\s+from\s+)?'([^']+)';|\bimport\(\s*'([^']+)'/gm;

const sources: readonly Source[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => {
    const text = readFileSync(join(src, file), 'utf8');
    const imports = [...text.matchAll(IMPORT)].flatMap(([, still, lazy]) => {
      const name = still ?? lazy;
      return name === undefined ? [] : [name.startsWith('.') ? relative(src, resolve(src, dirname(file), name)) : name];
    });
    return { file, room: roomOf(file), imports, text };
  });

function roomOf(file: string): string {
  const [first, ...rest] = file.split('/');
  return rest.length === 0 ? (first ?? '').replace(/\.tsx?$/, '') : (first ?? '');
}

const isPackage = (name: string): boolean => !/\.tsx?$/.test(name);

interface Rule {
  readonly rooms: readonly string[];
  readonly may: (name: string, source: Source) => boolean;
  readonly because: string;
}

const rooms =
  (...allowed: string[]) =>
  (name: string): boolean =>
    allowed.includes(roomOf(name));

const RULES: readonly Rule[] = [
  {
    rooms: ['protocol'],
    may: (name) =>
      isPackage(name)
        ? /^(zod|unified|remark-|mdast|unist-util|micromark|node-diff3|node:crypto$)/.test(name)
        : rooms('protocol')(name),
    because: 'protocol says what files mean and is shared by all; it knows zod and Markdown only',
  },
  { rooms: ['rules'], may: rooms('protocol', 'rules'), because: 'rules are decided on values that protocol describes' },
  {
    rooms: ['dialects'],
    may: (name) => name === 'zod' || rooms('protocol', 'dialects')(name) || /^flows\/(catalog|types)\.ts$/.test(name),
    because: 'a dialect names operations and maps words; it never runs anything',
  },
  {
    rooms: ['workspace'],
    may: (name) =>
      isPackage(name) ? name.startsWith('node:') : rooms('protocol', 'ports', 'events', 'workspace')(name),
    because: 'the store never asks the rules',
  },
  {
    rooms: ['sync'],
    may: (name) =>
      isPackage(name)
        ? name.startsWith('node:') && name !== 'node:fs'
        : rooms('protocol', 'ports', 'ports-git', 'events', 'pauses', 'rules', 'sync')(name),
    because: 'sync and workspace do not import each other, and sync never asks the flows',
  },
  {
    rooms: ['flows'],
    may: (name, { file }) =>
      name === 'zod' ||
      (name === 'node:crypto' && file !== 'flows/operation.ts') ||
      rooms('protocol', 'rules', 'flows')(name) ||
      (/^flows\/(operation|facts|errand-runner)\.ts$/.test(file) &&
        rooms('workspace', 'ports', 'ports-chat', 'events')(name)),
    because: 'a flow decides on values; only execute and what it is made of see the ports',
  },
  {
    rooms: ['services'],
    may: (name) =>
      isPackage(name) ||
      rooms('flows', 'rules', 'workspace', 'events', 'protocol', 'services', 'config')(name) ||
      rooms('ports', 'ports-chat', 'ports-git')(name),
    because: 'services keep things running on ports; they know no adapter and no door',
  },
  {
    rooms: ['adapters'],
    may: (name) =>
      isPackage(name) ||
      rooms('protocol', 'ports', 'ports-chat', 'ports-git', 'pauses', 'adapters')(name) ||
      name === 'workspace/atomic.ts',
    because: 'an adapter fulfils a port; what it keeps on disk it replaces as everybody does',
  },
  {
    rooms: ['doors'],
    may: (name) =>
      isPackage(name) ||
      rooms('app', 'app-types', 'dialects', 'protocol', 'doors', 'demo', 'chaos', 'merge-driver')(name),
    because: 'doors mount dialects on a transport',
  },
];

describe('the direction of dependencies', () => {
  test('is read from the imports of every file', () => {
    const silent = sources.filter(({ imports, text }) => imports.length === 0 && /^import /m.test(text));
    expect(silent.map(({ file }) => file)).toEqual([]);
  });

  test.each(RULES.map((rule) => [rule.rooms.join(', '), rule] as const))('%s keeps to its neighbours', (_, rule) => {
    const broken = sources
      .filter(({ room }) => rule.rooms.includes(room))
      .flatMap((source) =>
        source.imports
          .filter((name) => !rule.may(name, source))
          .map((name) => `${source.file} → ${name}: ${rule.because}`),
      );
    expect(broken).toEqual([]);
  });

  test('only doors, the demo, the chaos runs and the launcher import app', () => {
    const others = sources
      .filter(({ room }) => !['doors', 'app', 'bin', 'demo', 'chaos', 'index'].includes(room))
      .filter(({ imports }) => imports.some((name) => name === 'app.ts'))
      .map(({ file }) => file);
    expect(others).toEqual([]);
  });

  test('the file system is touched only in workspace, adapters and config', () => {
    const others = sources
      .filter(
        ({ room, file }) =>
          !['workspace', 'adapters', 'config', 'services', 'demo', 'chaos'].includes(room) &&
          !file.startsWith('doors/'),
      )
      .filter(({ imports }) => imports.some((name) => name.startsWith('node:fs')))
      .map(({ file }) => file);
    expect(others).toEqual([]);
  });

  test('clocks and chance are arguments in the pure rooms', () => {
    const others = sources
      .filter(({ room }) => ['protocol', 'rules', 'flows', 'dialects', 'workspace'].includes(room))
      .filter(({ text }) =>
        /Date\.now\(|new Date\(\)|Math\.random\(|setTimeout\(|setInterval\(|randomBytes|randomUUID/.test(text),
      )
      .map(({ file }) => file);
    expect(others).toEqual([]);
  });

  test('no file imports itself through others', () => {
    const edges = new Map(sources.map(({ file, imports }) => [file, imports.filter((name) => !isPackage(name))]));
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of edges.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });
});
