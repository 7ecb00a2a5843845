import { describe, expect, test } from 'vitest';
import { createGit } from '../../../src/adapters/git/git.ts';
import { git as plain } from '../../support/git.ts';
import { byHand, change, makeTeam, put, write } from '../../sync/workshop.ts';

const collect = (dir: string): void => void plain(dir, 'gc', '-q', '--prune=now');

describe('a person who collects garbage in the clone, whatever its age', () => {
  test('takes nothing that is needed to tell whose work is on the remote', async () => {
    const { ana, remote } = await makeTeam();
    const head = plain(ana.dir, 'rev-parse', 'HEAD');
    const author = { name: 'ana', email: 'ana@local' };
    const draft = { parents: [head], edits: [], message: 'tried\n', author, at: 1_700_000_000 };
    const tried = await ana.git.commit({ ...draft, attempt: true });
    collect(ana.dir);
    expect(await ana.git.attempted()).toBe(tried);
    expect(await ana.git.isAncestor(head, tried)).toBe(true);
    expect((await ana.git.fetch(remote, ['main'])).kind).toBe('ok');
  });

  test('has what was collected brought again when the remote has it, also what was seen here before', async () => {
    const { lead, ana, remote } = await makeTeam();
    await ana.git.fetch(remote, ['main']);
    const file = { path: 'd/f', kind: 'content', mode: '100644', content: Buffer.from('x\n') } as const;
    const author = { name: 'ana', email: 'ana@local' };
    const draft = { edits: [file], message: 'm\n', author, at: 1_700_000_000 };
    const lost = await ana.git.commit({ ...draft, parents: [] });
    await ana.git.list([`${lost}:d`]);
    collect(ana.dir);
    const main = await lead.git.commit({ ...draft, parents: [plain(lead.dir, 'rev-parse', 'HEAD')] });
    expect(await lead.git.push(remote, 'main', main)).toEqual({ kind: 'ok' });
    expect((await ana.git.fetch(remote, ['main'])).kind).toBe('ok');
    expect(plain(ana.dir, 'fsck', '--no-dangling')).toBe('');
    expect(plain(ana.dir, 'show', 'origin/main:d/f')).toBe('x');
  });

  test.each(['while it runs', 'before it starts'])(
    'stops no node, not even after branches were forgotten in the clone and begun anew on the remote: %s',
    async (when) => {
      const { lead, ana, remote } = await makeTeam();
      await change(ana, [write('shared/tasks/t-ana/progress/1.md', 'news\n')]);
      // The lane is fetched, not integrated, and then forgotten with all that it brought.
      await lead.git.fetch(remote, ['main', 'lanes/*']);
      plain(lead.dir, 'update-ref', '-d', 'refs/remotes/origin/lanes/ana');
      collect(lead.dir);
      put(ana.dir, 'shared/tasks/t-ana/progress/2.md', 'begun anew\n');
      plain(ana.dir, 'reset', '-q', '--soft', 'origin/main');
      byHand(ana.dir, 'anew');
      plain(ana.dir, 'push', '-q', '--force', 'origin', 'HEAD:lanes/ana');

      const git = when === 'while it runs' ? lead.git : await createGit({ dir: lead.dir });
      const tip = plain(remote, 'rev-parse', 'lanes/ana');
      expect(await git.fetch(remote, ['main', 'lanes/*'])).toMatchObject({ kind: 'ok' });
      expect(plain(lead.dir, 'rev-parse', 'refs/remotes/origin/lanes/ana')).toBe(tip);
      expect(plain(lead.dir, 'fsck', '--connectivity-only')).not.toContain('missing');
    },
  );
});
