import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { eventsOf, openSolo, openTeam, plan, worker } from '../support/parts.ts';
import type { Parts } from '../support/parts.ts';

const DAY = 24 * 3_600_000;
const daysAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString().replace(/\.\d+Z$/, 'Z');

/** A finished project `id` with one task, whose last sign of life was so many days ago; committed as by hand. */
function putEnded(parts: Parts, id: string, days: number): void {
  const ts = daysAgo(days);
  const project = { project_id: id, title: id, status: 'completed', created_at: daysAgo(days + 20), completed_at: ts };
  parts.put(`shared/projects/${id}/meta.json`, `${JSON.stringify(project, undefined, 2)}\n`);
  parts.put(
    `shared/projects/${id}/plan.md`,
    `# Team Project: ${id}\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n- [x] ${id}-01 — First (assigned: ana)\n`,
  );
  const task = { task_id: `${id}-01`, project_id: id, task_title: 'First', assigned_to: 'ana', status: 'completed' };
  parts.put(`shared/tasks/${id}-01/meta.json`, `${JSON.stringify({ ...task, completed_at: ts }, undefined, 2)}\n`);
}

const homeOf = (id: string, days: number): string => `shared/archive/${daysAgo(days).slice(0, 7)}/projects/${id}/`;

function setPolicy(parts: Parts, archiveAfterDays: number | null): void {
  const team = JSON.parse(parts.text('shared/team.json')) as { policies?: object };
  const policies = { ...team.policies, archiveAfterDays };
  parts.put('shared/team.json', `${JSON.stringify({ ...team, policies }, undefined, 2)}\n`);
}

async function settled(parts: Parts): Promise<void> {
  await parts.sync.adopt(await parts.sync.dirty());
  await parts.settle();
}

describe("a Leader's node", () => {
  test('archives what ended long enough ago, a few projects a round, all of it in the end, and nothing else', async () => {
    const solo = await openSolo();
    const old = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (const id of old) putEnded(solo, id, 60);
    putEnded(solo, 'young', 2);
    await plan(solo, 'p-01');
    await settled(solo);
    const left = (): readonly string[] => solo.workTree.view().projectIds();
    expect(left()).toHaveLength(old.length + 2 - 5);
    await solo.settle();
    expect(left()).toEqual(['p', 'young']);
    expect(solo.workTree.view().taskIds()).toEqual(['p-01', 'young-01']);
    for (const id of old) expect(existsSync(join(solo.dir, homeOf(id, 60), 'meta.json'))).toBe(true);
    expect(eventsOf(solo, 'project.archived')).toHaveLength(old.length);
    expect(git(solo.dir, 'status', '--porcelain')).toBe('');
    expect(git(solo.dir, 'log', '--format=%s', '-2').split('\n')).toEqual([
      'taskflow(project.archive): g',
      'taskflow(project.archive): f',
    ]);

    const head = solo.head();
    await solo.settle();
    expect(solo.head()).toBe(head);
  });

  test('archives the ended tasks of the inbox, which itself never ends', async () => {
    const solo = await openSolo();
    const inbox = { project_id: 'inbox', title: 'Inbox', status: 'active', mode: 'inbox' };
    solo.put('shared/projects/inbox/meta.json', `${JSON.stringify(inbox)}\n`);
    const task = (id: string, status: string, days: number): void => {
      const meta = { task_id: id, project_id: 'inbox', assigned_to: 'ana', status, history: [] };
      const history = [{ ts: daysAgo(days), from: 'assigned', to: status, action: 'x', actor: 'leader:lead' }];
      solo.put(`shared/tasks/${id}/meta.json`, `${JSON.stringify({ ...meta, history })}\n`);
    };
    task('TASK-001', 'completed', 60);
    task('TASK-002', 'failed', 60);
    task('TASK-003', 'completed', 2);
    task('TASK-004', 'assigned', 60);
    const lines = [
      '- [x] TASK-001 — Old (assigned: ana)',
      '- [!] TASK-002 — Failed, and waited for (assigned: ana)',
      '- [x] TASK-003 — Young (assigned: ana)',
      '- [~] TASK-004 — Open (assigned: ana, depends: TASK-001, TASK-002)',
    ];
    solo.put('shared/projects/inbox/plan.md', `## DAG Task Plan\n\n**Plan Type**: dag\n\n${lines.join('\n')}\n`);
    await settled(solo);
    expect(solo.workTree.view().taskIds()).toEqual(['TASK-002', 'TASK-003', 'TASK-004']);
    expect(solo.workTree.view().archivedTask('TASK-001')?.entry.meta?.status).toBe('completed');
    expect(solo.text('shared/projects/inbox/plan.md')).toContain('(assigned: ana, depends: TASK-002)');
  });

  test.each([[0], [null]])('archives nothing where the team says never (%s)', async (never) => {
    const solo = await openSolo();
    putEnded(solo, 'a', 400);
    setPolicy(solo, never);
    await settled(solo);
    expect(solo.workTree.view().projectIds()).toEqual(['a']);
    expect(solo.workTree.view().diagnostics()).toEqual([]);
  });

  test('tells once what keeps a project from the archive, and archives it when that is gone', async () => {
    const { lead } = await openTeam();
    putEnded(lead, 'a', 60);
    await settled(lead);
    expect(lead.workTree.view().projectIds()).toEqual([]);
    putEnded(lead, 'b', 60);
    // A Worker's file that was changed in the Leader's clone is nobody's to publish there.
    lead.put('shared/tasks/b-01/workspace/note.md', 'not mine to publish\n');
    await settled(lead);
    await settled(lead);
    expect(lead.workTree.view().projectIds()).toEqual(['b']);
    expect(lead.logged.filter((line) => line.startsWith('not archived'))).toEqual([
      expect.stringContaining('note.md is changed on disk'),
    ]);
    rmSync(join(lead.dir, 'shared/tasks/b-01/workspace/note.md'));
    await settled(lead);
    expect(lead.workTree.view().projectIds()).toEqual([]);
  });
});

test("a Worker's node archives nothing, and takes up what the Leader archived", async () => {
  const { lead, ana } = await openTeam();
  putEnded(lead, 'a', 60);
  setPolicy(lead, 0);
  await settled(lead);
  await lead.sync.push();
  await ana.sync.pull();
  setPolicy(lead, 7);
  await ana.settle();
  expect(ana.workTree.view().projectIds()).toEqual(['a']);
  await settled(lead);
  await lead.sync.push();
  await ana.sync.pull();
  expect(ana.workTree.view().projectIds()).toEqual([]);
  await expect(ana.run('task.ack', { taskId: 'a-01' }, worker('ana'))).rejects.toMatchObject({
    code: 'not-found',
  });
});
