import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import type { Hint } from '../../src/adapters/hints.ts';
import type { Sync } from '../../src/ports.ts';
import { watchesOf } from '../../src/waking.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { createWorkIndex } from '../../src/workspace/work-index.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { eventually } from '../support/waiting.ts';

const workTree = createWorkTree('/');
const nothing = { root: '/', workTree, index: createWorkIndex('/', { workTree, millis: () => 0 }) };

/** Watches a remote for a node that knows nothing of what was pushed. */
async function watched(remote: string) {
  let woken = 0;
  const { watchRemote } = watchesOf({
    ...nothing,
    remote,
    clock: systemClock,
    // Only what the watch asks of it.
    sync: { isKnown: () => false } as unknown as Sync,
    hints: undefined,
    wants: () => true,
    isLeading: true,
    branch: 'main',
    onError: (error) => expect.unreachable(String(error)),
  });
  const watching = await watchRemote?.(() => (woken += 1));
  onTestFinished(() => watching?.close());
  return {
    async wakes(what: string, deed: () => void): Promise<void> {
      const before = woken;
      deed();
      await eventually(() => woken > before || undefined, `${what} wakes the node`);
    },
  };
}

function repositories() {
  const folder = testFolder();
  const remote = join(folder, 'team.git');
  const clone = join(folder, 'clone');
  const make = (at = remote): void => void git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', at);
  make();
  git(folder, 'clone', '--quiet', remote, clone);
  let count = 0;
  const push = (ref = 'main'): void => {
    count += 1;
    git(clone, 'commit', '--quiet', '--allow-empty', '-m', String(count));
    git(clone, 'push', '--quiet', remote, `HEAD:refs/heads/${ref}`);
  };
  return { remote, make, push };
}

test('a remote that is moved away and back, or made anew, is watched on', async () => {
  const { remote, make, push } = repositories();
  const node = await watched(remote);
  await node.wakes('a push', push);
  renameSync(remote, `${remote}.away`);
  renameSync(`${remote}.away`, remote);
  await node.wakes('a push after a moment away', push);
  rmSync(remote, { recursive: true });
  make();
  await node.wakes('a push to the new one', push);
  push('lanes/ana');
  git(remote, 'pack-refs', '--all', '--prune');
  expect(existsSync(join(remote, 'refs/heads/lanes'))).toBe(false);
  await node.wakes('a push after all refs were packed', () => push('lanes/ana'));
});

test('a remote that is not there yet is watched as soon as it is', async () => {
  const { remote, push } = repositories();
  renameSync(remote, `${remote}.later`);
  const node = await watched(remote);
  await node.wakes('its appearance', () => renameSync(`${remote}.later`, remote));
  await node.wakes('a push', push);
});

test('a hint wakes a node once, a moment after the refs of a remote on this machine would have', async () => {
  const { remote } = repositories();
  const sleeps: number[] = [];
  const woken: string[] = [];
  const known = new Set(['1'.repeat(40)]);
  let onHint: (hint: Hint) => void = () => undefined;
  const { watchRemote } = watchesOf({
    ...nothing,
    remote,
    clock: { ...systemClock, elapsed: () => 0, sleep: (ms) => Promise.resolve(void sleeps.push(ms)) },
    sync: { isKnown: (_: string, commit: string) => known.has(commit) } as unknown as Sync,
    hints: {
      tell: () => undefined,
      listen(listener) {
        onHint = listener;
        return Promise.resolve({ close: () => Promise.resolve() });
      },
    },
    isLeading: false,
    branch: 'main',
    wants: (ref) => ref === 'refs/heads/main',
    onError: (error) => expect.unreachable(String(error)),
  });
  const watching = await watchRemote?.((paths) => woken.push(...paths));
  onTestFinished(() => watching?.close());
  const hint = async (digit: number, ref = 'refs/heads/main'): Promise<void> => {
    onHint({ ref, commit: String(digit).repeat(40) });
    await new Promise((turn) => setImmediate(turn));
  };
  await hint(1);
  await hint(2, 'refs/heads/lanes/bo');
  expect([woken, sleeps], 'what is known already, or another lane').toEqual([[], []]);
  await hint(3);
  await hint(3);
  expect([woken, sleeps]).toEqual([['refs/heads/main'], [1_000]]);
});
