import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/protocol/changes.ts';
import type { TreeReader } from '../../src/protocol/view.ts';
import { memoryReader, overlayReader } from '../../src/workspace/snapshot.ts';

/** Everything that a reader says, so that two readers can be compared whole. */
function contents(reader: TreeReader, directory = ''): Record<string, string | undefined> {
  return Object.fromEntries(
    reader.list(directory).flatMap((name) => {
      const path = `${directory}${name}`;
      if (name.endsWith('/')) return Object.entries(contents(reader, path));
      const found = reader.read(path);
      return [[path, found !== undefined && 'text' in found ? found.text : undefined]];
    }),
  );
}

describe('a tree in memory', () => {
  const reader = memoryReader({
    'shared/team.json': '{}',
    'shared/tasks/t-1/meta.json': 'meta',
    'shared/tasks/t-2/spec.md': 's',
  });

  test('lists what lies directly under a directory, sorted, directories with a slash', () => {
    expect(reader.list('shared/')).toEqual(['tasks/', 'team.json']);
    expect(reader.list('shared/tasks')).toEqual(['t-1/', 't-2/']);
    expect(reader.list('shared/absent/')).toEqual([]);
  });

  test('tells files and directories apart', () => {
    expect(reader.exists('shared/tasks/')).toBe(true);
    expect(reader.exists('shared/tasks')).toBe(false);
    expect(reader.exists('shared/team.json')).toBe(true);
    expect(reader.exists('shared/team.json/')).toBe(false);
    expect(reader.read('shared/tasks/t-1/meta.json')).toEqual({ text: 'meta' });
    expect(reader.read('shared/tasks/t-9/meta.json')).toBeUndefined();
  });
});

describe('a tree with changes laid over it', () => {
  const base = memoryReader({ 'shared/a/x.md': 'x', 'shared/a/y.md': 'y', 'shared/b/z.md': 'z' });

  test('shows written files in new directories and keeps all others', () => {
    const reader = overlayReader(base, [{ kind: 'write', path: 'shared/c/d/new.md', text: 'n' }]);
    expect(contents(reader)).toEqual({
      'shared/a/x.md': 'x',
      'shared/a/y.md': 'y',
      'shared/b/z.md': 'z',
      'shared/c/d/new.md': 'n',
    });
    expect(reader.exists('shared/c/')).toBe(true);
    expect(reader.exists('shared/c/d/new.md')).toBe(true);
  });

  test('drops removed files and the directories that they leave empty', () => {
    const reader = overlayReader(base, [{ kind: 'remove', path: 'shared/b/z.md' }]);
    expect(reader.list('shared/')).toEqual(['a/']);
    expect(reader.exists('shared/b/')).toBe(false);
    expect(reader.read('shared/b/z.md')).toBeUndefined();
  });

  test('drops removed directories whole', () => {
    const reader = overlayReader(base, [{ kind: 'remove', path: 'shared/a/' }]);
    expect(contents(reader)).toEqual({ 'shared/b/z.md': 'z' });
    expect(reader.list('shared/')).toEqual(['b/']);
  });

  test('lets the later of two changes of one path win', () => {
    const reader = overlayReader(base, [
      { kind: 'write', path: 'shared/a/x.md', text: 'first' },
      { kind: 'remove', path: 'shared/a/' },
      { kind: 'write', path: 'shared/a/x.md', text: 'second' },
    ]);
    expect(contents(reader)).toEqual({ 'shared/a/x.md': 'second', 'shared/b/z.md': 'z' });
  });

  test('takes adopted files and directories from the tree that they are adopted from', () => {
    const disk = memoryReader({ 'shared/a/x.md': 'on disk', 'shared/w/one.md': '1', 'shared/w/deep/two.md': '2' });
    const changes: Change[] = [
      { kind: 'adopt', path: 'shared/a/x.md' },
      { kind: 'adopt', path: 'shared/w/' },
      { kind: 'adopt', path: 'shared/b/z.md' },
    ];
    expect(contents(overlayReader(base, changes, disk))).toEqual({
      'shared/a/x.md': 'on disk',
      'shared/a/y.md': 'y',
      'shared/w/one.md': '1',
      'shared/w/deep/two.md': '2',
    });
  });

  test('says the same as a tree in which the changes were made, whatever they are', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
      .map((parts) => `shared/${parts.join('/')}.md`);
    const change: fc.Arbitrary<Change> = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), path, text: fc.string() }),
      fc.record({ kind: fc.constant('remove' as const), path }),
    );
    fc.assert(
      fc.property(fc.dictionary(path, fc.string()), fc.array(change), (files, changes) => {
        const expected: Record<string, string> = { ...files };
        for (const item of changes) {
          if (item.kind === 'write') expected[item.path] = item.text;
          else delete expected[item.path];
        }
        expect(contents(overlayReader(memoryReader(files), changes))).toEqual(contents(memoryReader(expected)));
      }),
    );
  });
});
