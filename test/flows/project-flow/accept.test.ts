import { describe, expect, test } from 'vitest';
import { acceptTaskResult } from '../../../src/flows/project-flow/accept.ts';
import { createProject } from '../../../src/flows/project-flow/create.ts';
import { pauseProject } from '../../../src/flows/project-flow/lifecycle.ts';
import { planDag } from '../../../src/flows/project-flow/plan.ts';
import { setMarker } from '../../../src/protocol/plan/edit.ts';
import type { ResultStatus, TaskMeta } from '../../../src/protocol/records/types.ts';
import { createWorld, idsOf, NOW, refusal } from './world.ts';
import type { World } from './world.ts';

const PLAN = 'shared/projects/p/plan.md';

const task = (taskId: string, dependsOn: readonly string[] = []) => ({
  taskId,
  title: taskId,
  assignedTo: 'ana',
  dependsOn,
});

function submitted(result: ResultStatus = 'SUCCESS', extra: Partial<TaskMeta> = {}): World {
  const world = createWorld();
  world.call(createProject, { projectId: 'p', title: 'P' });
  world.call(planDag, { projectId: 'p', tasks: [task('a'), task('b', ['a'])] });
  world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'a', 'delegated');
  world.putTask({
    task_id: 'a',
    project_id: 'p',
    room_id: '!team:hs.local',
    status: 'submitted',
    submission_id: 'sub-a',
    result_status: result,
    summary: 'All there.',
    continuation: { status: 'pending', delivery_id: 'd1' },
    attention: [{ kind: 'other', question: 'ok?', attempt: 1, requestedAt: NOW, resolved: false }],
    ...extra,
  });
  return world;
}

const accept = { projectId: 'p', taskId: 'a', submissionId: 'sub-a' };

describe('project.accept_task_result', () => {
  test('completes node and record, makes the report due and frees what waited', () => {
    const world = submitted();
    const output = world.call(acceptTaskResult, { ...accept, resultStatus: 'SUCCESS', summary: 'OK' });
    expect(output).toMatchObject({
      taskId: 'a',
      submissionId: 'sub-a',
      nodeStatus: 'completed',
      accepted: true,
      publishedArtifacts: [],
      project: {
        requester_report: {
          pending: true,
          reason: 'task_result_accepted',
          task_id: 'a',
          result_status: 'SUCCESS',
          summary: 'OK',
          report_path: 'shared/projects/p/result.md',
        },
      },
      task: {
        status: 'completed',
        continuation: { status: 'resolved', delivery_id: 'd1', resolution: 'completed', resolved_at: NOW },
        attention: [{ kind: 'other', question: 'ok?', attempt: 1, requestedAt: NOW, resolved: true }],
        history: [
          {
            ts: NOW,
            from: 'submitted',
            to: 'completed',
            action: 'accept_task_result',
            actor: 'leader:lead',
            note: 'OK',
          },
        ],
      },
      notificationNeeded: {
        event: 'task_result_completed',
        projectId: 'p',
        summary: 'OK',
        targetRoom: '!team:hs.local',
      },
    });
    expect(idsOf(output['readyNodes'])).toEqual(['b']);
    expect(world.files[PLAN]).toContain('- [x] a — a (assigned: ana)\n- [ ] b — b (assigned: ana, depends: a)\n');
  });

  test.each([
    ['SUCCESS', true, 'completed'],
    ['SUCCESS_WITH_NOTES', true, 'completed'],
    ['SUCCESS', false, 'revision'],
    ['REVISION_NEEDED', true, 'revision'],
    ['REVISION_NEEDED', false, 'revision'],
    ['BLOCKED', true, 'blocked'],
    ['INTERRUPTED', true, 'blocked'],
  ] as const)('a %s result with accepted:%s makes the node %s', (resultStatus, accepted, nodeStatus) => {
    const world = submitted(resultStatus);
    const output = world.call(acceptTaskResult, { ...accept, resultStatus, accepted });
    expect(output).toMatchObject({ nodeStatus, accepted, task: { status: nodeStatus } });
    expect(world.view().project('p')?.plan.nodes[0]?.status).toBe(nodeStatus);
    expect(world.view().project('p')?.meta?.requester_report).toMatchObject({
      pending: true,
      reason: nodeStatus === 'completed' ? 'task_result_accepted' : `task_result_${nodeStatus}`,
    });
  });

  test('withdraws a report still owed for a task that turns out not to be completed', () => {
    const world = submitted();
    const meta = 'shared/projects/p/meta.json';
    const report = { pending: true, reason: 'task_result_accepted', task_id: 'a' };
    world.files[meta] = JSON.stringify({ ...JSON.parse(world.files[meta] ?? ''), requester_report: report });
    world.call(acceptTaskResult, { ...accept, accepted: false });
    expect(world.view().project('p')?.meta?.requester_report).toEqual({
      pending: false,
      reason: 'task_result_revision',
      task_id: 'a',
    });
  });

  test('takes the same decision again as done, and does not reopen the report', () => {
    const world = submitted();
    world.call(acceptTaskResult, accept);
    const meta = 'shared/projects/p/meta.json';
    world.files[meta] = (world.files[meta] ?? '').replace('"pending": true', '"pending": false');
    const before = { ...world.files };
    expect(world.call(acceptTaskResult, accept)).toMatchObject({ reused: true, nodeStatus: 'completed' });
    expect(world.files).toEqual(before);
    expect(() => world.call(acceptTaskResult, { ...accept, accepted: false })).toThrow(
      refusal(
        'illegal-transition',
        "Invalid transition: COMPLETED + 'revise': task result already decided as completed",
      ),
    );
  });

  test('repairs a record that a repeated decision finds behind its marker', () => {
    const world = submitted();
    world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'a', 'completed');
    expect(world.changed(acceptTaskResult, accept)).toEqual(['shared/tasks/a/meta.json']);
    expect(world.call(acceptTaskResult, accept)).toMatchObject({ reused: true, task: { status: 'completed' } });
  });

  test('decides on a node that has no record', () => {
    const world = submitted();
    delete world.files['shared/tasks/a/meta.json'];
    expect(world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' })).toMatchObject({
      task: null,
      submissionId: null,
      nodeStatus: 'completed',
    });
  });

  test('reads the status of an old submission from its result.md', () => {
    const world = submitted('BLOCKED');
    world.putTask({ task_id: 'a', project_id: 'p', status: 'submitted' });
    world.files['shared/tasks/a/result.md'] = 'STATUS: BLOCKED\nSUMMARY: no key\n\nDELIVERABLES:\n';
    expect(world.call(acceptTaskResult, { ...accept, resultStatus: 'BLOCKED' })).toMatchObject({
      nodeStatus: 'blocked',
    });
  });

  test('refuses while the project is paused', () => {
    const world = submitted();
    world.call(pauseProject, { projectId: 'p' });
    expect(() => world.call(acceptTaskResult, accept)).toThrow(refusal('paused', 'project is paused: p'));
  });

  test.each([
    [{ projectId: 'nope' }, {}, 'not-found', 'project not found: nope'],
    [{}, { project_id: 'other' }, 'invalid-argument', 'task a does not belong to project p'],
    [{ submissionId: undefined }, {}, 'invalid-argument', 'submissionId is required for the current task submission'],
    [{ submissionId: 'old' }, {}, 'stale-submission', 'submissionId does not match the current task submission'],
    [
      {},
      { status: 'in_progress' as const },
      'illegal-transition',
      "Invalid transition: IN_PROGRESS + 'accept': accept_task_result requires submitted task state, got in_progress",
    ],
    [
      {},
      { status: 'cancelled' as const },
      'illegal-transition',
      "Invalid transition: CANCELLED + 'accept': task result already decided as cancelled",
    ],
    [{ resultStatus: 'BLOCKED' }, {}, 'invalid-argument', 'resultStatus does not match the submitted task result'],
    [{ resultStatus: 'GREAT' }, {}, 'invalid-argument', 'invalid result status: GREAT'],
    [{ taskId: 'zz' }, {}, 'not-found', 'task not found in project plan: zz'],
  ])('refuses %j with %j and writes nothing', (input, record, code, message) => {
    const world = submitted('SUCCESS', record);
    const before = { ...world.files };
    const { submissionId, ...rest } = { ...accept, ...input };
    const call = { ...rest, ...(submissionId === undefined ? {} : { submissionId }) };
    expect(() => world.call(acceptTaskResult, call)).toThrow(refusal(code, message));
    expect(world.files).toEqual(before);
  });
});
