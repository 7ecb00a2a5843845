import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSameFiles } from '../../src/workspace/same-files.ts';
import { git } from '../support/git.ts';
import { makeSolo, openNode } from './workshop.ts';

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

test('a file that was changed meanwhile is found, with the old size and the old time as well', async () => {
  const { dir, state } = await large(1_100);
  await look(dir, state);
  const file = join(dir, 'shared/projects/p/notes/7.md');
  writeFileSync(file, 'nOte 7\n');
  utimesSync(file, new Date(1_000), new Date(1_000));
  expect(await look(dir, state)).toEqual({ dirty: ['shared/projects/p/notes/7.md'], read: 1 });
});

test('a record that is damaged is as good as none', async () => {
  const { dir, state } = await large(1_100);
  await look(dir, state);
  const file = join(state, 'same-files.json');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/[0-9a-f]{40}/g, '0'.repeat(40)));
  const { dirty, read } = await look(dir, state);
  expect(dirty).toEqual([]);
  expect(read).toBeGreaterThan(1_100);
});

test('a small tree has no such record', async () => {
  const { dir, state } = await large(20);
  await look(dir, state);
  expect(() => readFileSync(join(state, 'same-files.json'))).toThrow('ENOENT');
});
