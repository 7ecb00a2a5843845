import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGit } from '../../../src/adapters/git/git.ts';
import { initRepository } from '../../../src/adapters/git/setup.ts';
import type { Git, TreeEdit } from '../../../src/ports-git.ts';
import { testFolder } from '../../support/folders.ts';
import { git as plain } from '../../support/git.ts';
import { write as put } from './nearby-team.ts';

const AUTHOR = { name: 'Pat', email: 'pat@local' };

async function makeRepository(): Promise<{ dir: string; git: Git }> {
  const dir = join(testFolder('objects'), 'w');
  await initRepository(dir, 'main');
  return { dir, git: await createGit({ dir }) };
}

const commit = (git: Git, parents: readonly string[], edits: readonly TreeEdit[], at = 1_700_000_000) =>
  git.commit({ parents, edits, message: 'm\n', author: AUTHOR, at });

const isBelow = (path: string, directory: string): boolean => path.startsWith(`${directory}/`);

/** The files that remain, as anybody would expect: what is removed goes first, and what is written makes room. */
function applied(files: ReadonlyMap<string, string>, edits: readonly TreeEdit[]): ReadonlyMap<string, string> {
  const after = new Map(files);
  for (const edit of edits) {
    if (edit.kind !== 'remove') continue;
    for (const path of after.keys()) if (path === edit.path || isBelow(path, edit.path)) after.delete(path);
  }
  for (const edit of edits) {
    if (edit.kind !== 'content') continue;
    for (const path of after.keys()) if (isBelow(path, edit.path) || isBelow(edit.path, path)) after.delete(path);
    after.set(edit.path, Buffer.from(edit.content).toString('utf8'));
  }
  return after;
}

const name = fc.constantFrom('a', 'a-', 'a.b', 'ab', 'a0', 'B', 'é', 'x y', 'z"\\', 'long-name-of-a-file');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const write = fc
  .tuple(path, fc.constantFrom('', 'one\n', 'two\n', 'three'))
  .map(([at, text]): TreeEdit => ({ path: at, kind: 'content', mode: '100644', content: Buffer.from(text) }));
const removal = path.map((at): TreeEdit => ({ path: at, kind: 'remove' }));

/** No edit writes below a file that another writes. */
const edits = fc.array(fc.oneof({ weight: 3, arbitrary: write }, removal), { maxLength: 12 }).map((all) => {
  const kept: TreeEdit[] = [];
  for (const edit of all) {
    const clash = (other: TreeEdit): boolean =>
      other.path === edit.path || isBelow(edit.path, other.path) || isBelow(other.path, edit.path);
    if (!kept.some(clash)) kept.push(edit);
  }
  return kept;
});

/** What git says of two commits, in the words of `Git.diff`. */
function differenceOf(dir: string, before: string, after: string): readonly string[] {
  const parts = plain(dir, 'diff-tree', '-r', '-z', '--raw', '--no-renames', before, after).split('\0');
  const lines: string[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [from = '', to = '', old = '', fresh = ''] = (parts[index] ?? '').slice(1).split(' ');
    lines.push(`${parts[index + 1]}: ${from} ${old} -> ${to} ${fresh}`);
  }
  return lines.sort();
}

const NONE = ['000000', '0'.repeat(40)];

test('commits hold what git would have put into them, and differ as git says', async () => {
  const { dir, git } = await makeRepository();
  await fc.assert(
    fc.asyncProperty(fc.array(edits, { minLength: 2, maxLength: 3 }), async (steps) => {
      let files: ReadonlyMap<string, string> = new Map();
      let head: string | undefined;
      for (const step of steps) {
        const next = await commit(git, head === undefined ? [] : [head], step);
        files = applied(files, step);
        const listed = await git.entries(next);
        const texts = await git.read(listed.map(({ id }) => id));
        const held = listed.map(({ path: at }, index) => [at, Buffer.from(texts[index] ?? '').toString('utf8')]);
        expect(new Map(held as [string, string][])).toEqual(files);
        if (head !== undefined) {
          const told = (await git.diff(head, next)).map(({ path: at, before, after }) => {
            const [[from, old], [to, fresh]] = [before, after].map((file) => (file ? [file.mode, file.id] : NONE)) as [
              string[],
              string[],
            ];
            return `${at}: ${from} ${old} -> ${to} ${fresh}`;
          });
          expect(told.sort()).toEqual(differenceOf(dir, head, next));
        }
        head = next;
      }
    }),
    { numRuns: 40 },
  );
  expect(plain(dir, 'fsck', '--strict', '--full', '--no-dangling')).toBe('');
});

test('many objects at once are one pack', async () => {
  const { dir, git } = await makeRepository();
  const many = Array.from({ length: 300 }, (_, index): TreeEdit => ({
    path: `d${index % 7}/${index}`,
    kind: 'content',
    mode: '100644',
    content: Buffer.from(`${index}\n`.repeat(index)),
  }));
  const id = await commit(git, [], many);
  expect(plain(dir, 'count-objects', '-v')).toMatch(/^count: 0\n[^]*^packs: 1$/m);
  expect(plain(dir, 'ls-tree', '-r', '--name-only', id).split('\n')).toHaveLength(300);
  expect(plain(dir, 'show', `${id}:d3/101`)).toBe('101\n'.repeat(101).trim());
});

test('names are resolved as git resolves them', async () => {
  const { dir, git } = await makeRepository();
  const text = (at: string): TreeEdit => ({ path: at, kind: 'content', mode: '100644', content: Buffer.from(at) });
  const id = await commit(git, [], [text('a/b/c'), text('a/b.d'), text('a/é'), text('x')]);
  const tree = plain(dir, 'rev-parse', `${id}^{tree}`);
  const names = ['', 'a', 'a/b', 'a/b/c', 'a/b.d', 'a/é', 'x', 'x/y', 'a/b/c/d', 'nothing', 'a/nothing'];
  const asked = [...names.flatMap((at) => [`${id}:${at}`, `${tree}:${at}`]), id, '-', `${'1'.repeat(40)}:a`];
  const expected = asked.map((spec) => {
    try {
      return plain(dir, 'rev-parse', '--verify', '--quiet', spec);
    } catch {
      return undefined;
    }
  });
  expect(await git.resolve(asked)).toEqual(expected);
});

test('ancestors, bases and counts are those that git finds, whatever the clocks say', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ parents: fc.array(fc.nat(30), { maxLength: 3 }), at: fc.nat(8) }), {
        minLength: 4,
        maxLength: 14,
      }),
      fc.boolean(),
      async (history, ordered) => {
        const { dir, git } = await makeRepository();
        const ids: string[] = [];
        for (const [index, { parents, at }] of history.entries()) {
          const known = [...new Set(parents.map((parent) => ids[parent % Math.max(1, index)]))];
          const clock = ordered ? index : at;
          ids.push(
            await commit(
              git,
              known.filter((id) => id !== undefined),
              [],
              1_700_000_000 + clock * 60,
            ),
          );
        }
        // A git that has read nothing of it yet.
        const fresh = await createGit({ dir });
        const pairs = ids.flatMap((left) => ids.map((right) => [left, right] as const)).slice(-60);
        for (const [left, right] of pairs) {
          const bases = linesOf(dir, 'merge-base', '--all', left, right);
          expect(await fresh.isAncestor(left, right)).toBe(bases.includes(left));
          if (!ordered) continue;
          expect([...(await fresh.mergeBases(left, right))].sort()).toEqual(bases);
          const counted = Number(plain(dir, 'rev-list', '--count', left, `^${right}`));
          expect(await fresh.count([left], [right])).toBe(counted);
          const plainCommits = Number(plain(dir, 'rev-list', '--count', '--no-merges', left, `^${right}`));
          expect(await fresh.count([left], [right], { merges: false })).toBe(plainCommits);
        }
      },
    ),
    { numRuns: 6 },
  );
});

function linesOf(dir: string, ...words: readonly string[]): readonly string[] {
  try {
    return plain(dir, ...words)
      .split('\n')
      .filter(Boolean)
      .sort();
  } catch {
    return [];
  }
}

test('objects are read as git has them, by id and by path, whether they are at hand or not', async () => {
  const { dir, git } = await makeRepository();
  const [small, large] = ['one\n', 'x'.repeat(100_000)];
  const one = await commit(git, [], [put('a/small', small), put('a/large', large)]);
  const tree = plain(dir, 'rev-parse', `${one}:a`);
  const names = [
    `${one}:a/small`,
    plain(dir, 'rev-parse', `${one}:a/large`),
    '-',
    plain(dir, 'rev-parse', `${one}:a/small`),
    `${one}:a/none`,
    '0123456789abcdef0123456789abcdef01234567',
    tree,
  ];
  const treeBytes = plain(dir, 'cat-file', '-s', tree);
  const texts = [small, large, undefined, small, undefined, undefined];
  for (const reader of [git, await createGit({ dir })]) {
    for (const time of ['first', 'again']) {
      const read = (await reader.read(names)).map((bytes) => bytes && Buffer.from(bytes));
      expect(
        read.slice(0, -1).map((bytes) => bytes?.toString()),
        time,
      ).toEqual(texts);
      expect(String(read.at(-1)?.length), time).toBe(treeBytes);
      expect(await reader.sizes(names.filter((asked) => !asked.includes(':'))), time).toEqual([
        large.length,
        undefined,
        small.length,
        undefined,
        Number(treeBytes),
      ]);
      expect(await reader.list([`${one}:a`, `${one}:none`, `${one}:a/small`]), time).toEqual([
        [
          { name: 'large', isDirectory: false },
          { name: 'small', isDirectory: false },
        ],
        [],
        [],
      ]);
    }
  }
});
