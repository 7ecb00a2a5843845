import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/protocol/changes.ts';
import { git } from '../support/git.ts';
import { byHand, change, makeTeam, published, put, see, taskMeta, write } from './workshop.ts';
import type { Team } from './workshop.ts';

const LIVE = 'shared/tasks/t-ana/';
const ARCHIVED = 'shared/archive/2026-09/tasks/t-ana/';
const MOVE: Change = { kind: 'move', from: LIVE, path: ARCHIVED };

const filesBelow = (repository: string, commit: string, path: string): readonly string[] =>
  git(repository, 'ls-tree', '-r', '--name-only', commit, '--', path).split('\n').filter(Boolean);

const objects = (repository: string, commit: string, path: string): string =>
  git(repository, 'rev-parse', `${commit}:${path.replace(/\/$/, '')}`);

const archive = ({ lead }: Team): Promise<unknown> => change(lead, [MOVE]);

describe('a folder that is moved', () => {
  test('is the same tree at its new place, in one commit, on disk and in the index too', async () => {
    const team = await makeTeam();
    const { lead, ana, remote } = team;
    const before = objects(remote, 'main', LIVE);
    const head = git(remote, 'rev-parse', 'main');
    await archive(team);
    expect(objects(remote, 'main', ARCHIVED)).toBe(before);
    expect(git(remote, 'rev-list', '--count', `${head}..main`)).toBe('1');
    expect(filesBelow(remote, 'main', LIVE)).toEqual([]);
    expect(existsSync(join(lead.dir, LIVE))).toBe(false);
    expect(see(lead.dir, `${ARCHIVED}base/input.txt`)).toBe('input\n');
    expect(git(lead.dir, 'status', '--porcelain')).toBe('');
    await ana.sync.pull();
    expect([see(ana.dir, `${LIVE}meta.json`), see(ana.dir, `${ARCHIVED}meta.json`)]).toEqual([
      undefined,
      taskMeta('t-ana', 'ana'),
    ]);
    expect(git(ana.dir, 'status', '--porcelain')).toBe('');
  });

  test('stays where it is while something in it is not committed', async () => {
    const team = await makeTeam();
    const { lead, remote } = team;
    const head = git(remote, 'rev-parse', 'main');
    put(lead.dir, `${LIVE}workspace/draft.md`, 'mine\n');
    await expect(archive(team)).rejects.toMatchObject({
      code: 'bad-workspace',
      message: `${LIVE}workspace/draft.md is changed on disk and not committed, so its folder cannot be moved`,
    });
    expect(git(remote, 'rev-parse', 'main')).toBe(head);
    expect(see(lead.dir, `${LIVE}meta.json`)).toBe(taskMeta('t-ana', 'ana'));
  });

  test('may be edited by hand in the archive like any other file of the leader', async () => {
    const team = await makeTeam();
    const { lead, remote } = team;
    await archive(team);
    put(lead.dir, `${ARCHIVED}spec.md`, '# First, with a note\n');
    expect(await lead.sync.adopt([`${ARCHIVED}spec.md`])).toEqual({ adopted: [`${ARCHIVED}spec.md`], foreign: [] });
    await lead.sync.push();
    expect(published(remote, 'main', `${ARCHIVED}spec.md`)).toBe('# First, with a note\n');
  });
});

describe('a lane that comes late to an archived task', () => {
  test('does not bring it back, and is told why; the rest of it arrives', async () => {
    const team = await makeTeam();
    const { lead, ana, bo, remote } = team;
    put(ana.dir, `${LIVE}result.md`, 'STATUS: SUCCESS\n');
    put(ana.dir, `${LIVE}spec.md`, '# Easier\n');
    byHand(ana.dir, 'late');
    git(ana.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
    await change(bo, [write('shared/tasks/t-bo/result.md', 'STATUS: SUCCESS\n')]);
    // The Leader decides on a tree that does not hold the lane yet.
    const tip = git(remote, 'rev-parse', 'lanes/ana');
    git(remote, 'update-ref', '-d', 'refs/heads/lanes/ana');
    await archive(team);
    git(remote, 'update-ref', 'refs/heads/lanes/ana', tip);

    const { refusals } = await lead.sync.pull();
    expect(refusals.map(({ path, reason, detail }) => ({ path, reason, detail }))).toEqual([
      { path: `${LIVE}result.md`, reason: 'archived', detail: `the task is in ${ARCHIVED}` },
      { path: `${LIVE}spec.md`, reason: 'archived', detail: `the task is in ${ARCHIVED}` },
    ]);
    await lead.sync.push();
    expect(filesBelow(remote, 'main', LIVE)).toEqual([]);
    expect(published(remote, 'main', 'shared/tasks/t-bo/result.md')).toBe('STATUS: SUCCESS\n');
    await ana.sync.pull();
    expect(existsSync(join(ana.dir, LIVE))).toBe(false);
    expect(see(ana.dir, `${ARCHIVED}spec.md`)).toBe('# First\n');
    expect(git(ana.dir, 'status', '--porcelain')).toBe('');
  });

  test('ends on the same tree as main when its Worker takes up the archive before it pushes', async () => {
    const team = await makeTeam();
    const { lead, ana, remote } = team;
    put(ana.dir, `${LIVE}result.md`, 'STATUS: SUCCESS\n');
    put(ana.dir, `${LIVE}meta.json`, taskMeta('t-ana', 'ana', { status: 'in_progress' }));
    byHand(ana.dir, 'late');
    await archive(team);
    for (let round = 0; round < 2; round += 1) {
      await ana.sync.pull();
      await ana.sync.push();
      await lead.sync.pull();
      await lead.sync.push();
    }
    await ana.sync.pull();
    expect(filesBelow(remote, 'main', LIVE)).toEqual([]);
    expect(git(ana.dir, 'rev-parse', 'HEAD^{tree}')).toBe(git(lead.dir, 'rev-parse', 'HEAD^{tree}'));
    expect(see(lead.dir, `${ARCHIVED}meta.json`)).toBe(taskMeta('t-ana', 'ana'));
    expect(existsSync(join(ana.dir, LIVE))).toBe(false);
  });
});
