import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createLockWatch } from '../../../src/adapters/git/left-lock.ts';
import { moveLooseRef } from '../../../src/adapters/git/loose-ref.ts';
import { testFolder } from '../../support/folders.ts';
import { git as plain } from '../../support/git.ts';
import { WANTED, commit, newGround, write } from './nearby-team.ts';

/** An object as somebody wrote it who does not keep to the rules. */
const hash = (dir: string, kind: string, input: Buffer | string): string =>
  execFileSync('git', ['-C', dir, 'hash-object', '-w', '--literally', '-t', kind, '--stdin'], { input })
    .toString()
    .trim();
const entry = (mode: string, name: string, id: string): Buffer =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
const commitText = (tree: string, parent: string, extra = ''): string =>
  `tree ${tree}\nparent ${parent}\nauthor P <p@l> 1700000005 +0000\ncommitter P <p@l> 1700000005 +0000\n${extra}\nm\n`;

/** What a repository lacks of everything that its branches reach. */
const missing = (dir: string): readonly string[] =>
  plain(dir, 'rev-list', '--objects', '--missing=print', '--all')
    .split('\n')
    .filter((line) => line.startsWith('?'));

describe('a lane that plain git has taken', () => {
  test('with a name twice in one directory is fetched whole', async () => {
    const { remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    const [one, other] = [hash(ana.dir, 'blob', 'x1'), hash(ana.dir, 'blob', 'y1')];
    const tree = hash(ana.dir, 'tree', Buffer.concat([entry('100644', 'z', one), entry('100644', 'z', other)]));
    const rogue = hash(ana.dir, 'commit', commitText(tree, first));
    plain(ana.dir, 'push', '-q', remote, `${rogue}:refs/heads/lanes/ana`);
    expect(await lead.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
    expect(missing(lead.dir)).toEqual([]);
  });

  test('with a parent in its text has no more parents than git sees', async () => {
    const { remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    const tree = plain(ana.dir, 'rev-parse', `${first}^{tree}`);
    const main = await commit(lead, [first], write('c', 'main\n'));
    await lead.git.push(remote, 'main', main);
    const rogue = hash(ana.dir, 'commit', commitText(tree, first, `parent ${main}\nparent ../refs/heads\n`));
    plain(ana.dir, 'push', '-q', remote, `${rogue}:refs/heads/lanes/ana`);
    await lead.git.fetch(remote, WANTED);
    expect(plain(lead.dir, 'merge-base', main, rogue)).toBe(first);
    expect(await lead.git.isAncestor(main, rogue)).toBe(false);
    expect(await lead.git.push(remote, 'main', rogue)).toMatchObject({ kind: 'behind' });
  });
});

describe('a push', () => {
  test('of a file in the place of a commit of another repository sends the file', async () => {
    const { remote, makeTeam } = newGround();
    const { ana, first } = await makeTeam();
    const blob = hash(ana.dir, 'blob', 'text');
    const link = hash(ana.dir, 'commit', commitText(hash(ana.dir, 'tree', entry('160000', 'z', blob)), first));
    const file = hash(ana.dir, 'commit', commitText(hash(ana.dir, 'tree', entry('100644', 'z', blob)), link));
    expect(await ana.git.push(remote, 'lanes/ana', file)).toEqual({ kind: 'ok' });
    expect(missing(remote)).toEqual([]);
  });

  test('gives nobody an object that is damaged in the clone', async () => {
    const { remote, makeTeam } = newGround();
    const { lead, first } = await makeTeam();
    const next = await commit(lead, [first], write('c', 'fresh\n'));
    const blob = plain(lead.dir, 'rev-parse', `${next}:c`);
    const file = join(lead.dir, '.git/objects', blob.slice(0, 2), blob.slice(2));
    rmSync(file);
    writeFileSync(file, '');
    expect(await lead.git.push(remote, 'main', next)).not.toEqual({ kind: 'ok' });
    expect(plain(remote, 'rev-parse', 'main')).toBe(first);
  });
});

describe('a fetch', () => {
  test('takes no link to somewhere else for an object', async () => {
    const { folder, remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    const next = await commit(lead, [first], write('c', 'fresh\n'));
    await lead.git.push(remote, 'main', next);
    const blob = plain(remote, 'rev-parse', `${next}:c`);
    const name = join('objects', blob.slice(0, 2), blob.slice(2));
    renameSync(join(remote, name), join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(remote, name));
    await ana.git.fetch(remote, WANTED);
    expect(lstatSync(join(ana.dir, '.git', name)).isSymbolicLink()).toBe(false);
  });

  test('that the disk does not let in fails in the words of git', async () => {
    const { remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    const next = await commit(lead, [first], write('c', 'fresh\n'));
    await lead.git.push(remote, 'main', next);
    const directory = join(ana.dir, '.git/objects', plain(remote, 'rev-parse', `${next}:c`).slice(0, 2));
    rmSync(directory, { recursive: true, force: true });
    writeFileSync(directory, 'in the way');
    const { kind } = await ana.git.fetch(remote, WANTED);
    expect(kind).not.toBe('ok');
  });
});

describe('the lock of a branch', () => {
  test('that another has taken meanwhile moves nothing, and stays his', async () => {
    const folder = testFolder('ref');
    const file = join(folder, 'ref');
    const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];
    writeFileSync(file, `${a}\n`);
    const read = (): string => readFileSync(file, 'utf8').trim();
    const steal = (): string => {
      const now = read();
      rmSync(`${file}.lock`, { force: true });
      writeFileSync(`${file}.lock`, `${b}\n`, { mode: 0o444 });
      return now;
    };
    expect(await moveLooseRef(file, { from: a, to: c, isForced: true }, steal, folder)).toBe(false);
    expect([read(), readFileSync(`${file}.lock`, 'utf8')]).toEqual([a, `${b}\n`]);
  });

  test('counts as left only when it is the same one for some seconds, and never when it is one of git', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const lock = join(testFolder('ref'), 'ref.lock');
      const watch = createLockWatch();
      const look = (): string => {
        vi.advanceTimersByTime(2_000);
        return watch(lock);
      };
      expect(watch(lock)).toBe('gone');
      for (let holder = 0; holder < 3; holder += 1) {
        rmSync(lock, { force: true });
        writeFileSync(`${lock}.new`, `${holder}`, { mode: 0o444 });
        renameSync(`${lock}.new`, lock);
        expect(look()).toBe('held');
      }
      expect([look(), look()]).toEqual(['held', 'left']);
      rmSync(lock);
      writeFileSync(lock, '', { mode: 0o644 });
      expect([look(), look(), look()]).toEqual(['of git', 'of git', 'of git']);
    } finally {
      vi.useRealTimers();
    }
  });
});
