import { mkdirSync, writeFileSync } from 'node:fs';
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
