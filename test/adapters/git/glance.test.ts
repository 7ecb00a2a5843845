import { copyFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { git as plain } from '../../support/git.ts';
import { WANTED, commit, newGround, write } from './nearby-team.ts';
import type { Ground } from './nearby-team.ts';

let ground: Ground;
let remote = '';

beforeEach(() => {
  ground = newGround();
  ({ remote } = ground);
});

/** Main has moved on since ana has fetched it. */
async function movedOn(): Promise<{
  readonly ana: Awaited<ReturnType<Ground['makeClone']>>;
  readonly first: string;
  readonly next: string;
}> {
  const { lead, ana, first } = await ground.makeTeam();
  const next = await commit(lead, [first], write('a/b', 'three\n'), write('d', 'new\n'));
  await lead.git.push(remote, 'main', next);
  return { ana, first, next };
}

const objectsIn = (dir: string): number => readdirSync(join(dir, '.git/objects'), { recursive: true }).length;

describe('a glance at a remote on this machine', () => {
  test('tells what its branches hold, and brings nothing here', async () => {
    const { ana, first, next } = await movedOn();
    const before = [objectsIn(ana.dir), ana.talks()];
    const glance = await ana.git.glance(remote, WANTED);
    expect(glance?.refs.get('refs/heads/main')).toBe(next);
    expect(await glance?.diff(first, next)).toMatchObject([{ path: 'a/b' }, { path: 'd', before: undefined }]);
    const read = await glance?.read([`${next}:a/b`, `${first}:a/b`, `${next}:nowhere`]);
    expect(read?.map((bytes) => bytes && Buffer.from(bytes).toString())).toEqual(['three\n', 'one\n', undefined]);
    expect([objectsIn(ana.dir), ana.talks()]).toEqual(before);
    expect(plain(ana.dir, 'rev-parse', 'origin/main')).toBe(first);
  });

  test('knows the history of both repositories, also what is only here', async () => {
    const { ana, first, next } = await movedOn();
    const own = await commit(ana, [first], write('c', 'of ana\n'));
    const glance = await ana.git.glance(remote, WANTED);
    expect(await glance?.mergeBases(own, next)).toEqual([first]);
    expect(await glance?.resolve([`${own}:c`])).toEqual(await ana.git.resolve([`${own}:c`]));
  });

  test('reads what is packed there', async () => {
    const { ana, first, next } = await movedOn();
    plain(remote, 'repack', '-adq');
    const glance = await ana.git.glance(remote, WANTED);
    expect(await glance?.diff(first, next)).toHaveLength(2);
  });

  test('does not believe an object that is not what its name says', async () => {
    const { ana, first, next } = await movedOn();
    const [from, to] = ['a', 'd'].map((path) => plain(remote, 'rev-parse', `${next}:${path}`));
    const file = (id = ''): string => join(remote, 'objects', id.slice(0, 2), id.slice(2));
    rmSync(file(from));
    copyFileSync(file(to), file(from));
    const glance = await ana.git.glance(remote, WANTED);
    await expect(glance?.diff(first, next)).rejects.toMatchObject({ code: 'git-failed' });
  });

  test('finds nothing in a file that cannot be opened', async () => {
    const { ana, first, next } = await movedOn();
    const tree = plain(remote, 'rev-parse', `${next}^{tree}`);
    const file = join(remote, 'objects', tree.slice(0, 2), tree.slice(2));
    rmSync(file);
    symlinkSync(file, file);
    const glance = await ana.git.glance(remote, WANTED);
    await expect(glance?.diff(first, next)).rejects.toMatchObject({ code: 'git-failed' });
  });

  test('is not to be had where only git can tell what is there', async () => {
    const { ana } = await movedOn();
    expect(await ana.git.glance(pathToFileURL(remote).href, WANTED)).toBeUndefined();
    expect(await ana.git.glance('ssh://host.invalid/team.git', WANTED)).toBeUndefined();
    plain(ana.dir, 'config', 'fetch.fsckObjects', 'true');
    expect(await ana.git.glance(remote, WANTED)).toBeUndefined();
  });
});
