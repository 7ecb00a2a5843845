import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ObjectId } from '../../../src/ports-git.ts';
import { git as plain } from '../../support/git.ts';
import { WANTED, commit, newGround, write } from './nearby-team.ts';
import type { Clone } from './nearby-team.ts';

test('git is not asked whether what a fetch has just brought is there', async () => {
  const { makeClone, remote } = newGround();
  const lead = await makeClone('lead');
  const ana = await makeClone('ana', { notesQuestions: true });
  const first = await commit(lead, [], write('a/b', 'one\n'));
  expect(await lead.git.push(remote, 'main', first)).toEqual({ kind: 'ok' });
  expect(await ana.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
  const before = ana.asked().length;
  const second = await commit(lead, [first], write('a/b', 'two\n'));
  const third = await commit(lead, [second], write('a/c', 'three\n'));
  expect(await lead.git.push(remote, 'main', third)).toEqual({ kind: 'ok' });
  expect(await ana.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
  expect(plain(ana.dir, 'rev-parse', 'origin/main~1')).toBe(second);
  expect(ana.asked().slice(before)).toEqual([]);
});

const REF = 'refs/baton-attempt/last';

/** A commit that is about to be published. */
const attempt = ({ git }: Clone, text: string): Promise<ObjectId> =>
  git.commit({
    parents: [],
    edits: [write('a', text)],
    message: 'm\n',
    author: { name: 'Pat', email: 'pat@local' },
    at: 1_700_000_000,
    attempt: true,
  });

test('what is about to be published is noted where any git finds it, also after that has packed the refs', async () => {
  const { makeClone } = newGround();
  const ana = await makeClone('ana');
  const named = (): string => plain(ana.dir, 'rev-parse', REF);
  for (const text of ['one\n', 'two\n']) {
    const noted = await attempt(ana, text);
    expect([await ana.git.attempted(), named()]).toEqual([noted, noted]);
  }
  plain(ana.dir, 'pack-refs', '--all');
  expect(existsSync(join(ana.dir, '.git', REF))).toBe(false);
  const third = await attempt(ana, 'three\n');
  expect([await ana.git.attempted(), named()]).toEqual([third, third]);
  expect(plain(ana.dir, 'fsck', '--full', '--strict', '--no-dangling')).toBe('');
});

test('where that note is kept in another way than as a file git moves it, and says what is in its way', async () => {
  const { makeClone } = newGround();
  const ana = await makeClone('ana');
  await attempt(ana, 'one\n');
  // Another name for a ref is no plain file.
  plain(ana.dir, 'symbolic-ref', REF, 'refs/baton-attempt/other');
  const second = await attempt(ana, 'two\n');
  expect([await ana.git.attempted(), plain(ana.dir, 'rev-parse', 'refs/baton-attempt/other')]).toEqual([
    second,
    second,
  ]);
  rmSync(join(ana.dir, '.git', REF));
  const third = await attempt(ana, 'three\n');
  const lock = join(ana.dir, '.git', `${REF}.lock`);
  writeFileSync(lock, '');
  await expect(attempt(ana, 'four\n')).rejects.toMatchObject({ code: 'git-failed', retryable: true });
  expect(readFileSync(join(ana.dir, '.git', REF), 'utf8')).toBe(`${third}\n`);
  rmSync(lock);
  const fifth = await attempt(ana, 'five\n');
  expect(await ana.git.attempted()).toBe(fifth);
});

test.each([
  ['nothing', ''],
  ['zeros', '\0'.repeat(41)],
])('a note of which a loss of power has left %s is written anew', async (_left, torn) => {
  const { makeClone } = newGround();
  const ana = await makeClone('ana');
  await attempt(ana, 'one\n');
  writeFileSync(join(ana.dir, '.git', REF), torn);
  expect(await ana.git.attempted()).toBeUndefined();
  const second = await attempt(ana, 'two\n');
  expect([await ana.git.attempted(), plain(ana.dir, 'rev-parse', REF)]).toEqual([second, second]);
});

test('a note that is no ref is told', async () => {
  const { makeClone } = newGround();
  const ana = await makeClone('ana');
  await attempt(ana, 'one\n');
  writeFileSync(join(ana.dir, '.git', REF), 'nonsense\n');
  await expect(attempt(ana, 'two\n')).rejects.toMatchObject({ code: 'git-failed' });
});
