import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAside } from '../../../src/adapters/git/aside.ts';
import { git as plain } from '../../support/git.ts';
import { WANTED, commit, newGround, write } from './nearby-team.ts';

test('what was begun goes on beside its caller, and is waited for by whoever asks', async () => {
  const aside = createAside();
  const work = Promise.withResolvers<void>();
  let isOver = false;
  aside.begin(() => work.promise);
  const done = aside.done().then(() => (isOver = true));
  await Promise.resolve();
  expect(isOver).toBe(false);
  work.resolve();
  await done;
  expect(isOver).toBe(true);
});

test('what failed is told once, after all the rest was done', async () => {
  const aside = createAside();
  const rest = Promise.withResolvers<void>();
  aside.begin(() => Promise.reject(new Error('the disk is full')));
  aside.begin(() => rest.promise);
  const done = aside.done();
  rest.resolve();
  await expect(done).rejects.toThrow('the disk is full');
  await expect(aside.done()).resolves.toBeUndefined();
});

test('whoever waits is held up until all is done, and told of what failed, also beside another', async () => {
  const aside = createAside();
  const work = Promise.withResolvers<void>();
  aside.begin(() => work.promise);
  const both = Promise.allSettled([aside.done(), aside.done()]);
  work.reject(new Error('the disk is full'));
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(aside.done()).resolves.toBeUndefined();
});

test('what was fetched is there before the refs name it, and nothing is pushed or moved when they cannot', async () => {
  const { remote, makeTeam } = newGround();
  const { lead, ana, first } = await makeTeam();
  const second = await commit(lead, [first], write('c', 'news\n'));
  expect(await lead.git.push(remote, 'main', second)).toEqual({ kind: 'ok' });
  const own = await commit(ana, [first], write('a/x', 'of ana\n'));
  // Another git is at work on one of the refs, and stays.
  const lock = join(ana.dir, '.git/refs/remotes/origin/main.lock');
  writeFileSync(lock, '');
  expect(await ana.git.fetch(remote, WANTED, { notes: 'aside' })).toMatchObject({ kind: 'ok' });
  expect(Buffer.from((await ana.git.read([`${second}:c`]))[0] ?? []).toString()).toBe('news\n');
  await expect(ana.git.push(remote, 'lanes/ana', own)).rejects.toMatchObject({ code: 'git-failed', retryable: true });
  expect(plain(remote, 'rev-parse', 'lanes/ana')).toBe(first);
  await ana.git.fetch(remote, WANTED, { notes: 'aside' });
  const move = [{ ref: 'refs/heads/main', next: second }];
  await expect(ana.git.updateRefs(move)).rejects.toMatchObject({ code: 'git-failed' });
  rmSync(lock);
  await ana.git.fetch(remote, WANTED);
  expect(plain(ana.dir, 'rev-parse', 'origin/main')).toBe(second);
  expect(await ana.git.push(remote, 'lanes/ana', own)).toEqual({ kind: 'ok' });
  expect(await ana.git.updateRefs(move)).toBe(true);
});
