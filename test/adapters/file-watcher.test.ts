import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { watchRefs, watchTree } from '../../src/adapters/file-watcher.ts';
import { localGitDirectory } from '../../src/adapters/git/local-refs.ts';
import type { Watching } from '../../src/adapters/lasting-watch.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';

/** Collects what a watcher tells, and waits for what is expected of it. */
function listener() {
  const seen: string[] = [];
  const batches: (readonly string[])[] = [];
  let wake: (() => void) | undefined;
  return {
    seen,
    batches,
    onChange(paths: readonly string[]): void {
      batches.push(paths);
      seen.push(...paths);
      wake?.();
    },
    onError(error: unknown): void {
      throw new Error('the watcher failed', { cause: error });
    },
    async until(path: string): Promise<void> {
      while (!seen.includes(path)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function closing(watching: Watching): void {
  onTestFinished(() => watching.close());
}

function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('watching the files of a workspace', () => {
  test('tells what is written, changed, moved and removed, by path from the root', async () => {
    const root = testFolder();
    put(root, 'shared/projects/p/plan.md', 'one');
    put(root, 'shared/tasks/t/result.md', 'one');
    const heard = listener();
    closing(await watchTree({ root, ...heard }));
    put(root, 'shared/projects/p/plan.md', 'two!');
    await heard.until('shared/projects/p/plan.md');
    put(root, 'shared/tasks/new/workspace/deep/a.txt', 'a');
    await heard.until('shared/tasks/new/workspace/deep/a.txt');
    renameSync(join(root, 'shared/tasks/t/result.md'), join(root, 'shared/tasks/t/renamed.md'));
    await heard.until('shared/tasks/t/renamed.md');
    await heard.until('shared/tasks/t/result.md');
    rmSync(join(root, 'shared/projects/p'), { recursive: true });
    await heard.until('shared/projects/p/');
  });

  test('tells of tasks that sleep only that their folders come and go', async () => {
    const root = testFolder();
    put(root, 'shared/tasks/old/meta.json', 'one');
    put(root, 'shared/tasks/live/meta.json', 'one');
    const heard = listener();
    closing(await watchTree({ root, ...heard, isAsleep: (id) => id === 'old' }));
    put(root, 'shared/tasks/old/meta.json', 'two!');
    put(root, 'shared/tasks/live/meta.json', 'two!');
    await heard.until('shared/tasks/live/meta.json');
    put(root, 'shared/tasks/new/meta.json', 'one');
    await heard.until('shared/tasks/new/meta.json');
    rmSync(join(root, 'shared/tasks/old'), { recursive: true });
    await heard.until('shared/tasks/old/');
    expect(heard.seen.filter((path) => path.startsWith('shared/tasks/old/') && path !== 'shared/tasks/old/')).toEqual(
      [],
    );
  });

  test('asks once whether a task sleeps that does not, however often its files change', async () => {
    const root = testFolder();
    put(root, 'shared/tasks/live/meta.json', 'one');
    const heard = listener();
    const asked: string[] = [];
    const isAsleep = (id: string): boolean => {
      asked.push(id);
      return false;
    };
    closing(await watchTree({ root, ...heard, isAsleep }));
    for (const name of ['a', 'b', 'c']) {
      put(root, `shared/tasks/live/${name}.md`, name);
      await heard.until(`shared/tasks/live/${name}.md`);
    }
    put(root, 'shared/tasks/new/meta.json', 'one');
    await heard.until('shared/tasks/new/meta.json');
    expect(asked).toEqual(['live', 'new']);
  });

  test('goes on when the folder of all tasks was replaced', async () => {
    const root = testFolder();
    put(root, 'shared/tasks/old/meta.json', 'one');
    const heard = listener();
    closing(await watchTree({ root, ...heard, isAsleep: (id) => id === 'old' }));
    renameSync(join(root, 'shared/tasks'), join(root, 'shared/aside'));
    mkdirSync(join(root, 'shared/tasks/old'), { recursive: true });
    await heard.until('shared/tasks/');
    put(root, 'shared/tasks/new/meta.json', 'one');
    await heard.until('shared/tasks/new/meta.json');
    // The watch on the names follows when it has seen that it watches another folder.
    await vi.waitFor(
      () => {
        rmSync(join(root, 'shared/tasks/old'), { recursive: true, force: true });
        expect(heard.seen).toContain('shared/tasks/old/');
        mkdirSync(join(root, 'shared/tasks/old'));
      },
      { timeout: 10_000, interval: 200 },
    );
    // A directory that goes is told by the system by its own name.
    expect(heard.seen).not.toContain('shared/tasks/tasks/');
  });

  test('takes up folders and files that were not there at the start', async () => {
    const root = testFolder();
    mkdirSync(join(root, 'shared'));
    const heard = listener();
    closing(await watchTree({ root, ...heard }));
    put(root, 'shared/team.json', '{}');
    await heard.until('shared/team.json');
    put(root, 'shared/agents/ana.json', '{}');
    await heard.until('shared/agents/ana.json');
  });

  test('gives changes that come together in one batch, each path once, and says nothing of what it was not asked for', async () => {
    const root = testFolder();
    put(root, 'shared/tasks/t/meta.json', '');
    put(root, 'shared/events/2026-09/lead.jsonl', '');
    const heard = listener();
    closing(await watchTree({ root, ...heard, quiet: 150 }));
    for (let round = 0; round < 20; round += 1) {
      appendFileSync(join(root, 'shared/tasks/t/meta.json'), 'x');
      appendFileSync(join(root, 'shared/events/2026-09/lead.jsonl'), 'x');
      put(root, `shared/tasks/t/.baton-tmp-1-${round}`, 'x');
      put(root, `shared/tasks/t/.result.md.swp`, 'x');
      put(root, `shared/tasks/t/result.md~`, 'x');
    }
    put(root, 'shared/tasks/t/end', '');
    await heard.until('shared/tasks/t/end');
    await heard.until('shared/tasks/t/meta.json');
    expect(heard.batches.every((batch) => new Set(batch).size === batch.length)).toBe(true);
    expect(new Set(heard.seen)).toEqual(new Set(['shared/tasks/t/end', 'shared/tasks/t/meta.json']));
    expect(heard.batches.length).toBeLessThan(5);
  });

  test('gives a batch after a while although changes never stop', async () => {
    const root = testFolder();
    put(root, 'shared/tasks/t/meta.json', '');
    const heard = listener();
    closing(await watchTree({ root, ...heard, quiet: 60_000 }));
    put(root, 'shared/tasks/t/meta.json', 'changed');
    await heard.until('shared/tasks/t/meta.json');
  });

  test('reports a listener that fails instead of failing itself', async () => {
    const root = testFolder();
    put(root, 'shared/team.json', '');
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const failing = {
      onChange: () => {
        throw new Error('not my day');
      },
      onError: resolve,
    };
    closing(await watchTree({ root, ...failing }));
    put(root, 'shared/team.json', '{}');
    expect(String(await promise)).toBe('Error: not my day');
  });

  test('says nothing after it was closed', async () => {
    const root = testFolder();
    put(root, 'shared/team.json', '');
    const closed = listener();
    const open = listener();
    const watching = await watchTree({ root, ...closed });
    closing(await watchTree({ root, ...open }));
    await watching.close();
    put(root, 'shared/team.json', '{}');
    await open.until('shared/team.json');
    expect(closed.seen).toEqual([]);
  });
});

describe('watching a remote on this machine', () => {
  test('tells every push at once, also when refs are packed', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    const clone = join(folder, 'clone');
    git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
    git(folder, 'clone', '--quiet', remote, clone);
    const heard = listener();
    closing(await watchRefs({ root: localGitDirectory(folder, remote) ?? '', ...heard }));
    git(clone, 'commit', '--quiet', '--allow-empty', '-m', 'One');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
    await heard.until('refs/heads/main');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/lanes/ana');
    await heard.until('refs/heads/lanes/ana');
    git(remote, 'pack-refs', '--all');
    await heard.until('packed-refs');
    heard.seen.length = 0;
    git(clone, 'commit', '--quiet', '--allow-empty', '-m', 'Two');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/lanes/ana');
    await heard.until('refs/heads/lanes/ana');
    expect(heard.seen.filter((path) => path.endsWith('.lock'))).toEqual([]);
  });

  test('tells where only one branch is asked for of that one, loose or packed, and of no other', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
    const tree = git(remote, 'mktree');
    const [one, two] = ['one', 'two'].map((words) => git(remote, 'commit-tree', '-m', words, tree)) as [string, string];
    git(remote, 'update-ref', 'refs/heads/main', one);
    const heard = listener();
    closing(await watchRefs({ root: remote, branch: 'main', ...heard }));
    git(remote, 'update-ref', 'refs/heads/lanes/ana', one);
    git(remote, 'update-ref', 'refs/heads/lanes/ana', two);
    git(remote, 'update-ref', 'refs/heads/main', two);
    await heard.until('refs/heads/main');
    git(remote, 'pack-refs', '--all', '--prune');
    await heard.until('packed-refs');
    expect(heard.seen.filter((path) => path.includes('lanes/ana'))).toEqual([]);
  });
});
