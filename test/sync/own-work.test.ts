import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { git } from '../support/git.ts';
import { PLAN, byHand, change, edit, makeTeam, openNode, published, see, taskMeta, write } from './workshop.ts';
import type { Team } from './workshop.ts';

const [ANA, BO] = ['shared/tasks/t-ana/meta.json', 'shared/tasks/t-bo/meta.json'];
const OWN = { restsOn: 'own-work' } as const;

let team: Team;

/** A team in which both Workers have a lane on the remote, and all of main. */
async function begin(address?: (remote: string) => string): Promise<void> {
  team = await makeTeam(address);
  const { ana, bo } = team;
  for (const [node, path] of [
    [ana, ANA],
    [bo, BO],
  ] as const)
    await change(node, (view) => [edit(view, path, { status: 'in_progress' })]);
  await team.lead.sync.pull();
  await team.lead.sync.push();
  await ana.sync.pull();
}

/** Ana's step on her own task; whether her clone has all of main from then on. */
async function report(note: string): Promise<{ readonly here: boolean; readonly isMainIn: boolean }> {
  const { ana, remote } = team;
  const path = `shared/tasks/t-ana/progress/${note}.md`;
  const done = await change(ana, [write(path, `${note}\n`)], OWN);
  expect(done).toMatchObject({ durability: 'replicated', synced: true });
  expect(published(remote, 'lanes/ana', path)).toBe(`${note}\n`);
  return { here: see(ana.dir, path) === `${note}\n`, isMainIn: isIn(ana.dir, git(remote, 'rev-parse', 'main')) };
}

const isIn = (dir: string, commit: string): boolean => git(dir, 'rev-list', 'HEAD').split('\n').includes(commit);

/** Bo's step reaches main. */
async function boWorks(): Promise<void> {
  const { bo, lead } = team;
  await change(bo, (view) => [edit(view, BO, { summary: 'More' }), write('shared/tasks/t-bo/progress/1.md', 'one\n')]);
  expect((await lead.sync.pull()).refusals).toEqual([]);
  await lead.sync.push();
}

describe.each<[string, (remote: string) => string]>([
  ['that is looked at where it lies', (remote) => remote],
  ['that has to be fetched', (remote) => pathToFileURL(remote).href],
])('a step that rests on own work, with a remote %s,', (_, address) => {
  beforeEach(() => begin(address));

  test('leaves what others did to their tasks for the next pull, which ends on one tree', async () => {
    const { ana, lead, remote } = team;
    await boWorks();
    expect(await report('a')).toEqual({ here: true, isMainIn: false });
    expect(see(ana.dir, 'shared/tasks/t-bo/progress/1.md')).toBeUndefined();
    await lead.sync.pull();
    await lead.sync.push();
    // What the own lane brought to main is no news either.
    await ana.sync.pull('own-work');
    expect(see(ana.dir, 'shared/tasks/t-bo/progress/1.md')).toBeUndefined();
    await ana.sync.pull();
    expect(see(ana.dir, 'shared/tasks/t-bo/progress/1.md')).toBe('one\n');
    expect(git(ana.dir, 'rev-parse', 'HEAD^{tree}')).toBe(git(remote, 'rev-parse', 'main^{tree}'));
    expect(git(ana.dir, 'status', '--porcelain')).toBe('');
  });

  test.each<[string, string, string]>([
    ['the own task', ANA, taskMeta('t-ana', 'ana', { priority: 'P0' })],
    ['another file of it', 'shared/tasks/t-ana/spec.md', '# Once more\n'],
    ['a plan', 'shared/projects/p/plan.md', `${PLAN}\nMore.\n`],
    ['a project without a plan and a record', 'shared/projects/q/result.md', '# Done\n'],
    ['the team', 'shared/team.json', '{"schema": 1}\n'],
    ['an agent', 'shared/agents/cy.json', '{"agent_id": "cy"}\n'],
    ['another’s task that becomes the own one', BO, taskMeta('t-bo', 'ana')],
    ['a new task for the agent', 'shared/tasks/t-new/meta.json', taskMeta('t-new', 'ana')],
    ['a new task that nobody can read', 'shared/tasks/t-new/meta.json', '{\n'],
    ['a new folder without a record', 'shared/tasks/t-new/spec.md', '# New\n'],
  ])('takes in all of main when it tells of %s', async (_what, path, text) => {
    await boWorks();
    await change(team.lead, [write(path, text)]);
    expect(published(team.remote, 'main', path)).toBe(text);
    expect(await report('a')).toEqual({ here: true, isMainIn: true });
    if (path !== ANA) expect(see(team.ana.dir, path)).toBe(text);
    expect(see(team.ana.dir, 'shared/tasks/t-bo/progress/1.md')).toBe('one\n');
  });

  test('leaves a project that names the agent nowhere', async () => {
    const record = '{\n  "project_id": "q",\n  "title": "Q",\n  "status": "active"\n}\n';
    await change(team.lead, [
      write('shared/projects/q/meta.json', record),
      write('shared/projects/q/plan.md', PLAN.replaceAll('ana', 'bo')),
    ]);
    expect(await report('a')).toEqual({ here: true, isMainIn: false });
    await change(team.lead, [write('shared/projects/q/plan.md', PLAN.replaceAll('ana', 'Ana'))]);
    expect(await report('b')).toEqual({ here: true, isMainIn: true });
    await change(team.lead, [write('shared/projects/q/plan.md', PLAN.replaceAll('ana', 'bo'))]);
    expect(await report('c')).toEqual({ here: true, isMainIn: true });
  });

  test('leaves a task that is new and somebody else’s', async () => {
    await change(team.lead, [write('shared/tasks/t-new/meta.json', taskMeta('t-new', 'bo'))]);
    expect(await report('a')).toEqual({ here: true, isMainIn: false });
  });

  test('leaves what others do as well when main was taken in while it took in the last step', async () => {
    const { ana, lead, remote } = team;
    await boWorks();
    expect(await report('a')).toEqual({ here: true, isMainIn: false });
    await ana.sync.pull();
    await lead.sync.pull();
    await lead.sync.push();
    git(remote, 'fetch', '--quiet', ana.dir, 'HEAD:refs/test/ana');
    expect(git(remote, 'merge-base', '--all', 'main', 'refs/test/ana').split('\n')).toHaveLength(2);
    git(remote, 'update-ref', '-d', 'refs/test/ana');
    await change(team.bo, [write('shared/tasks/t-bo/progress/2.md', 'two\n')]);
    await lead.sync.pull();
    await lead.sync.push();
    await change(ana, [write('shared/tasks/t-ana/progress/a.md', 'more\n')], OWN);
    expect(await report('b')).toEqual({ here: true, isMainIn: false });
    expect(see(ana.dir, 'shared/tasks/t-bo/progress/2.md')).toBeUndefined();
  });

  describe('when main was taken in while it took in the last step', () => {
    const plan = 'shared/projects/p/plan.md';
    let pat: string;
    let step: string;
    let beside: string;

    /** Ana's step, and beside it what a person does on main; both have both from then on. */
    async function cross(path: string, text: string): Promise<void> {
      const { ana, lead, remote, folder } = team;
      await change(ana, (view) => [edit(view, ANA, { summary: 'Begun' })], OWN);
      step = git(ana.dir, 'rev-parse', 'HEAD');
      pat = join(folder, 'pat');
      git(folder, 'clone', '--quiet', remote, pat);
      writeFileSync(join(pat, path), text);
      byHand(pat, 'beside');
      git(pat, 'push', '--quiet');
      beside = git(pat, 'rev-parse', 'HEAD');
      await ana.sync.pull();
      await lead.sync.pull();
      await lead.sync.push();
    }

    /** A person brings a file back to what it was. */
    function takeBack(path: string, commit: string): void {
      git(pat, 'pull', '--quiet');
      git(pat, 'fetch', '--quiet', 'origin', 'lanes/ana');
      git(pat, 'checkout', '--quiet', commit, '--', path);
      byHand(pat, 'back');
      git(pat, 'push', '--quiet');
    }

    test('takes in what main has of somebody else’s file as that step had it', async () => {
      await cross(plan, `${PLAN}\nMore.\n`);
      takeBack(plan, step);
      expect(await report('b')).toEqual({ here: true, isMainIn: true });
      expect(see(team.ana.dir, plan)).toBe(PLAN);
    });

    test('takes in that the own record is as it was before that step', async () => {
      await cross(plan, `${PLAN}\nMore.\n`);
      takeBack(ANA, beside);
      expect(await report('b')).toEqual({ here: true, isMainIn: true });
    });

    test('takes in that what was done to the own record was taken back', async () => {
      await cross(ANA, taskMeta('t-ana', 'ana', { status: 'in_progress', priority: 'P0' }));
      expect(see(team.ana.dir, ANA)).toContain('P0');
      takeBack(ANA, step);
      expect(await report('b')).toEqual({ here: true, isMainIn: true });
    });

    test('leaves the own record as that step has left it', async () => {
      await cross(plan, `${PLAN}\nMore.\n`);
      await change(team.ana, (view) => [edit(view, ANA, { summary: 'Further' })], OWN);
      await boWorks();
      expect(await report('b')).toEqual({ here: true, isMainIn: false });
    });
  });

  test('is decided on the task as main has it', async () => {
    await change(team.lead, (view) => [edit(view, ANA, { status: 'cancelled' })]);
    let seen: unknown;
    await change(
      team.ana,
      (view) => {
        seen = view.task('t-ana')?.meta?.status;
        return [];
      },
      OWN,
    );
    expect(seen).toBe('cancelled');
  });
});

describe('with a remote next door,', () => {
  beforeEach(() => begin());

  test('a step that needs nothing of the others brings nothing of theirs here', async () => {
    const { ana, remote } = team;
    const known = git(ana.dir, 'rev-parse', 'origin/main');
    await boWorks();
    expect(await report('a')).toEqual({ here: true, isMainIn: false });
    expect(await report('b')).toEqual({ here: true, isMainIn: false });
    expect(git(ana.dir, 'rev-parse', 'origin/main')).toBe(known);
    expect(() => git(ana.dir, 'cat-file', '-e', git(remote, 'rev-parse', 'main:shared/tasks/t-bo'))).toThrow();
    await expect(ana.sync.status()).resolves.toMatchObject({ online: true, ahead: 0 });
  });

  describe('a look that waits for calm', () => {
    const note = (): string | undefined => see(team.ana.dir, 'shared/tasks/t-bo/progress/1.md');

    test('leaves what others do while main keeps moving, and takes it in once main stands still', async () => {
      const { ana } = team;
      await boWorks();
      await ana.sync.pull('when-calm');
      expect(note()).toBeUndefined();
      await change(team.bo, [write('shared/tasks/t-bo/progress/2.md', 'two\n')]);
      await team.lead.sync.pull();
      await team.lead.sync.push();
      await ana.sync.pull('when-calm');
      expect(note()).toBeUndefined();
      await ana.sync.pull('when-calm');
      expect(note()).toBe('one\n');
      expect(see(ana.dir, 'shared/tasks/t-bo/progress/2.md')).toBe('two\n');
    });

    test('takes in at once what concerns the own work', async () => {
      await boWorks();
      await change(team.lead, [write('shared/tasks/t-ana/spec.md', '# Once more\n')]);
      await team.ana.sync.pull('when-calm');
      expect(note()).toBe('one\n');
    });

    test('leaves nothing for longer than a minute', async () => {
      let passed = 0;
      const clock = { ...systemClock, elapsed: () => systemClock.elapsed() + passed };
      const { folder, remote } = team;
      await team.ana.sync.close();
      const ana = await openNode({ dir: join(folder, 'ana'), role: 'worker', localpart: 'ana', remote }, { clock });
      for (const [text, waited, isHere] of [
        ['one', 0, false],
        ['two', 30_000, false],
        ['three', 61_000, true],
      ] as const) {
        passed = waited;
        await change(team.bo, [write('shared/tasks/t-bo/progress/1.md', `${text}\n`)]);
        await team.lead.sync.pull();
        await team.lead.sync.push();
        await ana.sync.pull('when-calm');
        expect(note()).toBe(isHere ? `${text}\n` : undefined);
      }
    });
  });

  test('what cannot be read where the remote lies is left to a fetch, which says so', async () => {
    const { ana, remote } = team;
    await boWorks();
    const record = git(remote, 'rev-parse', `main^{tree}`);
    const file = join(remote, 'objects', record.slice(0, 2), record.slice(2));
    rmSync(file);
    symlinkSync(file, file);
    await expect(change(ana, [write('shared/tasks/t-ana/progress/a.md', 'a\n')], OWN)).rejects.toMatchObject({
      code: 'sync-failed',
    });
  });

  test('a lane that another hand has moved is not worked on without a look at what it holds', async () => {
    const { ana, remote } = team;
    const tree = git(remote, 'rev-parse', 'lanes/ana^{tree}');
    const rogue = git(remote, 'commit-tree', '-m', 'mine', '-p', 'lanes/ana', tree);
    git(remote, 'update-ref', 'refs/heads/lanes/ana', rogue);
    await expect(change(ana, [write('shared/tasks/t-ana/progress/a.md', 'a\n')], OWN)).rejects.toThrow(
      'commits this clone did not make',
    );
    expect(git(remote, 'rev-parse', 'lanes/ana')).toBe(rogue);
  });

  test('whatever else is asked for takes in all of main', async () => {
    await boWorks();
    await change(team.ana, (view) => [edit(view, ANA, { title: 'More' })]);
    expect(see(team.ana.dir, 'shared/tasks/t-bo/progress/1.md')).toBe('one\n');
  });
});
