import { expect, test } from 'vitest';
import { deliveryId } from '../../src/protocol/result/digest.ts';
import { NOW, ana, createOffice, lead, ok } from './office.ts';

/** protocol.md, Appendix B, call by call. */
const projectId = 'report-20260901-101500';
const first = `${projectId}-01`;
const second = `${projectId}-02`;
const roomId = 'room:!team:hs.local';
const figures = `shared/tasks/${first}/workspace/figures.csv`;

test('the worked example runs as it is written', async () => {
  const office = createOffice();

  const created = await ok(
    office.call(lead, 'projectflow', 'create_project', {
      projectId,
      title: 'Quarterly report',
      source: 'team-admin',
      requester: '@admin:hs.local',
    }),
  );
  expect(created).toMatchObject({
    action: 'create_project',
    project: {
      project_id: projectId,
      title: 'Quarterly report',
      status: 'active',
      source: 'team-admin',
      requester: '@admin:hs.local',
      created_at: NOW,
    },
  });

  const planned = await ok(
    office.call(lead, 'projectflow', 'plan_dag', {
      projectId,
      tasks: [
        { taskId: first, title: 'Collect figures (EU)', assignedTo: '@ana:hs.local', dependsOn: [] },
        { taskId: second, title: 'Write draft', assignedTo: 'bo', dependsOn: [first] },
      ],
    }),
  );
  const collect = {
    task_id: first,
    title: 'Collect figures (EU)',
    assigned_to: '@ana:hs.local',
    depends_on: [],
    status: 'pending',
  };
  expect(planned).toMatchObject({ tasks: [collect, { task_id: second, depends_on: [first] }], readyNodes: [collect] });
  expect(office.files[`shared/projects/${projectId}/plan.md`]).toMatch(
    new RegExp(
      [
        '## DAG Task Plan',
        '',
        String.raw`\*\*Plan Type\*\*: dag`,
        '',
        String.raw`- \[ \] ${first} — Collect figures \(EU\) \(assigned: @ana:hs\.local\)`,
        String.raw`- \[ \] ${second} — Write draft \(assigned: bo, depends: ${first}\)`,
        '$',
      ].join('\n'),
    ),
  );

  const spec = '# Collect figures\nAll of them.';
  const delegated = await ok(
    office.call(lead, 'taskflow', 'delegate_task', { projectId, taskId: first, roomId, spec }),
  );
  expect(delegated).toMatchObject({
    action: 'delegate_task',
    synced: true,
    task: {
      task_id: first,
      project_id: projectId,
      task_title: 'Collect figures (EU)',
      assigned_to: 'ana',
      room_id: roomId,
      status: 'assigned',
      depends_on: [],
      assigned_at: NOW,
      event_id: '$e1',
    },
    notification: { sent: true, eventId: '$e1', roomId: '!team:hs.local', assignee: '@ana:hs.local' },
  });
  expect(office.line(projectId, first)).toBe(`- [~] ${first} — Collect figures (EU) (assigned: @ana:hs.local)`);

  expect(await ok(office.call(ana, 'taskflow', 'ack_task', { taskId: first }))).toMatchObject({
    task: { status: 'in_progress', acknowledged_at: NOW },
    spec: `${spec}\n`,
  });

  const result = { status: 'SUCCESS', summary: 'All figures collected.', deliverables: [figures] };
  const submitted = await ok(office.call(ana, 'taskflow', 'submit_task', { taskId: first, ...result }));
  const { submission_id: submissionId = '' } = office.task(first);
  const delivery = deliveryId(projectId, first, submissionId);
  expect(submitted).toMatchObject({
    synced: true,
    verified: true,
    task: {
      status: 'submitted',
      submitted_at: NOW,
      submission_id: submissionId,
      result_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      continuation: { status: 'pending', delivery_id: delivery },
    },
    result: { ...result, notes: [] },
  });
  expect(office.sent.at(-1)?.text.split('\n')[0]).toBe(
    `@lead:hs.local TASK_COMPLETED: ${first} - Result: shared/tasks/${first}/result.md`,
  );
  expect(office.line(projectId, first)).toMatch(/^- \[~\]/);
  expect(await ok(office.call(lead, 'projectflow', 'ready_nodes', { projectId }))).toMatchObject({ readyNodes: [] });

  expect(await ok(office.call(lead, 'taskflow', 'check_task', { taskId: first }))).toMatchObject({
    effective: true,
    task: { status: 'submitted' },
    result: { status: 'SUCCESS' },
    projectStatus: 'active',
  });

  const accepted = await ok(
    office.call(lead, 'projectflow', 'accept_task_result', {
      projectId,
      taskId: first,
      submissionId,
      accepted: true,
      resultStatus: 'SUCCESS',
      summary: 'OK',
    }),
  );
  expect(accepted).toMatchObject({
    nodeStatus: 'completed',
    accepted: true,
    task: {
      status: 'completed',
      continuation: { status: 'resolved', resolution: 'completed', delivery_id: delivery, resolved_at: NOW },
    },
    project: { requester_report: { pending: true, reason: 'task_result_accepted', task_id: first } },
    readyNodes: [{ task_id: second }],
  });
  expect(office.line(projectId, first)).toBe(`- [x] ${first} — Collect figures (EU) (assigned: @ana:hs.local)`);
});
