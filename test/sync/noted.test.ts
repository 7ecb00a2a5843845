import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createGit } from '../../src/adapters/git/git.ts';
import { git } from '../support/git.ts';
import { change, makeTeam, openNode, published, see, write } from './workshop.ts';
import type { Node, Team } from './workshop.ts';

const RESULT = 'shared/tasks/t-ana/result.md';
const LOG = 'shared/tasks/t-ana/log.md';

/** Another git holds the ref that shows main. */
function hold(dir: string): () => void {
  const lock = join(dir, '.git/refs/remotes/origin/main.lock');
  mkdirSync(dirname(lock), { recursive: true });
  writeFileSync(lock, '');
  return () => rmSync(lock, { force: true });
}

function moveMain(remote: string): void {
  git(remote, 'update-ref', 'refs/heads/main', git(remote, 'commit-tree', 'main^{tree}', '-p', 'main', '-m', 'x'));
}

/** A Worker's node whose next push arrives, of which it does not hear; main moves then, and its ref is held. */
async function unheard({ ana, remote }: Team): Promise<{ readonly node: Node; readonly release: () => void }> {
  await ana.sync.pull();
  await change(ana, [write(LOG, 'begin\n')]);
  await ana.sync.close();
  let release: (() => void) | undefined;
  const node = await openNode(
    { dir: ana.dir, role: 'worker', localpart: 'ana', remote },
    {
      hand: (workTree, repository) => ({
        workTree,
        git: {
          ...repository,
          async push(...parameters) {
            const outcome = await repository.push(...parameters);
            if (release !== undefined) return outcome;
            moveMain(remote);
            release = hold(ana.dir);
            return { kind: 'unreachable', detail: 'the answer was lost' };
          },
        },
      }),
    },
  );
  await node.sync.pull();
  return { node, release: () => release?.() };
}

const addLine = (node: Node, whenOffline: 'persist' | 'refuse'): ReturnType<typeof change> =>
  change(node, (view) => [write(LOG, `${view.text(LOG) ?? ''}one\n`)], { whenOffline });

describe('a step that arrived, of which nobody heard, while a ref is held that shows what is there', () => {
  test('is kept when it is finished work, and is there once', async () => {
    const team = await makeTeam();
    const { node, release } = await unheard(team);
    expect(await addLine(node, 'persist')).toMatchObject({ durability: 'committed' });
    release();
    await node.sync.push();
    expect(published(team.remote, 'lanes/ana', LOG)).toBe('begin\none\n');
  });

  test('is answered as one that may be there', async () => {
    const { node, release } = await unheard(await makeTeam());
    await expect(addLine(node, 'refuse')).rejects.toMatchObject({ data: { published: 'unknown' } });
    release();
  });
});

test('a ref that was held while a pull had nothing to bring refuses nothing afterwards', async () => {
  const { remote, ana } = await makeTeam();
  await ana.sync.pull();
  await change(ana, [write(LOG, 'begin\n')]);
  git(remote, 'update-ref', 'refs/heads/main', 'refs/heads/lanes/ana');
  const release = hold(ana.dir);
  await ana.sync.pull();
  await ana.git.noted();
  release();
  expect(await change(ana, [write(RESULT, 'done\n')], { whenOffline: 'persist' })).toMatchObject({
    durability: 'replicated',
  });
  expect(git(ana.dir, 'rev-parse', 'origin/main')).toBe(git(remote, 'rev-parse', 'main'));
});

test('a node that is closed moves no ref any more', async () => {
  const { remote, ana, folder } = await makeTeam();
  await ana.sync.pull();
  await change(ana, [write(LOG, 'begin\n')]);
  await ana.sync.close();
  // Main moves on to what the Worker has, so that a pull has nothing to bring, and noting it takes a while.
  git(remote, 'update-ref', 'refs/heads/main', 'refs/heads/lanes/ana');
  const [bin, begun] = [join(folder, 'slow'), join(folder, 'begun')];
  mkdirSync(bin);
  const path = process.env['PATH'] ?? '';
  const slowly = `case " $* " in *" --create-reflog "*) touch '${begun}'; sleep 1;; esac`;
  writeFileSync(join(bin, 'git'), `#!/bin/sh\nPATH='${path}'\n${slowly}\nexec git "$@"\n`, { mode: 0o755 });
  const repository = await createGit({ dir: ana.dir, env: { ...process.env, PATH: `${bin}:${path}` } });
  const node = await openNode(
    { dir: ana.dir, role: 'worker', localpart: 'ana', remote },
    { hand: (workTree, { [Symbol.dispose]: dispose }) => (dispose(), { workTree, git: repository }) },
  );
  await node.sync.pull();
  await node.sync.close();
  expect([see(folder, 'begun'), git(ana.dir, 'rev-parse', 'origin/main')]).toEqual([
    '',
    git(remote, 'rev-parse', 'main'),
  ]);
});
