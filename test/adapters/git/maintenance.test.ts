import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { maintainedClone, maintainedRemote } from '../../../src/adapters/git/maintenance.ts';
import type { MaintainedRepository } from '../../../src/ports-git.ts';
import { initBare, initRepository } from '../../../src/adapters/git/setup.ts';
import { cleanEnvironment } from '../../support/baton.ts';
import { testFolder } from '../../support/folders.ts';
import { git } from '../../support/git.ts';
import { change, makeTeam, put, write } from '../../sync/workshop.ts';

const env = cleanEnvironment();
const never = new AbortController().signal;

/** Thousands of objects in files of their own, on a branch of the person's. */
function scatter(repository: string, count: number): void {
  const blobs = Array.from(
    { length: count },
    (_, number) => `M 100644 inline f${number}\ndata 6\n${100_000 + number}\n`,
  );
  const commit = `commit refs/heads/many\ncommitter a <a@local> 1700000000 +0000\ndata 1\nm\n${blobs.join('')}\ndone\n`;
  const source = testFolder('scatter');
  execFileSync('git', ['init', '-q', '--bare', source]);
  execFileSync('git', ['fast-import', '--quiet', '--done'], { cwd: source, input: commit });
  const options = { cwd: source, input: 'refs/heads/many\n', maxBuffer: 1e8 };
  const pack = execFileSync('git', ['pack-objects', '--revs', '--stdout', '-q'], options);
  execFileSync('git', ['unpack-objects', '-q'], { cwd: repository, input: pack });
  git(repository, 'update-ref', 'refs/heads/many', git(source, 'rev-parse', 'refs/heads/many'));
}

const looseIn = (objects: string): number =>
  readdirSync(objects)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .reduce((sum, name) => sum + readdirSync(join(objects, name)).length, 0);

async function scattered(count: number): Promise<string> {
  const dir = join(testFolder('maintained'), 'w');
  await initRepository(dir, 'main');
  scatter(dir, count);
  return dir;
}

async function ofClone(dir: string): Promise<MaintainedRepository> {
  const found = await maintainedClone(dir, env);
  if (found === undefined) throw new Error('no clone');
  return found;
}

describe('a clone that is kept in order', () => {
  test('loses what a node left that was killed while it wrote, once it is old', async () => {
    const dir = await scattered(1);
    const objects = join(dir, '.git/objects');
    const names = ['tmp_index_1', 'tmp_ref_1', 'tmp_lock_1', 'tmp_index_new'];
    for (const name of names) writeFileSync(join(objects, name), '');
    const old = Date.now() / 1000 - 30 * 86_400;
    for (const name of names.slice(0, 3)) utimesSync(join(objects, name), old, old);
    await (await ofClone(dir)).collect(never);
    expect(readdirSync(objects).filter((name) => name.startsWith('tmp_'))).toEqual(['tmp_index_new']);
  });

  test('has thousands of loose objects packed, loses none, and its node goes on meanwhile', async () => {
    const { lead, ana, remote } = await makeTeam();
    scatter(lead.dir, 3_000);
    put(lead.dir, 'mine.txt', 'not committed\n');
    git(lead.dir, 'add', 'mine.txt');
    const staged = git(lead.dir, 'rev-parse', ':mine.txt');
    const clone = await ofClone(lead.dir);
    expect(clone.look().loose).toBeGreaterThan(2_000);

    let isPacked = false;
    const packing = clone
      .pack(never)
      .then(() => clone.collect(never))
      .finally(() => (isPacked = true));
    let steps = 0;
    do {
      steps += 1;
      await change(lead, [write('shared/projects/p/result.md', `step ${steps}\n`)]);
      await change(ana, [write(`shared/tasks/t-ana/progress/${steps}.md`, 'news\n')]);
    } while (!isPacked || steps < 3);
    await packing;
    await lead.sync.pull();
    await clone.pack(never);

    expect(looseIn(join(lead.dir, '.git/objects'))).toBe(0);
    expect(git(lead.dir, 'fsck', '--connectivity-only', '--no-dangling')).toBe('');
    expect(git(lead.dir, 'ls-tree', 'many').split('\n')).toHaveLength(3_000);
    expect(git(lead.dir, 'cat-file', '-t', staged)).toBe('blob');
    await change(lead, [write('shared/projects/p/result.md', 'after\n')]);
    expect(git(remote, 'show', 'main:shared/projects/p/result.md')).toBe('after');
    expect(git(remote, 'ls-tree', '--name-only', 'main', 'shared/tasks/t-ana/progress/').split('\n')).toHaveLength(
      steps,
    );
  });

  test('loses nothing when it is asked to stop, and is finished by the next one', async () => {
    const dir = await scattered(3_000);
    const stop = new AbortController();
    const packing = (await ofClone(dir)).pack(stop.signal);
    stop.abort();
    await packing;
    expect(existsSync(join(dir, '.git/objects/maintenance.lock'))).toBe(false);
    expect(git(dir, 'fsck', '--connectivity-only', '--no-dangling')).toBe('');
    await (await ofClone(dir)).pack(never);
    expect(looseIn(join(dir, '.git/objects'))).toBe(0);
  });

  test('counts no collection of garbage that it was asked to end', async () => {
    const dir = await scattered(300);
    const clone = await ofClone(dir);
    const stop = new AbortController();
    const collecting = clone.collect(stop.signal);
    stop.abort();
    await collecting;
    expect(clone.look().collectedAt).toBeUndefined();
    await clone.collect(never);
    expect(clone.look().collectedAt).toBeGreaterThan(0);
  });

  test('goes on after a maintenance that was killed and left its lock', async () => {
    const dir = await scattered(300);
    const lock = join(dir, '.git/objects/maintenance.lock');
    writeFileSync(lock, '');
    const clone = await ofClone(dir);
    await clone.pack(never);
    expect(looseIn(join(dir, '.git/objects'))).toBeGreaterThan(300);
    const before = new Date(Date.now() - 24 * 3_600_000);
    utimesSync(lock, before, before);
    await clone.pack(never);
    expect([looseIn(join(dir, '.git/objects')), existsSync(lock)]).toEqual([0, false]);
  });
});

describe('a repository on this machine', () => {
  test('is kept in order only if Baton made it', async () => {
    const remote = join(testFolder('maintained'), 'team.git');
    await initBare(remote, 'main');
    scatter(remote, 300);
    const made = await maintainedRemote(remote, env);
    await made?.pack(never);
    expect(looseIn(join(remote, 'objects'))).toBe(0);
    expect(existsSync(join(remote, 'packed-refs'))).toBe(false);
    git(remote, 'config', '--unset', 'baton.made');
    expect(await maintainedRemote(remote, env)).toBeUndefined();
  });

  test('is no clone of Baton where the workspace is a work tree beside code', async () => {
    const code = await scattered(1);
    const dir = join(code, '../beside');
    git(code, 'worktree', 'add', '-q', '--detach', dir, 'many');
    expect(await maintainedClone(dir, env)).toBeUndefined();
  });
});
