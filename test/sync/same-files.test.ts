import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSameFiles } from '../../src/workspace/same-files.ts';
import { git } from '../support/git.ts';
import { byHand, drop, makeSolo, openNode, put } from './workshop.ts';

/** A workspace with this many more files than the few of the template. */
async function large(count: number): Promise<{ readonly dir: string; readonly state: string }> {
  const lead = await makeSolo();
  const notes = join(lead.dir, 'shared/projects/p/notes');
  mkdirSync(notes, { recursive: true });
  for (let index = 0; index < count; index += 1) writeFileSync(join(notes, `${index}.md`), `note ${index}\n`);
  await lead.sync.adopt(await lead.sync.dirty());
  await lead.sync.close();
  expect(git(lead.dir, 'status', '--porcelain')).toBe('');
  const state = join(lead.dir, '.baton');
  mkdirSync(state, { recursive: true });
  return { dir: lead.dir, state };
}

/** What a process that begins now finds changed, and how many files it opens for that. */
async function look(dir: string, state: string): Promise<{ readonly dirty: readonly string[]; readonly read: number }> {
  const kept = createSameFiles(state);
  let read = 0;
  const same = {
    ...kept,
    has: (path: string, seen: string): boolean => {
      const is = kept.has(path, seen);
      if (!is) read += 1;
      return is;
    },
  };
  // An hour later every time stamp is old enough to be trusted.
  const lead = await openNode(
    { dir, role: 'leader', localpart: 'lead' },
    { same, millis: () => Date.now() + 3_600_000 },
  );
  const dirty = await lead.sync.dirty();
  await lead.sync.close();
  return { dirty, read };
}

test('what one process has compared with the commit the next one need not read', async () => {
  const { dir, state } = await large(1_100);
  expect(await look(dir, state)).toMatchObject({ dirty: [], read: expect.toSatisfy((read: number) => read > 1_100) });
  expect(await look(dir, state)).toEqual({ dirty: [], read: 0 });
});

const NOTE = 'shared/projects/p/notes/7.md';

/** Writes another text of the same length, with the time of the one before; what a person could do. */
function disguise(dir: string): void {
  const file = join(dir, NOTE);
  const { atime, mtime } = statSync(file);
  writeFileSync(file, 'nOte 7\n');
  utimesSync(file, atime, mtime);
}

test('a file that was changed meanwhile is found, with the old size and the old time as well', async () => {
  const { dir, state } = await large(1_100);
  // A whole second, which can be set again exactly.
  utimesSync(join(dir, NOTE), new Date(1_000), new Date(1_000));
  await look(dir, state);
  disguise(dir);
  expect(await look(dir, state)).toEqual({ dirty: [NOTE], read: 1 });
});

test('a record that is damaged is as good as none, whatever it says', async () => {
  const { dir, state } = await large(1_100);
  await look(dir, state);
  disguise(dir);
  // It claims of the file as it looks now that it holds what is committed.
  const { dev, ino, mode, size, mtimeNs, ctimeNs } = lstatSync(join(dir, NOTE), { bigint: true });
  const file = join(state, 'same-files.json');
  const claim = `["${NOTE}","${git(dir, 'rev-parse', `HEAD:${NOTE}`)} ${[dev, ino, mode, size, mtimeNs, ctimeNs].join(':')}"]`;
  const damaged = readFileSync(file, 'utf8').replace(new RegExp(`\\["${NOTE}","[^"]*"\\]`), claim);
  expect(damaged).toContain(claim);
  writeFileSync(file, damaged);
  const { dirty, read } = await look(dir, state);
  expect(dirty).toEqual([NOTE]);
  expect(read).toBeGreaterThan(1_100);
});

test.each(['5', '{}', '[null]', '[[1,2],["a"]]', 'null'])(
  'a record of another form, %s, is as good as none',
  async (body) => {
    const { dir, state } = await large(20);
    const digest = createHash('sha256').update(body).digest('hex');
    writeFileSync(join(state, 'same-files.json'), `{"schema":1,"digest":"${digest}","same-files":\n${body}}\n`);
    expect(await look(dir, state)).toMatchObject({ dirty: [] });
  },
);

test('a small tree has no such record, however often it is looked at', async () => {
  const { dir, state } = await large(20);
  const same = createSameFiles(state);
  for (let index = 0; index < 1_100; index += 1) same.note(NOTE, String(index));
  same.keep(new Set([NOTE]));
  await look(dir, state);
  expect(() => readFileSync(join(state, 'same-files.json'))).toThrow('ENOENT');
});

test('what an editor keeps beside an open file is nobody’s edit, and its end is one where it was committed', async () => {
  const lead = await makeSolo();
  const [swap, backup, old] = ['.plan.md.swp', 'plan.md~', 'old.tmp'].map((name) => `shared/projects/p/${name}`);
  if (swap === undefined || backup === undefined || old === undefined) throw new Error('three names');
  put(lead.dir, old, 'committed by hand\n');
  byHand(lead.dir, 'By hand');
  put(lead.dir, swap, 'x');
  put(lead.dir, backup, 'x');
  put(lead.dir, 'shared/projects/p/new.md', 'x');
  expect(await lead.sync.dirty()).toEqual(['shared/projects/p/new.md']);
  drop(lead.dir, old);
  expect(await lead.sync.dirty()).toEqual(['shared/projects/p/new.md', old]);
});
