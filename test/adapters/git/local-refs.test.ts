import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLocalRefs, createRefReader, localGitDirectory } from '../../../src/adapters/git/local-refs.ts';
import { testFolder } from '../../support/folders.ts';
import { git } from '../../support/git.ts';

const PATTERNS = ['main', 'lanes/*'];

function makeRemote(): { dir: string; commit: string; next: string } {
  const dir = join(testFolder('refs'), 'team.git');
  git('/', 'init', '-q', '--bare', '--initial-branch=main', dir);
  const tree = git(dir, 'mktree');
  const commit = git(dir, 'commit-tree', '-m', 'one', tree);
  const next = git(dir, 'commit-tree', '-m', 'two', '-p', commit, tree);
  for (const branch of ['main', 'lanes/ana', 'lanes/bo/c', 'other'])
    git(dir, 'update-ref', `refs/heads/${branch}`, commit);
  return { dir, commit, next };
}

/** What git itself lists of the branches that are asked for. */
function listed(dir: string): ReadonlyMap<string, string> {
  const lines = git(dir, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads/main', 'refs/heads/lanes/');
  return new Map(lines.split('\n').map((line) => line.split(' ') as [string, string]));
}

test('branches are read as git lists them, loose or packed, and as they move and go', () => {
  const { dir, next } = makeRemote();
  const read = createLocalRefs(dir);
  const agree = (): void => expect(read(PATTERNS)).toEqual(listed(dir));
  agree();
  git(dir, 'pack-refs', '--all', '--prune');
  agree();
  git(dir, 'update-ref', 'refs/heads/lanes/ana', next);
  agree();
  git(dir, 'update-ref', '-d', 'refs/heads/lanes/bo/c');
  agree();
  git(dir, 'pack-refs', '--all', '--prune');
  agree();
  expect(read(['lanes/an*'])).toEqual(new Map([['refs/heads/lanes/ana', next]]));
  expect(read(['absent'])).toEqual(new Map());
});

test('what is no plain ref is left to git', () => {
  const { dir } = makeRemote();
  const read = createLocalRefs(dir);
  git(dir, 'symbolic-ref', 'refs/heads/lanes/ana', 'refs/heads/main');
  expect(read(PATTERNS)).toBeUndefined();
  rmSync(join(dir, 'refs/heads/lanes/ana'));
  expect(read(PATTERNS)).toEqual(listed(dir));
  writeFileSync(join(dir, 'refs/heads/main'), 'half of a re');
  expect(read(PATTERNS)).toBeUndefined();
  renameSync(join(dir, 'refs'), join(dir, 'gone'));
  writeFileSync(join(dir, 'commondir'), '../other.git\n');
  expect(read(PATTERNS)).toBeUndefined();
});

test('refs are read by name as git reads them, loose, packed and gone, and left to git where they are not plain', () => {
  const { dir, commit, next } = makeRemote();
  const names = ['refs/heads/main', 'refs/baton/checkout', 'refs/heads/lanes/none', 'refs/heads/lanes'];
  const read = createRefReader(dir);
  expect(read(names)).toEqual([commit, undefined, undefined, undefined]);
  git(dir, 'update-ref', 'refs/baton/checkout', next);
  expect(read(names)).toEqual([commit, next, undefined, undefined]);
  git(dir, 'pack-refs', '--all', '--prune');
  expect(read(names)).toEqual([commit, next, undefined, undefined]);
  git(dir, 'update-ref', 'refs/heads/main', next);
  git(dir, 'update-ref', '-d', 'refs/baton/checkout');
  expect(read(names)).toEqual([next, undefined, undefined, undefined]);
  git(dir, 'symbolic-ref', 'refs/heads/lanes/none', 'refs/heads/main');
  expect(read(names)).toBeUndefined();
  expect(read(['refs/heads/main'])).toEqual([next]);
  writeFileSync(join(dir, 'commondir'), '../other.git\n');
  expect(read(['refs/heads/main'])).toBeUndefined();
});

test('a remote on this machine is found by paths and file addresses that hold a repository, and for nothing else', () => {
  const folder = testFolder();
  git(folder, 'init', '--quiet', '--bare', 'team.git');
  git(folder, 'init', '--quiet', 'code');
  const bare = join(folder, 'team.git');
  expect(localGitDirectory(folder, bare)).toBe(bare);
  expect(localGitDirectory(folder, 'team.git')).toBe(bare);
  expect(localGitDirectory(folder, join(folder, 'team'))).toBe(bare);
  expect(localGitDirectory(folder, `file://${bare}`)).toBe(bare);
  expect(localGitDirectory(folder, join(folder, 'code'))).toBe(join(folder, 'code', '.git'));
  for (const elsewhere of [
    'https://forge.example/team.git',
    'git@forge.example:team.git',
    join(folder, 'absent'),
    'file://%',
  ]) {
    expect(localGitDirectory(folder, elsewhere)).toBeUndefined();
  }
});
