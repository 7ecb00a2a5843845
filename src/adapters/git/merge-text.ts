import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isolatedEnvironment } from './environment.ts';
import { plumb } from './run.ts';
import type { GitPlace } from './run.ts';

export interface Sides {
  readonly base: Uint8Array;
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
}

/**
 * The text merge of one file exactly as git makes it when it merges commits; `undefined` where git finds a conflict.
 * `git merge-file` compares lines by another algorithm, so it is not asked: three commits of a repository that is
 * thrown away are merged, without the person's configuration. `env` is the person's.
 */
export async function mergeAsCommits(sides: Sides, env: NodeJS.ProcessEnv): Promise<Uint8Array | undefined> {
  return inFolder(async (dir) => {
    const place: GitPlace = { cwd: dir, env: { ...isolatedEnvironment(env, []), GIT_DIR: dir } };
    await plumb(place, ['init', '--quiet', '--bare', '--template=', dir]);
    await plumb(place, ['fast-import', '--quiet'], { input: history(sides) });
    const merge = ['merge-tree', '--write-tree', '--no-messages', 'refs/heads/ours', 'refs/heads/theirs'];
    const { code, stdout } = await plumb(place, merge, { codes: [0, 1] });
    if (code === 1) return undefined;
    return (await plumb(place, ['cat-file', 'blob', `${stdout.toString('utf8').trim()}:file`])).stdout;
  });
}

function history({ base, ours, theirs }: Sides): Uint8Array {
  const commit = (branch: string, content: Uint8Array, from: string): Uint8Array[] => [
    Buffer.from(`commit refs/heads/${branch}\ncommitter baton <baton> 0 +0000\ndata 0\n${from}M 100644 inline file\n`),
    Buffer.from(`data ${content.length}\n`),
    content,
    Buffer.from('\n'),
  ];
  return Buffer.concat([
    ...commit('base', base, ''),
    ...commit('ours', ours, 'from refs/heads/base\n'),
    ...commit('theirs', theirs, 'from refs/heads/base\n'),
  ]);
}

export interface Marking {
  /** What the markers call the sides. */
  readonly labels: { readonly base: string; readonly ours: string; readonly theirs: string };
  /** Characters of a marker. */
  readonly markerSize: number;
  /** The person's work tree and environment, which say what style of markers they have set. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The file with conflict markers where the sides differ, in the style that the person has set for git; `undefined`
 * for what is no text.
 */
export async function withMarkers(
  sides: Sides,
  { labels, markerSize, cwd, env }: Marking,
): Promise<Uint8Array | undefined> {
  return inFolder(async (dir) => {
    const names = (['ours', 'base', 'theirs'] as const).map((side) => {
      writeFileSync(join(dir, side), sides[side]);
      return join(dir, side);
    });
    const flags = [labels.ours, labels.base, labels.theirs].flatMap((label) => ['-L', label]);
    const place = { cwd, env: definedOf(env) };
    const { code, stdout } = await plumb(
      place,
      ['merge-file', '-p', '-q', `--marker-size=${markerSize}`, ...flags, ...names],
      { codes: Array.from({ length: 256 }, (_, each) => each) },
    );
    return code > 127 ? undefined : stdout;
  });
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

async function inFolder<Result>(work: (dir: string) => Promise<Result>): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-merge-'));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
