import { describe, expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { PLAN, byHand, change, edit, makeTeam, openNode, published, put, taskMeta } from './workshop.ts';
import type { Team } from './workshop.ts';

const RECORDS = { ana: 'shared/tasks/t-ana/meta.json', bo: 'shared/tasks/t-bo/meta.json' };
const DONE = '  "status": "submitted"';

/** Both Workers hand in. */
async function submitBoth({ ana, bo }: Team): Promise<void> {
  await Promise.all([
    change(ana, (view) => [edit(view, RECORDS.ana, { status: 'submitted' })]),
    change(bo, (view) => [edit(view, RECORDS.bo, { status: 'submitted' })]),
  ]);
}

/** Commits that main has beyond `before` along its first parents, newest first: how many parents, and what they say. */
function mergesSince(dir: string, before: string): readonly { readonly parents: number; readonly subject: string }[] {
  const lines = git(dir, 'log', '--first-parent', '--format=%P%x09%s', `${before}..main`).split('\n');
  return lines.map((line) => {
    const [parents = '', subject = ''] = line.split('\t');
    return { parents: parents.split(' ').length, subject };
  });
}

/** A lane made with plain git on top of main, with one file. */
function lane(dir: string, name: string, path: string, text: string): void {
  git(dir, 'switch', '-q', '-c', `lanes/${name}`, 'origin/main');
  put(dir, path, text);
  byHand(dir, `work of ${name}`);
  git(dir, 'push', '-q', 'origin', `lanes/${name}`);
}

describe('lanes that come at once', () => {
  test('are one merge where they have nothing to do with each other', async () => {
    const team = await makeTeam();
    const { lead, remote } = team;
    const before = git(lead.dir, 'rev-parse', 'main');
    await submitBoth(team);
    const report = await lead.sync.pull();
    expect(report).toMatchObject({ refusals: [], conflicts: [] });
    expect([...report.changed].sort()).toEqual([RECORDS.ana, RECORDS.bo]);
    const [tips] = git(lead.dir, 'log', '-1', '--format=%P').split('\n');
    expect(tips?.split(' ')).toEqual([
      before,
      ...['lanes/ana', 'lanes/bo'].map((name) => git(remote, 'rev-parse', name)),
    ]);
    expect(git(lead.dir, 'log', '-1', '--format=%B')).toBe(
      'integrate lanes/ana, lanes/bo\n\nLane: lanes/ana\nActor: worker:ana\n\nLane: lanes/bo\nActor: worker:bo',
    );
    await lead.sync.push();
    for (const path of Object.values(RECORDS)) expect(published(remote, 'main', path)).toContain(DONE);
    expect((await lead.sync.status()).lanes.map(({ pending }) => pending)).toEqual([0, 0]);
    git(remote, 'fsck', '--strict');
  });

  test('reach their Workers again, and go on from there', async () => {
    const team = await makeTeam();
    const { lead, ana, bo, remote } = team;
    await submitBoth(team);
    await lead.sync.pull();
    await change(lead, (view) => [edit(view, RECORDS.ana, { status: 'completed' })]);
    await Promise.all([ana, bo].map(({ sync }) => sync.pull()));
    for (const { dir } of [ana, bo])
      expect(git(dir, 'rev-parse', 'HEAD^{tree}')).toBe(git(remote, 'rev-parse', 'main^{tree}'));
    await change(bo, (view) => [edit(view, RECORDS.bo, { summary: 'More.' })]);
    expect((await lead.sync.pull()).refusals).toEqual([]);
    expect(published(lead.dir, 'main', RECORDS.bo)).toContain('More.');
  });

  test('do not suffer from one that does what it may not, which is a merge of its own', async () => {
    const team = await makeTeam();
    const { lead, bo } = team;
    const before = git(lead.dir, 'rev-parse', 'main');
    await change(team.ana, (view) => [edit(view, RECORDS.ana, { status: 'submitted' })]);
    put(bo.dir, 'shared/projects/p/plan.md', PLAN.replace('[~] t-ana', '[x] t-ana'));
    put(bo.dir, RECORDS.bo, taskMeta('t-bo', 'bo', { status: 'submitted' }));
    byHand(bo.dir, 'rogue');
    git(bo.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/bo');
    const { refusals } = await lead.sync.pull();
    expect(refusals.map(({ path, localpart }) => [localpart, path])).toEqual([['bo', 'shared/projects/p/plan.md']]);
    expect(mergesSince(lead.dir, before)).toEqual([
      { parents: 2, subject: 'integrate lanes/bo' },
      { parents: 2, subject: 'integrate lanes/ana' },
    ]);
    for (const path of Object.values(RECORDS)) expect(published(lead.dir, 'main', path)).toContain(DONE);
    expect(published(lead.dir, 'main', 'shared/projects/p/plan.md')).toBe(PLAN);
  });

  test('are judged one after the other where one holds the commits of another', async () => {
    const team = await makeTeam();
    const { lead, ana, bo } = team;
    await change(ana, (view) => [edit(view, RECORDS.ana, { status: 'submitted' })]);
    git(bo.dir, 'fetch', '-q', 'origin');
    git(bo.dir, 'merge', '-q', '--no-edit', 'origin/lanes/ana');
    put(bo.dir, RECORDS.bo, taskMeta('t-bo', 'bo', { status: 'submitted' }));
    byHand(bo.dir, 'mine, on top of hers');
    git(bo.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/bo');
    // What is hers in his lane is nobody's fault, once main holds it.
    expect((await lead.sync.pull()).refusals).toEqual([]);
    for (const path of Object.values(RECORDS)) expect(published(lead.dir, 'main', path)).toContain(DONE);
  });

  test('are a merge of two lanes each where they touch the same task', async () => {
    const { lead, ana, bo, remote } = await makeTeam();
    // Hers by then, and his before: both have written to its folder.
    await change(ana, (view) => [edit(view, RECORDS.ana, { status: 'submitted' })]);
    await change(lead, (view) => [edit(view, RECORDS.bo, { assigned_to: 'ana' })]);
    await change(ana, (view) => [edit(view, RECORDS.bo, { status: 'in_progress' })]);
    put(bo.dir, 'shared/tasks/t-bo/workspace/draft.md', 'his\n');
    byHand(bo.dir, 'he did not know');
    git(bo.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/bo');
    const { refusals } = await lead.sync.pull();
    expect(refusals.map(({ localpart, path }) => [localpart, path])).toEqual([
      ['bo', 'shared/tasks/t-bo/workspace/draft.md'],
    ]);
    await lead.sync.push();
    expect(published(remote, 'main', RECORDS.bo)).toContain('"status": "in_progress"');
    expect(published(remote, 'main', RECORDS.ana)).toContain(DONE);
  });

  test('are several merges where they are too many for one', async () => {
    const { lead, ana } = await makeTeam();
    const before = git(lead.dir, 'rev-parse', 'main');
    const names = Array.from({ length: 30 }, (_, index) => `w${String(index).padStart(2, '0')}`);
    for (const name of names) lane(ana.dir, name, `shared/events/2026-11/${name}.jsonl`, `{"of":"${name}"}\n`);
    expect((await lead.sync.pull()).refusals).toEqual([]);
    expect(mergesSince(lead.dir, before)).toEqual([
      { parents: 7, subject: 'integrate 6 lanes' },
      { parents: 25, subject: 'integrate 24 lanes' },
    ]);
    for (const name of names)
      expect(published(lead.dir, 'main', `shared/events/2026-11/${name}.jsonl`)).toBe(`{"of":"${name}"}\n`);
  });

  test('are merged one by one where they cannot be merged at once', async () => {
    const team = await makeTeam();
    const { lead, remote } = team;
    await submitBoth(team);
    await lead.sync.close();
    const before = git(lead.dir, 'rev-parse', 'main');
    const { sync, told } = await openNode(
      { dir: lead.dir, role: 'leader', localpart: 'lead', remote },
      {
        hand: (workTree, repository) => ({
          workTree,
          git: {
            ...repository,
            commit: (draft) =>
              draft.parents.length > 2 ? Promise.reject(new Error('no more than two')) : repository.commit(draft),
          },
        }),
      },
    );
    expect((await sync.pull()).refusals).toEqual([]);
    expect(told).toEqual([expect.stringContaining('lanes could not be merged at once')]);
    expect(mergesSince(lead.dir, before).map(({ subject }) => subject)).toEqual([
      'integrate lanes/bo',
      'integrate lanes/ana',
    ]);
    expect(published(lead.dir, 'main', RECORDS.bo)).toContain(DONE);
  });
});
