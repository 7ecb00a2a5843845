import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createGit } from '../../../src/adapters/git/git.ts';
import { firstCommit, initBare, initRepository } from '../../../src/adapters/git/setup.ts';
import { testFolder } from '../../support/folders.ts';
import { git as plain } from '../../support/git.ts';
import { eventually } from '../../support/waiting.ts';
import { put } from '../../sync/workshop.ts';

const AUTHOR = { name: 'Pat', email: 'pat@local' };

/** The commands of our child processes that work in this folder. */
function childrenIn(dir: string): readonly string[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ');
  return children.flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(dir) ? [words.slice(1, 3).join(' ')] : [];
    } catch {
      return [];
    }
  });
}

describe.skipIf(!existsSync('/proc/self/task'))('a closed git (skipped without /proc)', () => {
  test('leaves no process behind, and still answers', async () => {
    const folder = testFolder('closing');
    const [dir, remote] = [join(folder, 'w'), join(folder, 'remote.git')];
    await initRepository(dir, 'main');
    put(dir, 'a.txt', 'one\n');
    await firstCommit(dir, ['a.txt'], 'first', AUTHOR);
    await initBare(remote, 'main');
    await eventually(() => childrenIn(folder).length === 0, 'what made the first commit has ended');

    const git = await createGit({ dir });
    const head = plain(dir, 'rev-parse', 'HEAD');
    expect(await git.push(remote, 'main', head)).toMatchObject({ kind: 'ok' });
    await git.fetch(remote, ['main']);
    await git.updateRefs([{ ref: 'refs/heads/other', next: head, previous: null }]);
    expect(childrenIn(folder)).not.toEqual([]);

    git[Symbol.dispose]();
    await eventually(() => childrenIn(folder).length === 0, 'every process has ended');
    expect((await git.facts()).refs.get('refs/heads/other')).toBe(head);
    expect(await git.sizes([`${head}:a.txt`])).toEqual([4]);
    await eventually(() => childrenIn(folder).length === 0, 'that of the late question has ended as well');
  });
});
