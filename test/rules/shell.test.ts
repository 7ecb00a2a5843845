import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bringBack } from '../../src/rules/shell.ts';
import { testFolder } from '../support/folders.ts';
import { IDENTITY, git } from '../support/git.ts';

const TASK = 'shared/tasks/t-1/meta.json';

function newRepository() {
  const dir = testFolder('shell');
  git(dir, 'init', '-q', '-b', 'main');
  return {
    dir,
    commit: (path: string, text = path): void => {
      mkdirSync(join(dir, path, '..'), { recursive: true });
      writeFileSync(join(dir, path), text);
      git(dir, 'add', '-A');
      git(dir, 'commit', '-q', '-m', path);
    },
    bringBack: (): number | null => {
      const command = /^`(.*)`$/.exec(bringBack('shared/tasks/t-1/'))?.[1] ?? '';
      return spawnSync('sh', ['-c', command], { cwd: dir, env: { ...process.env, ...IDENTITY } }).status;
    },
    held: (): readonly string[] => [
      readFileSync(join(dir, TASK), 'utf8'),
      git(dir, 'show', `HEAD:${TASK}`),
      git(dir, 'status', '--porcelain'),
    ],
  };
}

describe('the command that brings back a removed folder', () => {
  test('does so, also when it was removed on a branch since merged', () => {
    const { dir, commit, bringBack: run, held } = newRepository();
    commit(TASK);
    git(dir, 'switch', '-q', '-c', 'side');
    git(dir, 'rm', '-q', '-r', 'shared/tasks/t-1');
    git(dir, 'commit', '-q', '-m', 'removed');
    git(dir, 'switch', '-q', 'main');
    commit('shared/other.md');
    git(dir, 'merge', '-q', '-m', 'merged', 'side');
    commit('shared/more.md');
    expect(run()).toBe(0);
    expect(held()).toEqual([TASK, TASK, '']);
  });

  test('takes no older text where it was removed from the disk only', () => {
    const { dir, commit, bringBack: run, held } = newRepository();
    commit(TASK, 'one');
    commit(TASK, 'two');
    rmSync(join(dir, 'shared/tasks'), { recursive: true });
    run();
    expect(held()).toEqual(['two', 'two', '']);
  });
});
