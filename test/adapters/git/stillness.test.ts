import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createGit } from '../../../src/adapters/git/git.ts';
import { testFolder } from '../../support/folders.ts';
import { git } from '../../support/git.ts';
import { holdLock } from '../../support/lock-holder.ts';

async function repository() {
  const dir = testFolder('still');
  git(dir, 'init', '-q', '-b', 'main');
  writeFileSync(join(dir, 'a'), 'a\n');
  git(dir, 'add', 'a');
  git(dir, '-c', 'user.name=a', '-c', 'user.email=a', 'commit', '-q', '-m', 'a');
  const opened = await createGit({ dir });
  // Longer than a git may take from the index to HEAD.
  await wait(100);
  return { dir, opened };
}

describe('a clone', () => {
  test('is busy while a git has its index locked, and not for a lock that was left', async () => {
    const { dir, opened } = await repository();
    const lock = join(dir, '.git/index.lock');
    expect(opened.isBusy()).toBe(false);
    const { release } = await holdLock(lock);
    expect(opened.isBusy()).toBe(true);
    release();
    expect(opened.isBusy()).toBe(false);
    writeFileSync(lock, '');
    expect(opened.isBusy()).toBe(false);
  });

  test('is busy for the moment in which a git that has written the index may still move HEAD', async () => {
    const { dir, opened } = await repository();
    git(dir, 'update-index', '--force-write-index');
    expect(opened.isBusy()).toBe(true);
    await wait(100);
    expect(opened.isBusy()).toBe(false);
  });

  test('stands otherwise after another git has staged or switched, and as before after this one has staged', async () => {
    const { dir, opened } = await repository();
    const before = opened.standing();
    const id = git(dir, 'rev-parse', 'HEAD:a');
    expect(await opened.stage([{ path: 'b', mode: '100644', id }])).toBe(true);
    expect(await opened.stage([{ path: 'c', mode: '100644', id }])).toBe(true);
    expect({ standing: opened.standing(), busy: opened.isBusy() }).toEqual({ standing: before, busy: false });
    git(dir, 'rm', '-q', '--cached', 'b');
    const staged = opened.standing();
    expect(staged).not.toBe(before);
    git(dir, 'symbolic-ref', 'HEAD', 'refs/heads/other');
    expect(opened.standing()).not.toBe(staged);
  });
});
