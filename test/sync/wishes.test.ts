import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { change, makeSolo, makeTeam, openNode, published, put, see, taskMeta, write } from './workshop.ts';

const RECORD = 'shared/tasks/t-last/meta.json';
const SPEC = 'shared/tasks/t-ana/spec.md';
const STEP = [write(RECORD, taskMeta('t-last', 'ana')), write(SPEC, '# Second edition\n')];

const commitAll = (dir: string, message: string): string => git(dir, 'commit', '-q', '-a', '-m', message);
const kept = (dir: string): string => git(dir, 'log', '--format=%s', '--grep', 'keep_step');

describe('a step that is taken back on purpose', () => {
  test.each<[string, (dir: string) => void]>([
    ['by git revert', (dir) => git(dir, 'revert', '--no-edit', 'HEAD')],
    [
      'by a commit of what was taken off the disk',
      (dir) => {
        git(dir, 'rm', '-q', RECORD);
        git(dir, 'checkout', '-q', 'HEAD^', '--', SPEC);
        git(dir, 'commit', '-q', '-m', 'not so');
      },
    ],
    [
      'by a commit in its place',
      (dir) => {
        git(dir, 'revert', '--no-commit', 'HEAD');
        git(dir, 'commit', '-q', '--amend', '--allow-empty', '-m', 'not so');
        git(dir, 'commit', '-q', '--allow-empty', '-m', 'and more');
      },
    ],
    [
      'by a commit that another clone has made',
      (dir) => {
        const other = `${dir}.other`;
        git(dir, 'clone', '-q', dir, other);
        git(other, 'rm', '-q', RECORD);
        git(other, 'commit', '-q', '-m', 'not so');
        git(dir, 'pull', '-q', '--ff-only', other, 'main');
      },
    ],
    [
      'by a history in its place, of which nothing is left',
      (dir) => {
        git(dir, 'reset', '-q', '--hard', 'HEAD^');
        git(dir, 'commit', '-q', '--amend', '-m', 'rewritten');
        git(dir, 'update-ref', '-d', 'ORIG_HEAD');
        git(dir, 'reflog', 'expire', '--expire=now', '--all');
        git(dir, 'gc', '-q', '--prune=now');
      },
    ],
  ])('%s stays so', async (_, takeBack) => {
    const solo = await makeSolo();
    await change(solo, STEP);
    takeBack(solo.dir);
    await solo.sync.pull();
    expect(see(solo.dir, RECORD)).toBeUndefined();
    expect([git(solo.dir, 'status', '--porcelain'), kept(solo.dir)]).toEqual(['', '']);
    await change(solo, [write(RECORD, taskMeta('t-last', 'bo'))]);
    expect(git(solo.dir, 'show', `HEAD:${RECORD}`)).toContain('"bo"');
  });
});

describe('what a person commits beside the steps of a node is no step', () => {
  test('a file that goes out of git and stays on the disk is not published again', async () => {
    const { lead, remote } = await makeTeam();
    await change(lead, STEP);
    put(lead.dir, '.env', 'NAME=1\n');
    git(lead.dir, 'add', '.env');
    commitAll(lead.dir, 'too much');
    await lead.sync.push();
    git(lead.dir, 'rm', '-q', '--cached', '.env');
    git(lead.dir, 'commit', '-q', '-m', 'not that');
    await lead.sync.push();
    expect([published(remote, 'main', '.env'), kept(lead.dir)]).toEqual([undefined, '']);
  });

  test('a link stays in the commit that brings it', async () => {
    const { lead, remote } = await makeTeam();
    await change(lead, STEP);
    symlinkSync('plan.md', join(lead.dir, 'shared/projects/p/link.md'));
    git(lead.dir, 'add', 'shared/projects/p/link.md');
    commitAll(lead.dir, 'link');
    await lead.sync.push();
    expect(git(remote, 'ls-tree', 'main', 'shared/projects/p/link.md')).toMatch(/^120000/);
    expect(kept(lead.dir)).toBe('');
  });

  test('what a pull brought and git writes in another way to the disk may be taken back', async () => {
    const { lead, remote } = await makeTeam();
    const { dir } = lead;
    put(dir, '.gitattributes', '* text=auto eol=lf\n*.bat text eol=crlf\n');
    put(dir, 'run.bat', 'one\r\n');
    git(dir, 'add', '.');
    commitAll(dir, 'one');
    await lead.sync.push();
    const other = `${dir}.other`;
    git(dir, 'clone', '-q', remote, other);
    put(other, 'run.bat', 'two\r\n');
    commitAll(other, 'two');
    git(other, 'push', '-q');
    await lead.sync.close();
    const node = await openNode({ dir, role: 'leader', localpart: 'lead', remote });
    await node.sync.pull();
    git(dir, 'revert', '--no-edit', 'HEAD');
    await node.sync.push();
    expect([published(remote, 'main', 'run.bat'), kept(dir)]).toEqual(['one\n', '']);
  });

  test('an edit back to what the node last wrote is taken up', async () => {
    const { lead, remote } = await makeTeam();
    await change(lead, STEP);
    put(lead.dir, SPEC, '# Third edition\n');
    commitAll(lead.dir, 'third');
    await lead.sync.push();
    put(lead.dir, SPEC, '# Second edition\n');
    expect(await lead.sync.adopt([SPEC])).toMatchObject({ adopted: [SPEC] });
    expect(published(remote, 'main', SPEC)).toBe('# Second edition\n');
  });
});
