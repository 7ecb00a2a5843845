import { beforeEach, describe, expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { PLAN, change, edit, makeTeam, published, see, taskMeta, write } from './workshop.ts';
import type { Team } from './workshop.ts';

const [ANA, BO] = ['shared/tasks/t-ana/meta.json', 'shared/tasks/t-bo/meta.json'];
const OWN = { restsOn: 'own-work' } as const;

let team: Team;

beforeEach(async () => {
  team = await makeTeam();
});

/** Ana's step on her own task; how main looks to her clone from then on. */
async function ack(): Promise<{ readonly status: unknown; readonly isMainIn: boolean }> {
  const { ana } = team;
  const done = await change(ana, (view) => [edit(view, ANA, { status: 'in_progress' })], OWN);
  expect(done).toMatchObject({ durability: 'replicated', synced: true });
  const { status } = JSON.parse(see(ana.dir, ANA) ?? '') as { status: unknown };
  return { status, isMainIn: git(ana.dir, 'rev-list', '--count', 'HEAD..origin/main') === '0' };
}

/** Bo's step reaches main. */
async function boWorks(): Promise<void> {
  const { bo, lead } = team;
  await change(bo, (view) => [
    edit(view, BO, { status: 'in_progress' }),
    write('shared/tasks/t-bo/progress/1.md', 'one\n'),
  ]);
  await lead.sync.pull();
  await lead.sync.push();
}

describe('a step that rests on own work', () => {
  test('leaves what others did to their tasks for the next pull, which ends on one tree', async () => {
    const { ana, lead, remote } = team;
    await boWorks();
    expect(await ack()).toEqual({ status: 'in_progress', isMainIn: false });
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
    ['the team', 'shared/team.json', '{"schema": 1}\n'],
    ['an agent', 'shared/agents/cy.json', '{"agent_id": "cy"}\n'],
    ['another’s task that becomes the own one', BO, taskMeta('t-bo', 'ana')],
    ['a new task for the agent', 'shared/tasks/t-new/meta.json', taskMeta('t-new', 'ana')],
    ['a new task that nobody can read', 'shared/tasks/t-new/meta.json', '{\n'],
    ['a new folder without a record', 'shared/tasks/t-new/spec.md', '# New\n'],
  ])('takes in all of main when it tells of %s', async (_, path, text) => {
    await boWorks();
    await change(team.lead, [write(path, text)]);
    expect(published(team.remote, 'main', path)).toBe(text);
    expect(await ack()).toEqual({ status: 'in_progress', isMainIn: true });
    if (path !== ANA) expect(see(team.ana.dir, path)).toBe(text);
    expect(see(team.ana.dir, 'shared/tasks/t-bo/progress/1.md')).toBe('one\n');
  });

  test('leaves a task that is new and somebody else’s', async () => {
    await change(team.lead, [write('shared/tasks/t-new/meta.json', taskMeta('t-new', 'bo'))]);
    expect(await ack()).toEqual({ status: 'in_progress', isMainIn: false });
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

test('whatever else is asked for takes in all of main', async () => {
  await boWorks();
  await change(team.ana, (view) => [edit(view, ANA, { status: 'in_progress' })]);
  expect(see(team.ana.dir, 'shared/tasks/t-bo/progress/1.md')).toBe('one\n');
});
