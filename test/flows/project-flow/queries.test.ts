import { describe, expect, test } from 'vitest';
import { checkActiveTasks } from '../../../src/flows/project-flow/active.ts';
import { createProject } from '../../../src/flows/project-flow/create.ts';
import { pauseProject } from '../../../src/flows/project-flow/lifecycle.ts';
import { planDag, planLoop } from '../../../src/flows/project-flow/plan.ts';
import { resolveProject } from '../../../src/flows/project-flow/resolve.ts';
import { setMarker } from '../../../src/protocol/plan/edit.ts';
import { createWorld, idsOf, NOW, refusal } from './world.ts';
import type { World } from './world.ts';

const PLAN = 'shared/projects/p/plan.md';
const tasks = [{ taskId: 'a', title: 'A', assignedTo: 'ana' }];

function withPlan(): World {
  const world = createWorld();
  world.call(createProject, {
    projectId: 'p',
    title: 'P',
    parentTaskId: 'up-01',
    sourceRoomId: 'matrix:!src:hs.local',
  });
  world.call(planDag, { projectId: 'p', tasks });
  return world;
}

function delegated(meta: Parameters<World['putTask']>[0] | undefined, result?: string): World {
  const world = withPlan();
  world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'a', 'delegated');
  if (meta !== undefined) world.putTask(meta);
  if (result !== undefined) world.files['shared/tasks/a/result.md'] = result;
  return world;
}

const record = { task_id: 'a', project_id: 'p' };
const base = { projectId: 'p', projectTitle: 'P', projectStatus: 'active', planType: 'dag' };
const about = {
  ...base,
  taskId: 'a',
  taskTitle: 'A',
  assignedTo: 'ana',
  planStatus: 'delegated',
  taskPath: 'shared/tasks/a/',
};

describe('project.check_active_tasks', () => {
  test.each([
    [
      'a missing record',
      delegated(undefined),
      { taskStatus: 'missing', issueType: 'missing_task_meta', recommendation: 'leader_repair_or_delegate_again' },
    ],
    [
      'a result that waits',
      delegated({ ...record, status: 'submitted' }, 'STATUS: BLOCKED\nSUMMARY: no key\n'),
      {
        taskStatus: 'submitted',
        issueType: 'task_result_pending_check',
        resultStatus: 'BLOCKED',
        recommendation: 'leader_check_submitted_result',
      },
    ],
    [
      'a result that cannot be read',
      delegated({ ...record, status: 'in_progress' }, 'STATUS: FINE\n'),
      {
        taskStatus: 'in_progress',
        issueType: 'invalid_task_result',
        error: 'invalid result status: FINE',
        recommendation: 'ask_worker_fix_result_protocol',
      },
    ],
    [
      'work without a sign of life',
      delegated({ ...record, status: 'in_progress', acknowledged_at: '2026-08-01T00:00:00Z' }),
      { taskStatus: 'in_progress', issueType: 'task_not_running', recommendation: 'ask_worker_continue_task' },
    ],
    [
      'an assignment that nobody acknowledges',
      delegated({ ...record, status: 'assigned', assigned_at: '2026-09-01T09:30:00Z' }),
      { taskStatus: 'assigned', issueType: 'task_not_running', recommendation: 'ask_worker_continue_task' },
    ],
    [
      'work that left no trace at all',
      delegated({ ...record, status: 'in_progress' }),
      { taskStatus: 'in_progress', issueType: 'worker_runtime_unknown', recommendation: 'inspect_worker_runtime' },
    ],
  ])('names %s', (_, world, issue) => {
    const before = { ...world.files };
    expect(world.call(checkActiveTasks, {})).toEqual({ checkedProjects: 1, issues: [{ ...about, ...issue }] });
    expect(world.files).toEqual(before);
  });

  test('is content with work that goes on', () => {
    const world = delegated({ ...record, status: 'in_progress', acknowledged_at: NOW });
    expect(world.call(checkActiveTasks, { projectId: 'p' })).toEqual({ checkedProjects: 1, issues: [] });
  });

  test('names ready tasks, then the end of a project', () => {
    const world = withPlan();
    expect(world.call(checkActiveTasks, {})['issues']).toEqual([
      {
        ...base,
        issueType: 'ready_tasks_pending',
        readyTasks: [{ task_id: 'a', title: 'A', assigned_to: 'ana', depends_on: [], status: 'pending' }],
        recommendation: 'normal_leader_schedule_ready_tasks',
      },
    ]);
    world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'a', 'completed');
    expect(world.call(checkActiveTasks, {})['issues']).toEqual([
      {
        ...base,
        issueType: 'project_completion_pending',
        recommendation: 'normal_leader_aggregate_and_complete_project',
      },
    ]);
  });

  test('names the decision that a loop waits for', () => {
    const world = withPlan();
    const loop = { goal: 'g', stopCondition: 's', iterationTemplate: 't', maxIterations: 3, currentIteration: 2 };
    world.call(planLoop, { projectId: 'p', ...loop, tasks });
    world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'a', 'completed');
    expect(world.call(checkActiveTasks, {})['issues']).toEqual([
      {
        ...base,
        planType: 'loop',
        issueType: 'loop_iteration_decision_pending',
        iteration: 2,
        maxIterations: 3,
        recommendation: 'normal_leader_record_loop_iteration',
      },
    ]);
  });

  test('looks at active projects only', () => {
    const world = withPlan();
    world.call(pauseProject, { projectId: 'p' });
    expect(world.call(checkActiveTasks, {})).toEqual({ checkedProjects: 0, issues: [] });
  });

  test('refuses a wait of no time', () => {
    expect(() => withPlan().call(checkActiveTasks, { timeoutSeconds: 0 })).toThrow(
      refusal('invalid-argument', 'payload.timeoutSeconds must be greater than zero'),
    );
  });
});

describe('project.resolve', () => {
  test.each([
    [{ projectId: 'p' }],
    [{ parentTaskId: 'up-01' }],
    [{ roomId: '!src:hs.local' }],
    [{ roomId: 'room:!work:hs.local' }],
  ])('finds the project by %j', (input) => {
    const world = withPlan();
    world.putTask({ ...record, room_id: '!work:hs.local', status: 'pending' });
    const output = world.call(resolveProject, input);
    expect(output).toMatchObject({
      project: { project_id: 'p' },
      planType: 'dag',
      replyRoute: null,
      sourceRoomId: 'matrix:!src:hs.local',
    });
    expect(idsOf(output['readyNodes'])).toEqual(['a']);
    expect(output).not.toHaveProperty('task');
  });

  test('finds the project of a task, with the task', () => {
    expect(delegated({ ...record, room_id: '!work:hs.local' }).call(resolveProject, { taskId: 'a' })).toMatchObject({
      project: { project_id: 'p' },
      task: { task_id: 'a', status: 'assigned' },
    });
  });

  test('refuses a task of another project', () => {
    const world = withPlan();
    world.putTask({ task_id: 'x', project_id: 'q' });
    expect(() => world.call(resolveProject, { projectId: 'p', taskId: 'x' })).toThrow(
      refusal('invalid-argument', 'task x does not belong to project p'),
    );
  });

  test.each([
    [{}, 'invalid-argument', 'projectId or taskId is required'],
    [{ taskId: 'nope' }, 'not-found', 'task not found: nope'],
    [{ projectId: 'nope' }, 'not-found', 'project not found: nope'],
    [{ parentTaskId: 'nope' }, 'not-found', 'project not found: nope'],
  ])('refuses %j', (input, code, message) => {
    expect(() => withPlan().call(resolveProject, input)).toThrow(refusal(code, message));
  });
});
