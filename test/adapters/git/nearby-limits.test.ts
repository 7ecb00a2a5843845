import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { looseBytes, putLoose } from '../../../src/adapters/git/loose.ts';
import { testFolder } from '../../support/folders.ts';
import { git as plain } from '../../support/git.ts';
import { WANTED, commit, newGround, write } from './nearby-team.ts';

const ID = 'ab'.repeat(20);
const fileOf = (objects: string, id: string): string => join(objects, id.slice(0, 2), id.slice(2));

/** A file that takes no space and has five gigabytes. */
function putEnormous(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  writeFileSync(file, '');
  truncateSync(file, 5 * 2 ** 30);
}

describe('a loose file', () => {
  test('that is larger than any object that is worked with at hand is not read', () => {
    const objects = testFolder('loose');
    putEnormous(fileOf(objects, ID));
    expect(looseBytes(objects, ID)).toBe('unfit');
  });

  test('is put where a cleaning has just taken the empty directory away', () => {
    const objects = testFolder('loose');
    mkdirSync(join(objects, 'ab'));
    putLoose(objects, ID, () => {
      rmdirSync(join(objects, 'ab'));
      return Buffer.from('x');
    });
    expect(looseBytes(objects, ID)).toEqual(Buffer.from('x'));
    expect(readdirSync(join(objects, 'ab'))).toHaveLength(1);
  });

  test('that is a pipe is not waited for', () => {
    const objects = testFolder('loose');
    mkdirSync(join(objects, 'ab'));
    execFileSync('mkfifo', [fileOf(objects, ID)]);
    expect(looseBytes(objects, ID)).toBe('unfit');
  });
});

describe('an enormous file in the place of an object', () => {
  test('of the remote is left to git, which says what is wrong', async () => {
    const { remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    const next = await commit(lead, [first], write('c', 'fresh\n'));
    await lead.git.push(remote, 'main', next);
    putEnormous(fileOf(join(remote, 'objects'), plain(remote, 'rev-parse', `${next}:c`)));
    const before = ana.talks();
    expect(await ana.git.fetch(remote, WANTED)).not.toMatchObject({ kind: 'ok' });
    expect(ana.talks()).toBe(before + 1);
  });

  test('of the clone is left to git, and nothing of it is given away', async () => {
    const { remote, makeTeam } = newGround();
    const { lead, first } = await makeTeam();
    const next = await commit(lead, [first], write('c', 'fresh\n'));
    putEnormous(fileOf(join(lead.dir, '.git/objects'), plain(lead.dir, 'rev-parse', `${next}:c`)));
    expect(await lead.git.push(remote, 'main', next)).not.toEqual({ kind: 'ok' });
    expect(plain(remote, 'rev-parse', 'main')).toBe(first);
  });
});

test('a branch that somebody looks at in a work tree of the remote is left to git, which does not move it', async () => {
  const { folder, remote, makeTeam } = newGround();
  const { lead, first } = await makeTeam();
  plain(remote, 'worktree', 'add', '-q', join(folder, 'look'), 'main');
  const next = await commit(lead, [first], write('c', 'fresh\n'));
  expect(await lead.git.push(remote, 'main', next)).toMatchObject({
    kind: 'denied',
    detail: expect.stringContaining('refusing to update checked out branch') as string,
  });
  expect(plain(remote, 'rev-parse', 'main')).toBe(first);
  plain(remote, 'worktree', 'remove', join(folder, 'look'));
  expect(await lead.git.push(remote, 'main', next)).toEqual({ kind: 'ok' });
});

test('a pack that the remote does not take is sent by git, and the log says why', async () => {
  const { folder, remote, makeTeam } = newGround();
  const { lead, first } = await makeTeam();
  const next = await commit(
    lead,
    [first],
    ...Array.from({ length: 300 }, (_, index) => write(`f${index}`, `${index}`)),
  );
  plain(lead.dir, 'repack', '-adkq');
  const program = join(folder, 'lead.bin/git');
  const whole = readFileSync(program, 'utf8');
  const refusing = 'case " $* " in *" index-pack "*) echo "fatal: no room here" >&2; exit 128;; esac\n';
  writeFileSync(program, whole.replace('\n', `\n${refusing}`));
  const before = lead.talks();
  expect(await lead.git.push(remote, 'main', next)).toEqual({ kind: 'ok' });
  expect(lead.talks()).toBe(before + 1);
  expect(plain(remote, 'rev-parse', 'main')).toBe(next);
  expect(lead.logged).toEqual([expect.stringMatching(/^a push is left to git .*"branch":"main".*no room here/)]);
});

describe('what makes many bytes together', () => {
  const files = Array.from({ length: 12 }, (_, index) => write(`f${index}`, Buffer.alloc(3 * 2 ** 20, `${index}`)));

  test.each<[string, (dir: string, next: string) => void]>([
    [
      'as loose files',
      (dir) => void execFileSync('find', [join(dir, '.git/objects'), '-type', 'f', '-exec', 'touch', '{}', '+']),
    ],
    [
      'in a pack',
      (dir, next) => {
        plain(dir, 'update-ref', 'refs/heads/next', next);
        plain(dir, 'repack', '-adq');
      },
    ],
  ])('%s is sent and fetched by git, in one pack', async (_, prepare) => {
    const { remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    const next = await commit(lead, [first], ...files);
    prepare(lead.dir, next);
    const before = [lead.talks(), ana.talks()];
    expect(await lead.git.push(remote, 'main', next)).toEqual({ kind: 'ok' });
    expect(await ana.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
    expect([lead.talks(), ana.talks()]).toEqual(before.map((count) => count + 1));
    expect(plain(ana.dir, 'fsck', '--full', '--no-dangling')).toBe('');
  });

  test('as loose files that were written just now is sent as these files', async () => {
    const { remote, makeTeam } = newGround();
    const { lead, first } = await makeTeam();
    const next = await commit(lead, [first], ...files);
    const before = lead.talks();
    expect(await lead.git.push(remote, 'main', next)).toEqual({ kind: 'ok' });
    expect(lead.talks()).toBe(before);
    const blob = plain(remote, 'rev-parse', `${next}:f7`);
    const [own, there] = [join(lead.dir, '.git/objects'), join(remote, 'objects')].map(
      (objects) => statSync(fileOf(objects, blob)).ino,
    );
    expect(there).toBe(own);
    expect(plain(remote, 'fsck', '--full', '--strict', '--no-dangling')).toBe('');
  });
});

test('many objects do not hold up what else a node has to do', async () => {
  const { remote, makeTeam } = newGround();
  const { lead, ana, first } = await makeTeam();
  // Many commits of a few files each, so that all of it is loose.
  let next = first;
  for (let round = 0; round < 10; round += 1)
    next = await commit(
      lead,
      [next],
      ...Array.from({ length: 10 }, (_, at) => write(`d${round}/${at}/x`, `${round} ${at}\n`)),
    );
  // As on a machine on which each piece of work takes long.
  let now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 20));
  let others = 0;
  let waiting = setImmediate(function again() {
    others += 1;
    waiting = setImmediate(again);
  });
  try {
    expect(await lead.git.push(remote, 'main', next)).toEqual({ kind: 'ok' });
    expect(others).toBeGreaterThan(100);
    others = 0;
    expect(await ana.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
    expect(others).toBeGreaterThan(100);
  } finally {
    clearImmediate(waiting);
    clock.mockRestore();
  }
  expect([lead.talks(), ana.talks()]).toEqual([3, 1]);
});

describe('a clone that wants git to check what it fetches', () => {
  test.each(['fetch.fsckObjects', 'transfer.fsckObjects'])('by %s gets it from git, checked', async (key) => {
    const { remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    plain(ana.dir, 'config', key, 'true');
    const next = await commit(lead, [first], write('c', 'fresh\n'));
    await lead.git.push(remote, 'main', next);
    const before = ana.talks();
    expect(await ana.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
    expect(ana.talks()).toBe(before + 1);
    // A tree that git takes, and finds wrong when it checks.
    const blob = plain(lead.dir, 'rev-parse', `${next}:c`);
    const zero = Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]);
    const tree = execFileSync('git', ['-C', lead.dir, 'hash-object', '-w', '--literally', '-t', 'tree', '--stdin'], {
      input: zero,
    });
    const rogue = plain(
      lead.dir,
      '-c',
      'user.name=P',
      '-c',
      'user.email=p@l',
      'commit-tree',
      '-p',
      next,
      '-m',
      'm',
      tree.toString().trim(),
    );
    plain(lead.dir, 'push', '-q', remote, `${rogue}:refs/heads/main`);
    const fetched = await ana.git.fetch(remote, WANTED);
    expect(fetched).not.toMatchObject({ kind: 'ok' });
    expect(plain(ana.dir, 'rev-parse', 'origin/main')).toBe(next);
    plain(ana.dir, 'config', key, 'false');
    expect(await ana.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
  });
});
