import { describe, expect, test } from 'vitest';
import { ana, createOffice, lead, ok, refused, ROOM } from './office.ts';

const META = 'shared/projects/t/meta.json';
const PLAN = 'shared/projects/t/plan.md';

const project = {
  projectId: 't',
  title: 'From afar',
  status: 'active',
  createdAt: '2026-08-01T10:00:00Z',
  planType: 'dag',
  tasks: [
    { taskId: 't-01', title: 'Collect', assignedTo: '@ana:hs.local', dependsOn: [], status: 'completed' },
    { taskId: 't-02', title: 'Write', assignedTo: 'ana', dependsOn: ['t-01'], status: 'planned' },
    { taskId: 't-03', title: 'Old', assignedTo: 'bo', status: 'cancelled', cancelReason: 'not needed' },
  ],
};

const derived =
  '# From afar\n\n- ID: `t`\n\n## Tasks\n\n- `t-01` Collect -> ana; status: completed\n- `t-02` Write -> ana; deps: t-01; status: planned\n';

describe("a workspace in upstream's form", () => {
  test.each([
    ['without a plan.md', undefined],
    ['with a rendered list for a plan', derived],
  ])('%s is worked from the graph in the record', async (_, planText) => {
    const office = createOffice({
      files: { [META]: JSON.stringify(project), ...(planText === undefined ? {} : { [PLAN]: planText }) },
    });
    const ready = await ok(office.call(lead, 'projectflow', 'ready_nodes', { projectId: 't' }));
    expect(ready['readyNodes']).toEqual([
      { task_id: 't-02', title: 'Write', assigned_to: 'ana', depends_on: ['t-01'], status: 'pending' },
    ]);
    await ok(
      office.call(lead, 'taskflow', 'delegate_task', { projectId: 't', taskId: 't-02', roomId: ROOM, spec: 'Write.' }),
    );
    expect(office.files[PLAN]).toBe(
      [
        '# Team Project: From afar',
        '',
        '**ID**: t',
        '**Created**: 2026-08-01T10:00:00Z',
        '',
        '## DAG Task Plan',
        '',
        '**Plan Type**: dag',
        '',
        '- [x] t-01 — Collect (assigned: @ana:hs.local)',
        '- [~] t-02 — Write (assigned: ana, depends: t-01)',
        '- [!] t-03 — Old (assigned: bo, cancelled: not needed)',
        '',
      ].join('\n'),
    );
  });

  test('keeps the record and its own graph when it is written again', async () => {
    const office = createOffice({ files: { [META]: JSON.stringify({ ...project, mode: 'dag', extra: { a: 1 } }) } });
    await ok(office.call(lead, 'projectflow', 'pause_project', { projectId: 't', reason: 'wait' }));
    expect(JSON.parse(office.files[META] ?? '')).toEqual({
      project_id: 't',
      title: 'From afar',
      status: 'paused',
      created_at: '2026-08-01T10:00:00Z',
      plan_type: 'dag',
      mode: 'dag',
      pause_reason: 'wait',
      tasks: project.tasks,
      extra: { a: 1 },
    });
  });

  test('gives way to plan.md as soon as that holds a task', async () => {
    const own = '## DAG Task Plan\n\n**Plan Type**: dag\n\n- [ ] x — Mine (assigned: ana)\n';
    const office = createOffice({ files: { [META]: JSON.stringify(project), [PLAN]: own } });
    const ready = await ok(office.call(lead, 'projectflow', 'ready_nodes', { projectId: 't' }));
    expect(ready['readyNodes']).toEqual([
      { task_id: 'x', title: 'Mine', assigned_to: 'ana', depends_on: [], status: 'pending' },
    ]);
  });

  test('is a loop when the record says so', async () => {
    const loop = {
      goal: 'Polish',
      stop_condition: 'Clean',
      iteration_template: 'Read, mend.',
      max_iterations: 3,
      current_iteration: 1,
      status: 'running',
      tasks: [{ task_id: 't-i001-01', title: 'Read', assigned_to: 'ana', depends_on: [], status: 'planned' }],
      history: [{ iteration: 1, decision: 'continue', summary: 'Better', next_action: 'again' }],
    };
    const office = createOffice({
      files: { [META]: JSON.stringify({ project_id: 't', title: 'L', status: 'active', plan_type: 'loop', loop }) },
    });
    await ok(
      office.call(lead, 'projectflow', 'record_loop_iteration', {
        projectId: 't',
        iteration: 2,
        decision: 'stop_success',
        summary: 'Good',
      }),
    );
    expect(office.files[PLAN]).toContain('**Iteration**: 2 / 3');
    expect(office.files[PLAN]).toContain('- [ ] t-i001-01 — Read (assigned: ana)');
    expect(office.files[PLAN]).toContain(
      '- Iteration 1: continue — Better Next: again\n- Iteration 2: stop_success — Good\n',
    );
  });

  test('with a minimal task record is readable, and told what it lacks', async () => {
    const office = createOffice({
      files: {
        [META]: JSON.stringify({ project_id: 't', title: 'T' }),
        'shared/tasks/t-01/meta.json': JSON.stringify({
          task_id: 't-01',
          project_id: 't',
          task_title: 'Collect',
          assigned_to: 'ana',
          status: 'assigned',
          depends_on: [],
        }),
      },
    });
    expect(await refused(office, () => office.call(ana, 'taskflow', 'ack_task', { taskId: 't-01' }))).toBe(
      'broken-file: task t-01 is missing room_id',
    );
  });

  test('warns of a result that is not what the record says was submitted, though it kept no digest', async () => {
    const office = createOffice({
      files: {
        [META]: JSON.stringify({ project_id: 't', title: 'T' }),
        'shared/tasks/t-01/meta.json': JSON.stringify({
          taskId: 't-01',
          projectId: 't',
          assignedTo: 'ana',
          status: 'submitted',
          resultStatus: 'SUCCESS',
          summary: 'All done',
          deliverables: [],
        }),
        'shared/tasks/t-01/result.md': 'STATUS: SUCCESS\nSUMMARY: All undone\n',
      },
    });
    const check = await ok(office.call(lead, 'taskflow', 'check_task', { taskId: 't-01' }));
    expect(check['warnings']).toEqual(['result.md changed after submission']);
  });
});
