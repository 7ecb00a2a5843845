import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGit } from '../../src/adapters/git/git.ts';
import { initRepository } from '../../src/adapters/git/setup.ts';
import type { TreeEdit } from '../../src/ports-git.ts';
import { mergeCommits } from '../../src/sync/merge.ts';
import { testFolder } from '../support/folders.ts';
import { git as plain } from '../support/git.ts';

const AUTHOR = { name: 'Pat', email: 'pat@local' };
const POLICY = { ownerOf: () => undefined, leaderSide: undefined, agent: 'pat' };

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const text = fc.constantFrom('one\n', 'two\n');
const content = (at: string, words: string): TreeEdit => ({
  path: at,
  kind: 'content',
  mode: '100644',
  content: Buffer.from(words),
});
const edit = fc.oneof(
  fc.tuple(path, text).map(([at, words]) => content(at, words)),
  path.map((at): TreeEdit => ({ path: at, kind: 'remove' })),
);

/** The tree that git itself merges; nothing where it finds a conflict. */
function byGit(dir: string, ours: string, theirs: string): string | undefined {
  try {
    return execFileSync('git', ['-c', 'merge.renames=false', 'merge-tree', '--write-tree', ours, theirs], {
      cwd: dir,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

test('two sides that touched nothing in common are merged as git merges them', async () => {
  const dir = join(testFolder('merge'), 'w');
  await initRepository(dir, 'main');
  const git = await createGit({ dir });
  const commit = (parents: readonly string[], edits: readonly TreeEdit[]): Promise<string> =>
    git.commit({ parents, edits, message: 'm\n', author: AUTHOR, at: 1_700_000_000 });
  let clean = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(path, text), { minLength: 1, maxLength: 6 }),
      fc.array(edit, { minLength: 1, maxLength: 2 }),
      fc.array(edit, { minLength: 1, maxLength: 2 }),
      async (files, left, right) => {
        const base = await commit(
          [],
          files.map(([at, words]) => content(at, words)),
        );
        const [ours, theirs] = [await commit([base], left), await commit([base], right)];
        const wanted = byGit(dir, ours, theirs);
        const [changed, other] = [await git.diff(base, ours), await git.diff(base, theirs)];
        // Git follows what has moved, and Baton does not.
        if (wanted === undefined || changed.some((one) => other.some((two) => one.path === two.path))) return;
        clean += 1;
        const { tree, edits } = await mergeCommits(git, ours, theirs, POLICY);
        const merged = await git.commit({
          parents: [ours, theirs],
          tree,
          edits,
          message: 'm\n',
          author: AUTHOR,
          at: 1_700_000_000,
        });
        expect(plain(dir, 'rev-parse', `${merged}^{tree}`)).toBe(wanted);
      },
    ),
    { numRuns: 120 },
  );
  expect(clean).toBeGreaterThan(20);
});

test('two common ancestors that contradict each other take nothing away that one side has added since', async () => {
  const dir = join(testFolder('merge'), 'w');
  await initRepository(dir, 'main');
  const git = await createGit({ dir });
  const commit = (parents: readonly string[], edits: readonly TreeEdit[]): Promise<string> =>
    git.commit({ parents, edits, message: 'm\n', author: AUTHOR, at: 1_700_000_000 });
  const root = await commit([], [content('a', 'a\n')]);
  const [one, two] = [await commit([root], [content('x', 'one\n')]), await commit([root], [content('x', 'two\n')])];
  const ours = await commit([one, two], []);
  // What is added says the same as what the ancestors say of the file on which they differ.
  const theirs = await commit([two, one], [content('kept/1', 'one\n'), content('kept/2', 'two\n')]);
  const merge = await mergeCommits(git, ours, theirs, POLICY);
  const merged = await git.commit({
    parents: [ours, theirs],
    ...(merge.tree === undefined ? {} : { tree: merge.tree }),
    edits: merge.edits,
    message: 'm\n',
    author: AUTHOR,
    at: 1_700_000_000,
  });
  expect((await git.entries(merged)).map(({ path: at }) => at)).toEqual(
    expect.arrayContaining(['a', 'kept/1', 'kept/2', 'x']),
  );
});
