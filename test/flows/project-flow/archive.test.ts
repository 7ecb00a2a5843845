import { describe, expect, test } from 'vitest';
import { memoryReader, overlayReader } from '../../../src/workspace/readers.ts';
import { createView } from '../../../src/workspace/snapshot.ts';
import { ROOM, ana, createOffice, lead, ok, planned, refused } from '../office.ts';
import type { Office } from '../office.ts';

const HOME = 'shared/archive/2026-09/';

/** Project `p` with the accepted task `t-1`, completed; its report has been told. */
async function ended(): Promise<Office> {
  const office = createOffice();
  office.hire('ana');
  await planned(office, { 't-1': [] });
  await ok(
    office.call(lead, 'taskflow', 'delegate_task', { projectId: 'p', taskId: 't-1', roomId: ROOM, spec: 'Do.' }),
  );
  const result = { taskId: 't-1', status: 'SUCCESS', summary: 'Done.' };
  const { task } = await ok(office.call(ana, 'taskflow', 'submit_task', result));
  const submissionId = (task as { submission_id: string }).submission_id;
  office.files['shared/tasks/t-1/result.md'] ??= 'STATUS: SUCCESS\nSUMMARY: Done.\n\nDELIVERABLES:\n';
  await ok(office.call(lead, 'projectflow', 'accept_task_result', { projectId: 'p', taskId: 't-1', submissionId }));
  await ok(office.call(lead, 'projectflow', 'complete_project', { projectId: 'p' }));
  await office.internal('project.report', { projectId: 'p' });
  return office;
}

async function archived(): Promise<Office> {
  const office = await ended();
  await office.internal('project.archive', { projectId: 'p' });
  return office;
}

describe('project.archive', () => {
  test('moves an ended project with its tasks to the month of its end, byte for byte', async () => {
    const office = await ended();
    const before = Object.entries(office.files).filter(([path]) => /^shared\/(projects|tasks)\//.test(path));
    expect(await office.internal('project.archive', { projectId: 'p' })).toEqual({
      archived: `${HOME}projects/p/`,
      tasks: ['t-1'],
    });
    const after = Object.entries(office.files).filter(([path]) => /^shared\/(projects|tasks|archive)\//.test(path));
    expect(Object.fromEntries(after)).toEqual(
      Object.fromEntries(before.map(([path, text]) => [path.replace('shared/', HOME), text])),
    );
    expect(office.events.at(-1)).toMatchObject({ type: 'project.archived', subject: { kind: 'project', id: 'p' } });
  });

  test('takes along tasks that the plan no longer holds, and leaves those of others', async () => {
    const office = await ended();
    office.put({ task_id: 'dropped', status: 'cancelled' });
    office.put({ task_id: 'other', status: 'completed', project_id: 'q' });
    await office.internal('project.archive', { projectId: 'p' });
    expect(Object.keys(office.files).filter((path) => path.endsWith('/dropped/meta.json'))).toEqual([
      `${HOME}tasks/dropped/meta.json`,
    ]);
    expect(office.files).toHaveProperty(['shared/tasks/other/meta.json']);
  });

  test('refuses work that has not ended, a task that is open, and a report that is owed', async () => {
    const office = await ended();
    const attempt = (): Promise<unknown> => office.internal('project.archive', { projectId: 'p' });
    office.put({ task_id: 'late', status: 'in_progress' });
    await expect(attempt()).rejects.toMatchObject({
      code: 'illegal-transition',
      message: 'Cannot archive: not terminal (task late is in_progress)',
    });
    delete office.files['shared/tasks/late/meta.json'];
    office.edit('shared/projects/p/meta.json', '"pending": false', '"pending": true');
    await expect(attempt()).rejects.toMatchObject({
      code: 'illegal-transition',
      message: 'Cannot archive: a report on p is still owed',
    });
    office.edit('shared/projects/p/meta.json', '"status": "completed"', '"status": "active"');
    await expect(attempt()).rejects.toMatchObject({ message: 'Cannot archive: not terminal (p is active)' });
  });

  test('does nothing to what is archived already', async () => {
    const office = await archived();
    const before = { ...office.files };
    expect(await office.internal('project.archive', { projectId: 'p' })).toEqual({
      archived: `${HOME}projects/p/`,
      unchanged: true,
    });
    expect(office.files).toEqual(before);
  });
});

describe('archived work', () => {
  test('keeps its ids taken, and says where it is', async () => {
    const office = await archived();
    const create = (payload: object) => () => office.call(lead, 'projectflow', 'create_project', payload);
    expect(await refused(office, create({ projectId: 'p', title: 'Again' }))).toBe(
      `already-exists: project already exists: p (archived: ${HOME}projects/p/)`,
    );
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'q', title: 'Q' }));
    const plan = { projectId: 'q', tasks: [{ taskId: 't-1', title: 'Again', assignedTo: 'ana' }] };
    const taken = `already-exists: task already exists: t-1 (archived: ${HOME}tasks/t-1/)`;
    expect(await refused(office, () => office.call(lead, 'projectflow', 'plan_dag', plan))).toBe(taken);
    office.files['shared/projects/q/plan.md'] += '- [ ] t-1 — By hand (assigned: ana)\n';
    const delegation = { projectId: 'q', taskId: 't-1', roomId: ROOM, spec: 'Do.' };
    expect(await refused(office, () => office.call(lead, 'taskflow', 'delegate_task', delegation))).toBe(taken);
  });

  test('is still found by id by those who only look', async () => {
    const office = await archived();
    expect(await ok(office.call(lead, 'taskflow', 'check_task', { taskId: 't-1' }))).toMatchObject({
      effective: true,
      projectStatus: 'completed',
      result: { summary: 'Done.' },
      archived: `${HOME}tasks/t-1/`,
    });
    expect(await ok(office.call(lead, 'projectflow', 'resolve_project', { taskId: 't-1' }))).toMatchObject({
      project: { project_id: 'p', status: 'completed' },
      task: { task_id: 't-1', status: 'completed' },
      archived: `${HOME}projects/p/`,
    });
    const board = async (input: object): Promise<unknown> => (await office.internal('node.board', input))['projects'];
    expect(await board({})).toEqual([]);
    const shown = [expect.objectContaining({ project_id: 'p', archived: `${HOME}projects/p/` })];
    expect(await board({ projectId: 'p' })).toEqual(shown);
    expect(await board({ archived: true })).toEqual(shown);
  });

  test('is not found by those who would change it, and they are told where it is', async () => {
    const office = await archived();
    const told = `not-found: task not found: t-1 (archived: ${HOME}tasks/t-1/)`;
    for (const [tool, action, payload] of [
      ['taskflow', 'ack_task', { taskId: 't-1' }],
      ['taskflow', 'report_progress', { taskId: 't-1', note: 'late' }],
      ['taskflow', 'submit_task', { taskId: 't-1', status: 'SUCCESS', summary: 'Late.' }],
    ] as const) {
      expect(await refused(office, () => office.call(ana, tool, action, payload))).toBe(told);
    }
    expect(await refused(office, () => office.call(lead, 'projectflow', 'pause_project', { projectId: 'p' }))).toBe(
      `not-found: project not found: p (archived: ${HOME}projects/p/)`,
    );
  });
});

test('a view of a tree in which a folder is moved shows it at the new place only, with what was written before', () => {
  const reader = memoryReader({
    'shared/tasks/a/meta.json': '{}',
    'shared/tasks/a/x/y.md': 'old',
    'shared/tasks/b/m': '',
  });
  const tree = overlayReader(reader, [
    { kind: 'write', path: 'shared/tasks/a/x/y.md', text: 'new' },
    { kind: 'move', from: 'shared/tasks/a/', path: `${HOME}tasks/a/` },
  ]);
  expect(tree.list('shared/tasks/')).toEqual(['b/']);
  expect(tree.list(`${HOME}tasks/`)).toEqual(['a/']);
  expect(tree.list(`${HOME}tasks/a/`)).toEqual(['meta.json', 'x/']);
  expect(tree.read(`${HOME}tasks/a/x/y.md`)).toEqual({ text: 'new' });
  expect([tree.exists('shared/tasks/a/'), tree.exists(`${HOME}tasks/a/x/`)]).toEqual([false, true]);
  expect(createView(tree).taskIds()).toEqual(['b']);
});
