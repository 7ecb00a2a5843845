import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isolatedEnvironment } from '../../../src/adapters/git/environment.ts';
import { createStage } from '../../../src/adapters/git/stage.ts';
import { createStillness } from '../../../src/adapters/git/stillness.ts';
import type { IndexEntry } from '../../../src/ports-git.ts';
import { testFolder } from '../../support/folders.ts';
import { git } from '../../support/git.ts';
import { eventually } from '../../support/waiting.ts';

const BLOBS = ['one\n', 'two\n', 'three\n'];

interface Repository {
  readonly dir: string;
  readonly ids: readonly string[];
  readonly index: string;
  readonly stage: (entries: readonly IndexEntry[]) => Promise<boolean>;
}

function makeRepository(format: 'sha1' | 'sha256' = 'sha1', path = process.env['PATH'] ?? ''): Repository {
  const dir = testFolder('index');
  git(dir, 'init', '-q', `--object-format=${format}`);
  const ids = BLOBS.map((text) =>
    execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: dir, input: text, encoding: 'utf8' }).trim(),
  );
  const index = join(dir, '.git/index');
  const env = { ...isolatedEnvironment(process.env, []), PATH: path, GIT_DIR: join(dir, '.git') };
  const stage = createStage(
    { cwd: dir, env },
    { file: index, objects: join(dir, '.git/objects'), idBytes: format === 'sha256' ? 32 : 20 },
    createStillness(join(dir, '.git')).noteOwn,
  );
  return { dir, ids, index, stage };
}

/** What git itself makes of the same entries. */
function byGit({ dir, ids }: Repository, entries: readonly IndexEntry[]): void {
  const nothing = '0'.repeat(ids[0]?.length ?? 40);
  const input = entries
    .map((entry) => (entry.id === undefined ? `0 ${nothing}` : `${entry.mode} ${entry.id}`) + `\t${entry.path}\0`)
    .join('');
  execFileSync('git', ['update-index', '-z', '--add', '--remove', '--replace', '--index-info'], { cwd: dir, input });
}

const name = fc.constantFrom('a', 'a-', 'a.b', 'ab', 'B', 'é', 'x y', 'a-rather-long-name-of-a-file');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const edit = fc.record({ path, blob: fc.integer({ min: -1, max: 2 }), mode: fc.constantFrom('100644', '100755') });
const rounds = fc.array(fc.uniqueArray(edit, { maxLength: 8, selector: (one) => one.path }), {
  minLength: 1,
  maxLength: 3,
});

/** No entry of one round lies below another. */
function entriesOf(
  ids: readonly string[],
  round: readonly { path: string; blob: number; mode: string }[],
): IndexEntry[] {
  const isBelow = (one: string, other: string): boolean => one.startsWith(`${other}/`);
  const apart = round.filter(({ path: one }) => !round.some(({ path: other }) => isBelow(one, other)));
  return apart.map(({ path: at, blob, mode }) => {
    const id = ids[blob];
    return id === undefined ? { path: at, id } : { path: at, id, mode };
  });
}

test('entries are set and taken out as git does it, and the trees that a commit makes of them are the same', async () => {
  const run = async (all: readonly Parameters<typeof entriesOf>[1][]): Promise<void> => {
    const [ours, theirs] = [makeRepository(), makeRepository()];
    for (const { dir, ids } of [ours, theirs]) {
      git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[0]},a-/kept`);
      git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[1]},z/deep/kept`);
    }
    for (const round of all) {
      // The trees of directories are remembered in the index.
      expect(git(ours.dir, 'write-tree')).toBe(git(theirs.dir, 'write-tree'));
      expect(await ours.stage(entriesOf(ours.ids, round))).toBe(true);
      byGit(theirs, entriesOf(theirs.ids, round));
    }
    expect(git(ours.dir, 'ls-files', '--stage')).toBe(git(theirs.dir, 'ls-files', '--stage'));
    expect(git(ours.dir, 'write-tree')).toBe(git(theirs.dir, 'write-tree'));
  };
  await fc.assert(fc.asyncProperty(rounds, run), { numRuns: 20 });
}, 60_000);

/** A path on which there is no git: what is done, is done in this process. */
const NO_GIT = '/nonexistent';

describe('an index', () => {
  test.each(['sha1', 'sha256'] as const)('of %s is edited without a process', async (format) => {
    const { dir, ids, stage } = makeRepository(format, NO_GIT);
    writeFileSync(join(dir, 'kept'), 'one\n');
    git(dir, 'add', 'kept');
    const long = `${'d/'.repeat(20)}${'n'.repeat(200)}`;
    await stage([{ path: long, id: ids[1] ?? '', mode: '100644' }]);
    expect(git(dir, 'ls-files', '--stage')).toBe(`100644 ${ids[1]} 0\t${long}\n100644 ${ids[0]} 0\tkept`);
    await stage([{ path: long, id: undefined }]);
    expect(git(dir, 'status', '--porcelain')).toBe('A  kept');
  });

  test('that already shows what it is to show is not written', async () => {
    const { dir, ids, index, stage } = makeRepository('sha1', NO_GIT);
    git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[0]},a`);
    const before = statSync(index).ino;
    expect(
      await stage([
        { path: 'a', id: ids[0] ?? '', mode: '100644' },
        { path: 'b', id: undefined },
      ]),
    ).toBe(true);
    expect(statSync(index).ino).toBe(before);
  });

  test('keeps its permissions', async () => {
    const { dir, ids, index, stage } = makeRepository('sha1', NO_GIT);
    git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[0]},a`);
    const { mode } = statSync(index);
    await stage([{ path: 'a', id: ids[1] ?? '', mode: '100644' }]);
    expect(statSync(index).mode).toBe(mode);
  });

  test('that another git holds is left alone', async () => {
    const { dir, ids, index, stage } = makeRepository('sha1', NO_GIT);
    git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[0]},a`);
    writeFileSync(`${index}.lock`, '');
    const before = readFileSync(index);
    expect(await stage([{ path: 'b', id: ids[1] ?? '', mode: '100644' }])).toBe(false);
    expect(readFileSync(index)).toEqual(before);
  });

  test('whose lock a killed node left is edited, once the lock is some seconds old', async () => {
    const { dir, ids, index, stage } = makeRepository('sha1', NO_GIT);
    git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[0]},a`);
    writeFileSync(`${index}.lock`, '', { mode: 0o444 });
    const entry = { path: 'b', id: ids[1] ?? '', mode: '100644' };
    expect(await stage([entry])).toBe(false);
    await eventually(() => stage([entry]), 'the lock is taken away');
    expect(existsSync(`${index}.lock`)).toBe(false);
  });

  test('is written beside what a node of the same number is about to put in its place', async () => {
    const { dir, ids, index, stage } = makeRepository('sha1', NO_GIT);
    git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[0]},a`);
    // In another container, another process has this number too.
    const theirs = `${index}.baton-${process.pid}`;
    writeFileSync(theirs, 'theirs');
    expect(await stage([{ path: 'b', id: ids[1] ?? '', mode: '100644' }])).toBe(true);
    expect(readFileSync(theirs, 'utf8')).toBe('theirs');
    const left = readdirSync(join(dir, '.git/objects')).filter((file) => file.startsWith('tmp_'));
    expect([git(dir, 'ls-files'), left]).toEqual(['a\nb', []]);
  });

  test.each([
    [
      'in which a merge left a conflict',
      (dir: string, ids: readonly string[]) => {
        const input = [1, 2, 3].map((stage) => `100644 ${ids[stage - 1]} ${stage}\tb\n`).join('');
        execFileSync('git', ['update-index', '--index-info'], { cwd: dir, input });
      },
    ],
    ['of version 4', (dir: string) => git(dir, 'update-index', '--index-version', '4')],
    ['that is split in two', (dir: string) => git(dir, 'update-index', '--split-index')],
    ['with flags of its own', (dir: string) => git(dir, 'update-index', '--skip-worktree', 'a')],
    ['that remembers untracked files', (dir: string) => git(dir, 'update-index', '--force-untracked-cache')],
    [
      'that has a file where a directory is to be',
      (dir: string, ids: readonly string[]) => git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[0]},c`),
    ],
  ])('%s ends as git would leave it', async (_, prepare) => {
    const [ours, theirs] = [makeRepository(), makeRepository()];
    for (const { dir, ids } of [ours, theirs]) {
      git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[0]},a`);
      prepare(dir, ids);
    }
    const entries = ({ ids }: Repository): IndexEntry[] => [
      { path: 'b', id: ids[1] ?? '', mode: '100644' },
      { path: 'c/d', id: ids[2] ?? '', mode: '100644' },
    ];
    expect(await ours.stage(entries(ours))).toBe(true);
    byGit(theirs, entries(theirs));
    expect(git(ours.dir, 'ls-files', '--stage')).toBe(git(theirs.dir, 'ls-files', '--stage'));
  });

  test('that is cut off is reported, and not made to look whole', async () => {
    const { dir, ids, index, stage } = makeRepository();
    git(dir, 'update-index', '--add', '--cacheinfo', `100644,${ids[0]},a`);
    const bytes = readFileSync(index).subarray(0, 20);
    writeFileSync(index, bytes);
    await expect(stage([{ path: 'b', id: ids[1] ?? '', mode: '100644' }])).rejects.toThrow(/git update-index failed/);
    expect(readFileSync(index)).toEqual(bytes);
  });
});
