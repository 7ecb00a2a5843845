import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAside } from '../../../src/adapters/git/aside.ts';
import { git as plain } from '../../support/git.ts';
import { WANTED, commit, newGround, write } from './nearby-team.ts';

test('what was begun goes on beside its caller, and is waited for by whoever asks', async () => {
  const aside = createAside(() => undefined);
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

test('what failed is told, and everybody who waits is held up until all the rest is over', async () => {
  const failed: string[] = [];
  const aside = createAside((error) => failed.push(String(error)));
  const rest = Promise.withResolvers<void>();
  const ended: string[] = [];
  aside.begin(() => Promise.reject(new Error('the disk is full')));
  aside.begin(() => rest.promise);
  const both = ['one', 'other'].map((name) => aside.done().then(() => ended.push(name)));
  await Promise.resolve();
  expect(ended).toEqual([]);
  rest.resolve();
  await Promise.all(both);
  expect([failed, ended]).toEqual([['Error: the disk is full'], ['one', 'other']]);
});

test('whoever asked first goes on first, however late another asks', async () => {
  for (let ticks = 0; ticks < 12; ticks += 1) {
    const aside = createAside(() => undefined);
    const work = Promise.withResolvers<void>();
    const ended: string[] = [];
    aside.begin(() => work.promise);
    const first = aside.done().then(() => ended.push('first'));
    work.resolve();
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    await Promise.all([first, aside.done().then(() => ended.push('second'))]);
    expect(ended).toEqual(['first', 'second']);
  }
});

describe('a ref that another git holds while what was fetched is noted', () => {
  async function makeGround() {
    const { remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    const second = await commit(lead, [first], write('c', 'news\n'));
    expect(await lead.git.push(remote, 'main', second)).toEqual({ kind: 'ok' });
    const own = await commit(ana, [first], write('a/x', 'of ana\n'));
    const lock = join(ana.dir, '.git/refs/remotes/origin/main.lock');
    writeFileSync(lock, '');
    expect(await ana.git.fetch(remote, WANTED, { notes: 'aside' })).toMatchObject({ kind: 'ok' });
    return { remote, ana, first, second, own, lock };
  }

  test('holds up nobody who reads what was fetched', async () => {
    const { ana, second } = await makeGround();
    expect(Buffer.from((await ana.git.read([`${second}:c`]))[0] ?? []).toString()).toBe('news\n');
  });

  test('holds up a push, and nothing of it is published', async () => {
    const { remote, ana, first, second, own, lock } = await makeGround();
    // Whoever moves another ref waits, and has nothing to do with it.
    expect(await ana.git.updateRefs([{ ref: 'refs/heads/main', next: second }])).toBe(true);
    await expect(ana.git.push(remote, 'lanes/ana', own)).rejects.toMatchObject({ code: 'git-failed', retryable: true });
    expect(plain(remote, 'rev-parse', 'lanes/ana')).toBe(first);
    rmSync(lock);
    expect(await ana.git.push(remote, 'lanes/ana', own)).toEqual({ kind: 'ok' });
    expect(plain(ana.dir, 'rev-parse', 'origin/main')).toBe(second);
  });

  test('is told at once to whoever wants all noted', async () => {
    const { remote, ana } = await makeGround();
    await expect(ana.git.fetch(remote, WANTED)).rejects.toMatchObject({ code: 'git-failed' });
  });
});
