import {
  chmodSync,
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createGit } from '../../../src/adapters/git/git.ts';
import type { TreeEdit } from '../../../src/ports-git.ts';
import { git as plain } from '../../support/git.ts';
import { WANTED, commit, newGround, write } from './nearby-team.ts';
import type { Ground } from './nearby-team.ts';

let ground: Ground;
let remote = '';
const makeClone: Ground['makeClone'] = (name) => ground.makeClone(name);
const makeTeam: Ground['makeTeam'] = () => ground.makeTeam();

beforeEach(() => {
  ground = newGround();
  ({ remote } = ground);
});

/** With the time stamps that it had, as a disk that fails leaves them. */
function overwrite(file: string, bytes: Uint8Array): void {
  const { atime, mtime, mode } = statSync(file);
  chmodSync(file, 0o644);
  writeFileSync(file, bytes);
  chmodSync(file, mode);
  utimesSync(file, atime, mtime);
}

const whole = (): string => plain(remote, 'fsck', '--full', '--strict', '--no-dangling');
const tip = (branch: string): string => plain(remote, 'rev-parse', `refs/heads/${branch}`);

describe('a remote on this machine', () => {
  test('is pushed to and fetched from without a git process, and holds what git would have put there', async () => {
    const { lead, ana, first } = await makeTeam();
    // As of a remote that `baton init` has made.
    plain(remote, 'config', 'baton.made', 'true');
    const before = [lead.talks(), ana.talks()];
    const second = await commit(lead, [first], write('a/b', 'three\n'), write('d/e/f', 'new\n'));
    expect(await lead.git.push(remote, 'main', second)).toEqual({ kind: 'ok' });
    expect(tip('main')).toBe(second);
    expect(whole()).toBe('');
    const fetched = await ana.git.fetch(remote, WANTED);
    expect(fetched).toMatchObject({ kind: 'ok' });
    expect(fetched.kind === 'ok' && fetched.refs.get('refs/heads/main')).toBe(second);
    expect(plain(ana.dir, 'cat-file', '-p', 'origin/main:d/e/f')).toBe('new');
    expect(plain(ana.dir, 'fsck', '--full', '--no-dangling')).toBe('');
    expect([lead.talks(), ana.talks()]).toEqual(before);
  });

  test('is fetched from at hand by a clone that has once seen more of it than it wants', async () => {
    const { lead, first } = await makeTeam();
    await lead.git.push(remote, 'lanes/bo', first);
    const ana = await makeClone('other');
    plain(ana.dir, 'fetch', '-q', remote, '+refs/heads/*:refs/remotes/origin/*');
    const git = await createGit({ dir: ana.dir });
    expect(await git.fetch(remote, ['main'])).toEqual({ kind: 'ok', refs: new Map([['refs/heads/main', first]]) });
    await ana.git.fetch(remote, ['main']);
    const before = ana.talks();
    const next = await commit(lead, [first], write('c', 'next\n'));
    await lead.git.push(remote, 'main', next);
    const fetched = await ana.git.fetch(remote, ['main']);
    expect(fetched).toEqual({ kind: 'ok', refs: new Map([['refs/heads/main', next]]) });
    expect(ana.talks()).toBe(before);
  });

  test('gives what comes while it is fetched from, too', async () => {
    const { lead, ana, first } = await makeTeam();
    const later = await commit(lead, [first], write('d', 'newer\n'));
    // So much that whoever brings it pauses.
    let large = first;
    for (const part of ['p', 'q', 'r', 's', 't', 'u'])
      large = await commit(
        lead,
        [large],
        ...Array.from({ length: 240 }, (_, index) => write(`${part}/${index}`, `${part}${index}\n`)),
      );
    expect(await lead.git.push(remote, 'main', large)).toEqual({ kind: 'ok' });
    plain(lead.dir, 'push', '-q', remote, `${later}:refs/heads/aside`);
    let isOver = false;
    const fetching = ana.git.fetch(remote, WANTED).finally(() => (isOver = true));
    await setImmediate();
    expect(isOver).toBe(false);
    plain(remote, 'update-ref', 'refs/heads/lanes/ana', later);
    const fetched = await fetching;
    expect(fetched.kind === 'ok' && Object.fromEntries(fetched.refs)).toEqual({
      'refs/heads/main': large,
      'refs/heads/lanes/ana': later,
    });
    expect(plain(ana.dir, 'cat-file', '-p', 'origin/lanes/ana:d')).toBe('newer');
    expect(ana.talks()).toBe(1);
  });

  test('gets merges, removals and what comes back, and gives them', async () => {
    const { lead, ana, first } = await makeTeam();
    const lane = await commit(ana, [first], write('a/x', 'of ana\n'), { path: 'c', kind: 'remove' });
    expect(await ana.git.push(remote, 'lanes/ana', lane)).toEqual({ kind: 'ok' });
    await lead.git.fetch(remote, WANTED);
    const main = await commit(lead, [first], write('a/y', 'of lead\n'));
    const merged = await lead.git.commit({
      parents: [main, lane],
      edits: [write('a/x', 'of ana\n'), write('c', 'two\n')],
      message: 'merge\n',
      author: { name: 'Pat', email: 'pat@local' },
      at: 1_700_000_001,
    });
    expect(await lead.git.push(remote, 'main', merged)).toEqual({ kind: 'ok' });
    expect(whole()).toBe('');
    await ana.git.fetch(remote, WANTED);
    expect(plain(ana.dir, 'ls-tree', '-r', '--name-only', 'origin/main').split('\n')).toEqual([
      'a/b',
      'a/x',
      'a/y',
      'c',
    ]);
    expect(plain(ana.dir, 'fsck', '--full', '--no-dangling')).toBe('');
  });

  test('gives a directory that a merge takes from one parent and an older commit had before it', async () => {
    const { lead, ana, first } = await makeTeam();
    const bo = await makeClone('bo');
    await bo.git.fetch(remote, ['main']);
    const lane = await commit(ana, [first], write('a/n/1', 'of ana\n'));
    const rogue = await commit(ana, [lane], write('a/b', 'rogue\n'));
    expect(await ana.git.push(remote, 'lanes/ana', rogue)).toEqual({ kind: 'ok' });
    await lead.git.fetch(remote, WANTED);
    // Main keeps its own file and takes the new one: so its directory is the one that the lane had first.
    const merged = await commit(lead, [first, rogue], write('a/n/1', 'of ana\n'));
    expect(await lead.git.push(remote, 'main', merged)).toEqual({ kind: 'ok' });
    expect(await bo.git.fetch(remote, ['main'])).toMatchObject({ kind: 'ok' });
    for (const dir of [remote, lead.dir, bo.dir]) expect(plain(dir, 'fsck', '--full', '--no-dangling')).toBe('');
  });

  test('is never moved from where another has moved it', async () => {
    const { lead, ana, first } = await makeTeam();
    const [theirs, ours] = [
      await commit(ana, [first], write('a/b', 'A\n')),
      await commit(lead, [first], write('c', 'L\n')),
    ];
    expect(await ana.git.push(remote, 'main', theirs)).toEqual({ kind: 'ok' });
    expect(await lead.git.push(remote, 'main', ours)).toMatchObject({ kind: 'behind' });
    expect(tip('main')).toBe(theirs);
    await lead.git.fetch(remote, WANTED);
    expect(await lead.git.push(remote, 'main', ours)).toMatchObject({ kind: 'behind' });
    expect(tip('main')).toBe(theirs);
  });

  test('lets exactly one of many win each time', async () => {
    const { lead, ana, first } = await makeTeam();
    const clones = [lead, ana, await makeClone('bo'), await makeClone('cy')];
    for (const { git } of clones) await git.fetch(remote, WANTED);
    let head = first;
    for (let round = 0; round < 12; round += 1) {
      const drafts = await Promise.all(
        clones.map((clone, who) => commit(clone, [head], write('c', `${round} ${who}\n`))),
      );
      const outcomes = await Promise.all(clones.map(({ git }, who) => git.push(remote, 'main', drafts[who] ?? '')));
      const winners = drafts.filter((_, who) => outcomes[who]?.kind === 'ok');
      expect(winners).toEqual([tip('main')]);
      expect(outcomes.filter(({ kind }) => kind === 'behind')).toHaveLength(clones.length - 1);
      head = winners[0] ?? '';
      for (const { git } of clones) await git.fetch(remote, WANTED);
    }
    expect(whole()).toBe('');
  });

  test('whose branch is locked by another git is not moved; a lock that a killed node left is taken away', async () => {
    const { lead, first } = await makeTeam();
    const next = await commit(lead, [first], write('c', 'next\n'));
    const lock = join(remote, 'refs/heads/main.lock');
    writeFileSync(lock, '');
    expect(await lead.git.push(remote, 'main', next)).toMatchObject({ kind: 'behind' });
    expect(existsSync(lock)).toBe(true);
    chmodSync(lock, 0o444);
    expect(await lead.git.push(remote, 'main', next)).toEqual({ kind: 'ok' });
    expect([tip('main'), existsSync(lock)]).toEqual([next, false]);
  });

  test('shares the files of what it is given, and spares those that are old from its cleaning', async () => {
    const { lead, first } = await makeTeam();
    const second = await commit(lead, [first], write('a/b', 'young\n'), write('a/c', 'old\n'));
    const fileOf = (id: string): string => join('objects', id.slice(0, 2), id.slice(2));
    const [young, old] = ['b', 'c'].map((name) => fileOf(plain(lead.dir, 'rev-parse', `${second}:a/${name}`)));
    const long = new Date('2020-01-01T00:00:00Z');
    utimesSync(join(lead.dir, '.git', old ?? ''), long, long);
    expect(await lead.git.push(remote, 'main', second)).toEqual({ kind: 'ok' });
    for (const file of [young, old]) {
      const [here, there] = [join(lead.dir, '.git', file ?? ''), join(remote, file ?? '')].map((path) =>
        statSync(path),
      );
      expect(there?.ino).toBe(here?.ino);
      expect(Date.now() - (there?.mtimeMs ?? 0)).toBeLessThan(60_000);
    }
  });

  test('is given what one large step has made in one pack', async () => {
    const { lead, ana, first } = await makeTeam();
    const files = Array.from({ length: 300 }, (_, index) => write(`many/${index}`, `${index}\n`));
    const second = await commit(lead, [first], ...files);
    expect(await lead.git.push(remote, 'main', second)).toEqual({ kind: 'ok' });
    expect(tip('main')).toBe(second);
    expect(plain(remote, 'count-objects', '-v')).toContain('\npacks: 1\n');
    expect(whole()).toBe('');
    await ana.git.fetch(remote, WANTED);
    expect(plain(ana.dir, 'cat-file', '-p', 'origin/main:many/7')).toBe('7');
    expect(plain(ana.dir, 'fsck', '--full', '--no-dangling')).toBe('');
  });

  test('that has packed everything is worked with all the same', async () => {
    const { lead, ana, first } = await makeTeam();
    const second = await commit(lead, [first], write('a/b', 'two\n'));
    await lead.git.push(remote, 'main', second);
    plain(remote, 'gc', '-q');
    const before = lead.talks();
    const third = await commit(lead, [second], write('a/b', 'three\n'));
    expect(await lead.git.push(remote, 'main', third)).toEqual({ kind: 'ok' });
    expect(lead.talks()).toBe(before);
    expect(tip('main')).toBe(third);
    await ana.git.fetch(remote, WANTED);
    expect(plain(ana.dir, 'fsck', '--full', '--no-dangling')).toBe('');
    expect(plain(ana.dir, 'rev-parse', 'origin/main')).toBe(third);
  });

  test('whose object does not have the bytes of its name gives it to nobody', async () => {
    const { lead, ana, first } = await makeTeam();
    const second = await commit(lead, [first], write('a/b', 'right\n'), write('c', 'wrong\n'));
    await lead.git.push(remote, 'main', second);
    const [right, wrong] = ['a/b', 'c'].map((name) => {
      const blob = plain(remote, 'rev-parse', `${second}:${name}`);
      return join(remote, 'objects', blob.slice(0, 2), blob.slice(2));
    });
    rmSync(right ?? '');
    copyFileSync(wrong ?? '', right ?? '');
    expect(await ana.git.fetch(remote, WANTED)).not.toMatchObject({ kind: 'ok' });
    expect(plain(ana.dir, 'rev-parse', 'origin/main')).toBe(first);
  });

  test.each<[string, () => void]>([
    ['a hook', () => writeFileSync(join(remote, 'hooks/update'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })],
    ['checks of what it takes', () => plain(remote, 'config', 'receive.fsckObjects', 'true')],
    ['hooks of another folder', () => plain(remote, 'config', 'core.hooksPath', '/nonexistent')],
    ['permissions for a group', () => plain(remote, 'config', 'core.sharedRepository', 'group')],
    ['settings of another file', () => plain(remote, 'config', 'include.path', 'other')],
    ['hidden branches', () => plain(remote, 'config', 'transfer.hideRefs', 'refs/heads/x')],
    ['a work tree', () => plain(remote, 'config', 'core.bare', 'false')],
    ['objects of another repository', () => writeFileSync(join(remote, 'objects/info/alternates'), '/nonexistent\n')],
    ['a log of its branches', () => plain(remote, 'config', 'core.logAllRefUpdates', 'true')],
  ])('with %s is left to git', async (_, prepare) => {
    const { lead, first } = await makeTeam();
    prepare();
    const before = lead.talks();
    const next = await commit(lead, [first], write('c', 'next\n'));
    await lead.git.push(remote, 'main', next);
    expect(lead.talks()).toBe(before + 1);
  });

  test('that is given as an address is left to git', async () => {
    const { lead, first } = await makeTeam();
    const address = pathToFileURL(remote).href;
    await lead.git.fetch(address, WANTED);
    const before = lead.talks();
    const next = await commit(lead, [first], write('c', 'next\n'));
    expect(await lead.git.push(address, 'main', next)).toEqual({ kind: 'ok' });
    expect(lead.talks()).toBe(before + 1);
  });

  const packs = (objects: string): ReadonlyMap<string, number> =>
    new Map(readdirSync(join(objects, 'pack')).map((name) => [name, statSync(join(objects, 'pack', name)).ino]));

  test('gets what was written as a pack as the same files', async () => {
    const { lead, ana, first } = await makeTeam();
    const before = lead.talks();
    const many = Array.from({ length: 2_100 }, (_, index) => write(`many/${index}`, `${index}\n`));
    const second = await commit(lead, [first], ...many);
    // What comes after it is loose.
    const third = await commit(lead, [second], write('many/0', 'again\n'));
    expect(await lead.git.push(remote, 'main', third)).toEqual({ kind: 'ok' });
    expect(lead.talks()).toBe(before);
    const own = packs(join(lead.dir, '.git/objects'));
    expect([...packs(join(remote, 'objects'))]).toEqual(expect.arrayContaining([...own]));
    expect(own.size).toBeGreaterThan(1);
    expect(plain(remote, 'rev-parse', 'main')).toBe(third);
    expect(await ana.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
    expect(whole()).toBe('');
  });

  test.each<[string, (pack: string) => void]>([
    ['not everybody may read', (pack) => chmodSync(pack, 0o400)],
    [
      'has been written to since',
      (pack) => (
        chmodSync(pack, 0o644),
        writeFileSync(pack, '', { flag: 'a' }),
        chmodSync(pack, 0o444),
        utimesSync(pack, 1, 1)
      ),
    ],
    ['is a link to somewhere else', (pack) => (renameSync(pack, `${pack}.away`), symlinkSync(`${pack}.away`, pack))],
  ])('gets a pack that %s as a pack of its own', async (_, prepare) => {
    const { lead, first } = await makeTeam();
    const many = Array.from({ length: 300 }, (__, index) => write(`many/${index}`, `${index}\n`));
    const second = await commit(lead, [first], ...many);
    const objects = join(lead.dir, '.git/objects');
    const folder = join(objects, 'pack');
    prepare(join(folder, readdirSync(folder).find((name) => name.endsWith('.pack')) ?? ''));
    expect(await lead.git.push(remote, 'main', second)).toEqual({ kind: 'ok' });
    const own = [...packs(objects).values()];
    expect([...packs(join(remote, 'objects')).values()].filter((ino) => own.includes(ino))).toEqual([]);
    expect(plain(remote, 'rev-parse', 'main')).toBe(second);
    expect(whole()).toBe('');
  });

  test.each<[string, (folder: string, pack: string) => void]>([
    [
      'other bytes in it',
      (folder, pack) => {
        const bytes = readFileSync(join(folder, `${pack}.pack`));
        bytes.fill(0x55, 2_000, 2_400);
        overwrite(join(folder, `${pack}.pack`), bytes);
      },
    ],
    [
      'only its beginning',
      (folder, pack) =>
        overwrite(join(folder, `${pack}.pack`), readFileSync(join(folder, `${pack}.pack`)).subarray(0, 500)),
    ],
    ['no index', (folder, pack) => rmSync(join(folder, `${pack}.idx`))],
    ['an empty index', (folder, pack) => overwrite(join(folder, `${pack}.idx`), Buffer.alloc(0))],
  ])('gets nothing of a pack of which the clone has %s', async (_, damage) => {
    const { lead, first } = await makeTeam();
    const many = Array.from({ length: 300 }, (__, index) =>
      write(`many/${index}`, `a line with ${index * 7919} in it\n`),
    );
    const second = await commit(lead, [first], ...many);
    const folder = join(lead.dir, '.git/objects/pack');
    damage(
      folder,
      readdirSync(folder)
        .find((name) => name.endsWith('.pack'))
        ?.replace('.pack', '') ?? '',
    );
    const pushed = await lead.git.push(remote, 'main', second).catch((error: unknown) => error);
    expect(pushed).not.toEqual({ kind: 'ok' });
    expect(plain(remote, 'rev-parse', 'main')).toBe(first);
    expect(whole()).toBe('');
  });

  test('gets large changes by git', async () => {
    const { lead, ana, first } = await makeTeam();
    const before = [lead.talks(), ana.talks()];
    const many = Array.from({ length: 2_100 }, (_, index) => write(`many/${index}`, `${index}\n`));
    const second = await commit(lead, [first], ...many, write('large', Buffer.alloc(5 * 2 ** 20, 'x')));
    plain(lead.dir, 'repack', '-adkq');
    expect(await lead.git.push(remote, 'main', second)).toEqual({ kind: 'ok' });
    expect(await ana.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
    expect([lead.talks(), ana.talks()]).toEqual(before.map((count) => count + 1));
    expect(whole()).toBe('');
  });
});

const path = fc
  .array(fc.constantFrom('a', 'b', 'c.d', 'é'), { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'));
const step = fc.record({
  who: fc.integer({ min: 0, max: 1 }),
  merges: fc.boolean(),
  path,
  text: fc.constantFrom('', 'one\n', 'two\n'),
});

test('whatever two clones push in turns, every clone and the remote stay whole', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      ground = newGround();
      ({ remote } = ground);
      const { lead, ana, first } = await makeTeam();
      const heads = new Map([
        ['main', first],
        ['lanes/ana', first],
      ]);
      for (const { who, merges, path: at, text } of steps) {
        const [clone, branch, other] =
          who === 0 ? ([lead, 'main', 'lanes/ana'] as const) : ([ana, 'lanes/ana', 'main'] as const);
        await clone.git.fetch(remote, WANTED);
        const parents = [heads.get(branch) ?? '', ...(merges ? [heads.get(other) ?? ''] : [])];
        const edit: TreeEdit = text === '' ? { path: at, kind: 'remove' } : write(at, text);
        const next = await commit(clone, [...new Set(parents)], edit);
        expect(await clone.git.push(remote, branch, next)).toEqual({ kind: 'ok' });
        heads.set(branch, next);
      }
      for (const { git } of [lead, ana]) await git.fetch(remote, WANTED);
      for (const dir of [remote, lead.dir, ana.dir]) expect(plain(dir, 'fsck', '--full', '--no-dangling')).toBe('');
      for (const [branch, head] of heads) {
        expect(tip(branch)).toBe(head);
        for (const { dir } of [lead, ana]) expect(plain(dir, 'rev-parse', `origin/${branch}`)).toBe(head);
      }
    }),
    { numRuns: 8 },
  );
}, 60_000);
