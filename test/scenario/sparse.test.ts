import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { initWorkspace } from '../../src/app.ts';
import { cleanEnvironment } from '../support/baton.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { openParts } from '../support/parts.ts';
import type { Parts } from '../support/parts.ts';
import { eventually } from '../support/waiting.ts';

const ROOM = '!team:local';

interface Team {
  readonly remote: string;
  readonly lead: Parts;
  /** Ana's clone, which leaves others' tasks out. */
  readonly ana: Parts;
}

const delegate = (lead: Parts, taskId: string): Promise<unknown> =>
  lead.run('task.delegate', { projectId: 'p', taskId, roomId: ROOM, spec: `Do ${taskId}.`, notify: true });

/** Project p with `a-1` and `a-2` for ana, `b-1` and `b-2` for bo; the first of each is given before ana joins. */
async function openTeam(): Promise<Team> {
  const folder = testFolder('sparse');
  const remote = join(folder, 'team.git');
  const lead = await openParts({ dir: join(folder, 'lead'), role: 'leader', as: 'lead', remote });
  await lead.run('project.create', { projectId: 'p', title: 'P', source: 'team-admin' });
  const tasks = ['a-1', 'a-2', 'b-1', 'b-2'].map((taskId) => ({
    taskId,
    title: taskId,
    assignedTo: taskId.startsWith('a') ? 'ana' : 'bo',
  }));
  await lead.run('project.plan_dag', { projectId: 'p', tasks });
  await delegate(lead, 'a-1');
  await delegate(lead, 'b-1');
  const ana = await openParts({ dir: join(folder, 'ana'), role: 'worker', as: 'ana', remote, sparse: true });
  return { remote, lead, ana };
}

const tasksOnDisk = ({ dir }: Parts): readonly string[] =>
  readdirSync(join(dir, 'shared/tasks')).filter((name) => name !== '.gitkeep');

/** The index is told of what was brought a moment after the step. */
async function isClean({ dir }: Parts): Promise<void> {
  await eventually(() => git(dir, 'status', '--porcelain') === '', 'git finds nothing changed');
}

describe("a Worker's clone that leaves others' tasks out", () => {
  test('has its own tasks, all projects and the rest, works on them, and takes nothing of others away', async () => {
    const { remote, lead, ana } = await openTeam();
    expect(tasksOnDisk(ana)).toEqual(['a-1']);
    expect(existsSync(join(ana.dir, 'shared/projects/p/plan.md'))).toBe(true);
    await isClean(ana);
    expect(await ana.sync.dirty()).toEqual([]);
    expect(await ana.sync.adopt(['shared/'])).toEqual({ adopted: [], foreign: [] });
    await ana.settle();
    expect(ana.logged.filter((line) => line.includes('b-1'))).toEqual([]);

    await ana.run('task.ack', { taskId: 'a-1' });
    ana.put('shared/tasks/a-1/workspace/a.txt', 'work\n');
    const result = {
      taskId: 'a-1',
      status: 'SUCCESS',
      summary: 'Done.',
      deliverables: ['shared/tasks/a-1/workspace/a.txt'],
    };
    await ana.run('task.submit', result);
    await lead.sync.pull();
    await lead.sync.push();
    await ana.sync.pull();
    expect(git(remote, 'ls-tree', '--name-only', 'main:shared/tasks').split('\n')).toEqual(['.gitkeep', 'a-1', 'b-1']);
    expect(git(remote, 'show', 'main:shared/tasks/a-1/workspace/a.txt')).toBe('work');
    await isClean(ana);
    expect(tasksOnDisk(ana)).toEqual(['a-1']);
    await expect(ana.run('task.check', { taskId: 'b-1' })).rejects.toMatchObject({
      code: 'not-found',
      remedy: expect.stringContaining('git.sparse') as string,
    });
  });

  test('gets a task with all that is in its folder when it is given to its Worker, and no other', async () => {
    const { lead, ana } = await openTeam();
    await delegate(lead, 'a-2');
    await delegate(lead, 'b-2');
    await ana.sync.pull();
    expect(tasksOnDisk(ana)).toEqual(['a-1', 'a-2']);
    expect(readdirSync(join(ana.dir, 'shared/tasks/a-2')).sort()).toEqual(['meta.json', 'spec.md']);
    await isClean(ana);
    expect(await ana.sync.dirty()).toEqual([]);

    // Bo's second task is handed to ana: its spec has not changed, and comes along.
    const meta = 'shared/tasks/b-2/meta.json';
    lead.put(meta, lead.text(meta).replace('"assigned_to": "bo"', '"assigned_to": "ana"'));
    await lead.sync.adopt([meta]);
    await lead.sync.push();
    await ana.sync.pull();
    expect(readdirSync(join(ana.dir, 'shared/tasks/b-2')).sort()).toEqual(['meta.json', 'spec.md']);
    await isClean(ana);
    // A person's own git keeps to the same.
    git(ana.dir, 'reset', '-q', '--hard');
    git(ana.dir, 'sparse-checkout', 'reapply');
    await isClean(ana);
    expect(tasksOnDisk(ana)).toEqual(['a-1', 'a-2', 'b-2']);
  });

  test('goes on when a person has everything checked out after all', async () => {
    const { lead, ana } = await openTeam();
    git(ana.dir, 'sparse-checkout', 'disable');
    expect(tasksOnDisk(ana)).toEqual(['a-1', 'b-1']);
    await lead.run('task.cancel', { projectId: 'p', taskId: 'b-1', reason: 'not needed' });
    await ana.sync.pull();
    expect(ana.text('shared/tasks/b-1/meta.json')).toContain('"cancelled"');
    await isClean(ana);
    expect(await ana.sync.dirty()).toEqual([]);
  });

  test.each([{ role: 'leader' }, { role: 'worker', inRepo: true }])('is refused to others: %o', async (wrong) => {
    const folder = testFolder('sparse');
    const request = { dir: join(folder, 'x'), env: cleanEnvironment(), as: 'x', remote: join(folder, 'r.git') };
    const refused = initWorkspace({ ...request, sparse: true, ...wrong });
    await expect(refused).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(readdirSync(folder)).toEqual([]);
  });
});
