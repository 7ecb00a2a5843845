import { beforeEach, describe, expect, test } from 'vitest';
import { ROOM, ana, createOffice, lead, ok, planned } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;
const node = (action: string, payload: Record<string, unknown> = {}) => office.call(lead, 'node', action, payload);

beforeEach(() => {
  office = createOffice();
});

describe('health', () => {
  test('answers ok beside whatever is wrong with the files', async () => {
    const sync = { ahead: 1, behind: 0, lastPullAt: 'a', lastPushAt: 'b', conflicts: [], branch: 'main' };
    office.facts = { sync };
    office.files['shared/tasks/t/meta.json'] = '{';
    const expected = {
      ok: true,
      tool: 'health',
      status: 'ok',
      sync: { ahead: 1, behind: 0, lastPullAt: 'a', lastPushAt: 'b', conflicts: [] },
      matrix: { connected: true, teamRoomId: '!team:hs.local' },
      problemCount: 1,
      problems: [expect.stringMatching(/^shared\/tasks\/t\/meta\.json:1:\d+ \[/)],
    };
    expect(await office.call(ana, 'health', '')).toEqual(expected);
    expect(await office.call(ana, 'health', 'anything')).toEqual(expected);
    office.weather.chat = 'local';
    expect(await office.call(ana, 'health', '')).toMatchObject({ matrix: { connected: false } });
  });

  test('status shows all that the sync knows', async () => {
    office.facts = { sync: { mode: 'team', branch: 'main', online: true } };
    expect(await node('status')).toEqual({
      ok: true,
      tool: 'node',
      action: 'status',
      mode: 'team',
      branch: 'main',
      online: true,
    });
  });
});

describe('problems', () => {
  test('names broken files with their place and contradictions with what mends them', async () => {
    await planned(office, { 'p-01': [] });
    await ok(
      office.call(lead, 'taskflow', 'delegate_task', { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: 'x' }),
    );
    expect(await node('problems')).toMatchObject({ count: 0, problems: [] });
    office.files['shared/projects/q/meta.json'] = '{"project_id":"q"}';
    office.edit('shared/projects/p/plan.md', '[~]', '[!]');
    const { problems } = await ok(node('problems'));
    expect(problems).toContainEqual(
      expect.objectContaining({
        file: 'shared/projects/q/meta.json',
        severity: 'error',
        remedy: expect.stringMatching(/^mend /),
      }),
    );
    expect(problems).toContainEqual(
      expect.objectContaining({ projectId: 'p', taskId: 'p-01', remedy: expect.any(String) }),
    );
  });
});

describe('the board', () => {
  test('shows a DAG as the workflow record of the protocol', async () => {
    await planned(office, { 'p-01': [], 'p-02': ['p-01'] });
    await ok(
      office.call(lead, 'taskflow', 'delegate_task', { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: 'x' }),
    );
    await ok(office.call(ana, 'taskflow', 'submit_task', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }));
    const head = { project_id: 'p', title: 'Project', status: 'active', phase: 'in_progress', plan_type: 'dag' };
    const report = { pending: true, reason: 'work_started', report_path: 'shared/projects/p/result.md' };
    expect(await node('board', { project_id: 'p' })).toEqual({
      ok: true,
      tool: 'node',
      action: 'board',
      projects: [
        {
          ...head,
          nodes: [
            { id: 'p-01', name: 'Task p-01', status: 'delegated', assignee: 'ana' },
            { id: 'p-02', name: 'Task p-02', status: 'pending', assignee: 'ana' },
          ],
          edges: [{ source: 'p-01', target: 'p-02', conditional: false }],
          next: [],
          interrupts: [],
          values: { ...head, task_count: { delegated: 1, pending: 1 } },
          requester_report: report,
          tasks_detail: [
            {
              task_id: 'p-01',
              project_id: 'p',
              status: 'submitted',
              assigned_to: 'ana',
              spec_path: 'shared/tasks/p-01/spec.md',
              result_path: 'shared/tasks/p-01/result.md',
              result_status: 'SUCCESS',
              summary: 'Done.',
              deliverables: [],
              history: office.task('p-01').history,
            },
          ],
        },
      ],
    });
  });

  test('shows a loop, what is ready, and where a person is waited for', async () => {
    const payload = { projectId: 'p', goal: 'Good', stopCondition: 'Good', iterationTemplate: 'Try', maxIterations: 3 };
    await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'Project' }));
    const tasks = [{ taskId: 'p-i001-01', title: 'Try', assignedTo: 'ana' }];
    await ok(office.call(lead, 'projectflow', 'plan_loop', { ...payload, currentIteration: 1, tasks }));
    expect(await node('board')).toMatchObject({
      projects: [
        {
          plan_type: 'loop',
          next: ['p-i001-01'],
          loop: {
            goal: 'Good',
            stop_condition: 'Good',
            status: 'running',
            current_iteration: 1,
            max_iterations: 3,
            history: [],
          },
        },
      ],
    });
    const decision = { projectId: 'p', iteration: 1, decision: 'ask_user', summary: 'Which?' };
    await ok(office.call(lead, 'projectflow', 'record_loop_iteration', decision));
    await ok(office.call(lead, 'projectflow', 'pause_project', { projectId: 'p', reason: 'holiday' }));
    expect(await node('board')).toMatchObject({
      projects: [
        {
          next: [],
          interrupts: [
            { id: 'loop', value: 'waiting for human decision' },
            { id: 'project', value: 'paused', description: 'holiday' },
          ],
        },
      ],
    });
  });

  test("leaves out what cannot be read, and another project's task of the same id", async () => {
    await planned(office, { 'p-01': [] });
    office.files['shared/projects/q/meta.json'] = '{';
    office.put({ task_id: 'p-01', project_id: 'other' });
    expect(await node('board')).toMatchObject({ projects: [{ project_id: 'p', tasks_detail: [] }] });
    expect(await node('board', { projectId: 'nope' })).toMatchObject({ ok: false, code: 'not-found' });
    expect(await node('board', { projectId: 'q' })).toMatchObject({ ok: false, code: 'broken-file' });
  });
});

describe('a refused part of a lane', () => {
  const refusal = {
    lane: 'lanes/ana',
    localpart: 'ana',
    commit: '0123456789abcdef0123',
    path: 'shared/projects/p/plan.md',
    reason: 'not-owner',
    detail: 'plan.md belongs to the leader',
  };

  test('is recorded, once for each commit of the lane', async () => {
    const answer = await office.internal('lane.record_refusal', refusal);
    expect(answer).toMatchObject({ reused: false });
    const { localpart: worker, lane, ...facts } = refusal;
    const event = {
      type: 'lane.refused',
      action: 'integrate',
      subject: { kind: 'lane', id: lane },
      note: `${refusal.path}: ${refusal.reason} (${refusal.detail})`,
      data: { worker, ...facts },
    };
    expect(office.events).toEqual([event]);
    office.files['shared/events/2026-09/lead.jsonl'] = `${JSON.stringify(event)}\n`;
    expect(await office.internal('lane.record_refusal', refusal)).toMatchObject({ reused: true });
    expect(office.events).toHaveLength(1);
  });
});
