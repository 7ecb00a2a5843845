import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bringBack } from '../../src/rules/shell.ts';
import { testFolder } from '../support/folders.ts';
import { IDENTITY, git } from '../support/git.ts';

test('the command that brings back a removed folder does so, also when it was removed on a branch since merged', () => {
  const dir = testFolder('shell');
  const commit = (path: string): void => {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), path);
    git(dir, 'add', '-A');
    git(dir, 'commit', '-q', '-m', path);
  };
  git(dir, 'init', '-q', '-b', 'main');
  commit('shared/tasks/t-1/meta.json');
  git(dir, 'switch', '-q', '-c', 'side');
  git(dir, 'rm', '-q', '-r', 'shared/tasks/t-1');
  git(dir, 'commit', '-q', '-m', 'removed');
  git(dir, 'switch', '-q', 'main');
  commit('shared/other.md');
  git(dir, 'merge', '-q', '-m', 'merged', 'side');
  commit('shared/more.md');

  const command = /^`(.*)`$/.exec(bringBack('shared/tasks/t-1/'))?.[1] ?? '';
  execFileSync('sh', ['-c', command], { cwd: dir, env: { ...process.env, ...IDENTITY }, stdio: 'pipe' });
  expect(readFileSync(join(dir, 'shared/tasks/t-1/meta.json'), 'utf8')).toBe('shared/tasks/t-1/meta.json');
  expect(git(dir, 'ls-tree', '-r', '--name-only', 'HEAD', 'shared/tasks')).toBe('shared/tasks/t-1/meta.json');
  expect(git(dir, 'status', '--porcelain')).toBe('');
});
