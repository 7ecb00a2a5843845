import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { must, run } from './bench.ts';
import type { Bench } from './bench.ts';

/** What one step of the work leaves in the tree: contents by path, `undefined` for a file that goes. */
export type Files = ReadonlyMap<string, Buffer | string | undefined>;

/** The files by which `after` differs from `before`, as a repository holds them. */
export async function filesBetween(bench: Bench, dir: string, before: string, after: string): Promise<Files> {
  const at = { cwd: dir, env: bench.env };
  const names = await must('git', ['diff-tree', '-r', '--name-only', '--no-renames', before, after], at);
  const files = new Map<string, string | undefined>();
  for (const path of names.split('\n').filter((name) => name !== '')) {
    const { code, stdout } = await run('git', ['show', `${after}:${path}`], at);
    files.set(path, code === 0 ? stdout : undefined);
  }
  return files;
}

/** A person's clone in which bare git does what Baton does; git is as it comes, without settings of anybody. */
export interface BareClone {
  readonly dir: string;
  /** The floor of one step: fetch, write, add, commit, push, where nobody else writes. */
  publish(files: Files, message: string): Promise<void>;
  /**
   * The same among others on the branch: pull with rebase, write, add, commit, push, and again from the pull for as
   * long as the push is refused and `mayGoOn` says so. `make` sees the tree after the first pull.
   */
  publishAmongOthers(
    make: () => Promise<Files>,
    message: string,
    mayGoOn: () => boolean,
  ): Promise<{ readonly done: boolean; readonly refused: number }>;
}

export async function cloneBare(bench: Bench, remote: string, name: string): Promise<BareClone> {
  const dir = join(bench.fresh('bare'), name);
  await must('git', ['clone', '--quiet', remote, dir], { cwd: dirname(dir), env: bench.env });
  const git = (...words: readonly string[]): Promise<string> => must('git', words, { cwd: dir, env: bench.env });
  const commit = async (files: Files, message: string): Promise<void> => {
    await write(dir, files);
    await git('add', '--', ...files.keys());
    await git('commit', '--quiet', '--message', message);
  };

  return {
    dir,
    async publish(files, message) {
      await git('fetch', '--quiet', 'origin');
      await commit(files, message);
      await git('push', '--quiet', 'origin', 'main');
    },
    async publishAmongOthers(make, message, mayGoOn) {
      await git('pull', '--quiet', '--rebase', 'origin', 'main');
      await commit(await make(), message);
      for (let refused = 0; ; refused += 1) {
        const { code, stderr } = await run('git', ['push', '--quiet', 'origin', 'main'], { cwd: dir, env: bench.env });
        if (code === 0) return { done: true, refused };
        if (!/\[rejected\]|\[remote rejected\]|cannot lock ref/.test(stderr)) throw new Error(`git push: ${stderr}`);
        if (!mayGoOn()) return { done: false, refused: refused + 1 };
        await git('pull', '--quiet', '--rebase', 'origin', 'main');
      }
    },
  };
}

async function write(dir: string, files: Files): Promise<void> {
  for (const [path, content] of files) {
    const file = join(dir, path);
    if (content === undefined) await rm(file, { force: true });
    else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
}
