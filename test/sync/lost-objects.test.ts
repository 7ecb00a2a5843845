import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { byHand, change, edit, makeTeam, openNode, put, see, write } from './workshop.ts';

/** A ref as a loss of power leaves it, whose object was not on disk yet. */
function leave(dir: string, ref: string): void {
  const file = join(dir, '.git', ref);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${'1'.repeat(40)}\n`);
}

describe('a note of a clone that names an object which is gone is none', () => {
  test('of a checkout: the node starts and works', async () => {
    const { lead, remote } = await makeTeam();
    await lead.sync.close();
    leave(lead.dir, 'refs/baton/checkout');
    const again = await openNode({ dir: lead.dir, role: 'leader', localpart: 'lead', remote });
    await again.sync.pull();
    await change(again, [write('shared/projects/p/result.md', 'x\n')]);
    expect(see(lead.dir, 'shared/projects/p/result.md')).toBe('x\n');
  });

  test('of an attempt: what another hand has put on the lane, and a Leader has taken in, comes with main', async () => {
    const { ana, lead, remote, folder } = await makeTeam();
    await change(ana, (view) => [edit(view, 'shared/tasks/t-ana/meta.json', { status: 'in_progress' })]);
    const goThrough = async (): Promise<void> => {
      await lead.sync.pull();
      await lead.sync.push();
    };
    await goThrough();
    await ana.sync.pull();
    const other = join(folder, 'other');
    git(folder, 'clone', '-q', remote, other);
    git(other, 'checkout', '-q', 'lanes/ana');
    put(other, 'shared/tasks/t-ana/progress/x.md', 'x\n');
    byHand(other, 'by another hand');
    git(other, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
    await goThrough();
    leave(ana.dir, 'refs/baton-attempt/last');
    await ana.sync.pull();
    expect(see(ana.dir, 'shared/tasks/t-ana/progress/x.md')).toBe('x\n');
  });
});

describe('a file of an object that a loss of power has torn', () => {
  test.each([
    ['has nothing in it', (size: number) => Buffer.alloc(size * 0)],
    ['has zeros in it', (size: number) => Buffer.alloc(size)],
    ['has half of it', (size: number, whole: Buffer) => whole.subarray(0, size / 2)],
  ])('is written anew when it %s and the object is brought', async (_, tear) => {
    const { lead, ana, remote } = await makeTeam();
    await ana.sync.pull();
    await change(lead, [write('shared/tasks/t-bo/spec.md', 'news\n')]);
    const torn = ['shared/tasks/t-bo', 'shared/tasks/t-bo/spec.md'].map((path) => {
      const id = git(remote, 'rev-parse', `main:${path}`);
      const [here, there] = [ana.dir, lead.dir].map((dir) => join(dir, '.git/objects', id.slice(0, 2), id.slice(2)));
      const whole = readFileSync(there ?? '');
      mkdirSync(dirname(here ?? ''), { recursive: true });
      writeFileSync(here ?? '', tear(whole.length, whole));
      chmodSync(here ?? '', 0o444);
      return id;
    });
    await ana.sync.pull();
    expect(torn.map((id) => git(ana.dir, 'cat-file', '-t', id))).toEqual(['tree', 'blob']);
    expect(git(ana.dir, 'fsck', '--full', '--strict')).toBe('');
    expect(see(ana.dir, 'shared/tasks/t-bo/spec.md')).toBe('news\n');
  });
});
