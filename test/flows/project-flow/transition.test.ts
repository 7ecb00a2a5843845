import { beforeEach, describe, expect, test } from 'vitest';
import { parseProjectMeta } from '../../../src/protocol/records/project.ts';
import type { ProjectMeta } from '../../../src/protocol/records/types.ts';
import { renderProjectMeta } from '../../../src/protocol/records/project.ts';
import { createOffice, lead, ok, refused } from '../office.ts';
import type { Office } from '../office.ts';

const META = 'shared/projects/p/meta.json';
let office: Office;

beforeEach(async () => {
  office = createOffice({ chat: 'local' });
  await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'Project' }));
  const tasks = [
    { taskId: 'p-01', title: 'Build', assignedTo: 'ana', type: 'dev' },
    { taskId: 'p-02', title: 'Try', assignedTo: 'ana', type: 'test', dependsOn: ['p-01'] },
  ];
  await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks }));
  put({ phase: 'planning', acceptance: 'auto' });
});

const meta = (): ProjectMeta => parseProjectMeta(office.files[META] ?? '', 'p').meta as ProjectMeta;
const put = (fields: Partial<ProjectMeta>): void => {
  office.files[META] = renderProjectMeta({ ...meta(), ...fields });
};
const step = (event: string, note?: string) =>
  office.call(lead, 'engine', 'transition_project', { projectId: 'p', event, note });
const finish = (taskId: string) => office.call(lead, 'engine', 'finish_task', { taskId, fromQueue: true });

describe('a project', () => {
  test('goes on to testing and review by hand where the team wants it so (S002-34)', async () => {
    office.edit('shared/team.json', '"name": "demo"', '"name": "demo", "policies": { "autoTransition": false }');
    await ok(step('approve'));
    await ok(finish('p-01'));
    expect(meta()).toMatchObject({ status: 'active', phase: 'in_progress' });
    expect((await ok(office.call(lead, 'engine', 'check', {})))['due']).toEqual([]);
    expect(await ok(step('test'))).toMatchObject({ state: 'testing', steps: ['test'] });
    await ok(finish('p-02'));
    expect(await ok(step('review'))).toMatchObject({ state: 'review' });
  });

  test('goes from its planning to its end, by itself where it may', async () => {
    const early = () => office.call(lead, 'engine', 'assign_task', { projectId: 'p', taskId: 'p-01' });
    expect(await refused(office, early)).toBe(
      "illegal-transition: Invalid transition: NONE + 'prepare': project is not active: p (planning)",
    );
    expect(await ok(step('approve'))).toMatchObject({ state: 'approved', warning: 'approved without a plan text' });
    expect(meta().plan).toMatchObject({ approved_by: 'lead' });
    await ok(finish('p-01'));
    expect(meta()).toMatchObject({ status: 'active', phase: 'testing' });
    await ok(finish('p-02'));
    expect(meta()).toMatchObject({ status: 'active', phase: 'review' });
    await ok(step('complete'));
    expect(meta()).toMatchObject({ status: 'completed', completed_at: office.now });
    const steps = office.events.filter(({ type }) => type.startsWith('project.'));
    expect(steps.slice(2).map(({ type, from, to }) => `${type} ${from} ${to}`)).toEqual([
      'project.approved planning approved',
      'project.started approved in_progress',
      'project.testing in_progress testing',
      'project.in_review testing review',
      'project.completed review completed',
    ]);
  });

  test('that was reopened stays open until more is accepted', async () => {
    await ok(step('approve'));
    await ok(finish('p-01'));
    await ok(step('reopen', 'not good enough'));
    expect(meta()).toMatchObject({ phase: 'in_progress', reopened: 1 });
    await ok(finish('p-02'));
    expect(meta()).toMatchObject({ phase: 'review' });
    expect(meta().reopened).toBeUndefined();
  });

  test('that is blocked says why, gives nothing out, and goes on', async () => {
    await ok(step('approve'));
    await ok(step('block', 'waiting on a key'));
    expect(meta()).toMatchObject({ status: 'paused', blocked_reason: 'waiting on a key' });
    const ready = await ok(office.call(lead, 'projectflow', 'ready_nodes', { projectId: 'p' }));
    expect(ready['readyNodes']).toEqual([]);
    await ok(step('unblock'));
    expect(meta()).toMatchObject({ status: 'active', phase: 'in_progress' });
    expect(meta().blocked_reason).toBeUndefined();
  });

  test('refuses a step whose condition does not hold', async () => {
    await ok(step('approve'));
    expect(await refused(office, () => step('start'))).toBe(
      "illegal-transition: Invalid transition: APPROVED + 'start': no task is given out yet",
    );
    put({ phase: 'in_progress' });
    expect(await refused(office, () => step('test'))).toBe(
      "illegal-transition: Invalid transition: IN_PROGRESS + 'test': not all dev tasks are done",
    );
    expect(await step('test')).toMatchObject({ remedy: 'still open: p-01' });
    put({ phase: 'testing' });
    expect(await refused(office, () => step('review'))).toBe(
      "illegal-transition: Invalid transition: TESTING + 'review': not all test tasks are done",
    );
  });

  test('goes on by hand where it has no task of a kind, which nothing does by itself (S002-19)', async () => {
    const tasks = [{ taskId: 'q-01', title: 'Try', assignedTo: 'ana', type: 'docs' }];
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'q', title: 'Other' }));
    await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'q', tasks }));
    await ok(office.call(lead, 'engine', 'finish_task', { taskId: 'q-01', fromQueue: true }));
    const byHand = (event: string) => office.call(lead, 'engine', 'transition_project', { projectId: 'q', event });
    expect(parseProjectMeta(office.files['shared/projects/q/meta.json'] ?? '', 'q').meta?.phase).toBe('in_progress');
    expect(await ok(byHand('test'))).toMatchObject({ state: 'testing' });
    expect(await ok(byHand('review'))).toMatchObject({ state: 'review' });
  });

  test('says what may be done instead of a step that cannot follow', async () => {
    expect(await step('review')).toMatchObject({ remedy: 'what may follow planning: approve, reject' });
    await ok(step('reject', 'not now'));
    expect(meta()).toMatchObject({ status: 'rejected', failure_reason: 'not now' });
    expect(await step('approve')).toMatchObject({ remedy: 'rejected is final' });
  });

  test('of the legacy Manager is approved by its resumption, which does nothing for a plan that waits', async () => {
    const resume = () => office.call(lead, 'projectflow', 'resume_project', { projectId: 'p' });
    expect(await refused(office, resume)).toBe(
      "illegal-transition: Invalid transition: PLANNING + 'resume': cannot resume a planning project",
    );
    const { phase: _, ...legacy } = meta();
    office.files[META] = renderProjectMeta({ ...legacy, status: 'planning' });
    await ok(resume());
    expect(meta().status).toBe('active');
    expect(office.events.at(-1)).toMatchObject({ type: 'project.approved', from: 'planning', to: 'approved' });
  });
});
