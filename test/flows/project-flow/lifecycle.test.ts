import { describe, expect, test } from 'vitest';
import { createProject } from '../../../src/flows/project-flow/create.ts';
import {
  completeProject,
  confirmCompleted,
  pauseProject,
  resumeProject,
} from '../../../src/flows/project-flow/lifecycle.ts';
import { planDag, planLoop } from '../../../src/flows/project-flow/plan.ts';
import { setMarker } from '../../../src/protocol/plan/edit.ts';
import { createWorld, NOW, refusal } from './world.ts';
import type { World } from './world.ts';

const META = 'shared/projects/p/meta.json';
const PLAN = 'shared/projects/p/plan.md';

function withPlan(): World {
  const world = createWorld();
  world.call(createProject, { projectId: 'p', title: 'P' });
  world.files[META] = (world.files[META] ?? '').replace('{', '{\n  "project_room_id": "!x:hs.local",');
  world.call(planDag, { projectId: 'p', tasks: [{ taskId: 'a', title: 'A', assignedTo: 'ana' }] });
  return world;
}

describe('pausing and resuming', () => {
  test('change the status and nothing else', () => {
    const world = withPlan();
    const plan = world.files[PLAN];
    const before = JSON.parse(world.files[META] ?? '');
    world.call(pauseProject, { projectId: 'p', reason: 'budget' });
    expect(JSON.parse(world.files[META] ?? '')).toEqual({ ...before, status: 'paused', pause_reason: 'budget' });
    world.call(resumeProject, { projectId: 'p' });
    expect(JSON.parse(world.files[META] ?? '')).toEqual(before);
    expect(world.files[PLAN]).toBe(plan);
    expect(world.events.map(({ type, from, to }) => [type, from, to]).slice(-2)).toEqual([
      ['project.paused', 'approved', 'paused'],
      ['project.resumed', 'paused', 'approved'],
    ]);
  });

  test('hint at whom the change concerns, when there is one', () => {
    const world = withPlan();
    const hint = world.call(pauseProject, { projectId: 'p', reason: 'budget' })['notificationNeeded'];
    expect(hint).toEqual({ event: 'project_paused', projectId: 'p', summary: 'budget' });
    expect(world.call(pauseProject, { projectId: 'p' })).not.toHaveProperty('notificationNeeded');
    expect(world.call(resumeProject, { projectId: 'p' })['notificationNeeded']).toMatchObject({
      event: 'project_resumed',
      projectId: 'p',
    });
    expect(world.call(completeProject, { projectId: 'p', force: true })['notificationNeeded']).toMatchObject({
      event: 'project_completed',
    });
  });

  test('are unchanged where they are already', () => {
    const world = withPlan();
    expect(world.call(resumeProject, { projectId: 'p' })).toMatchObject({ unchanged: true });
    world.call(pauseProject, { projectId: 'p' });
    const before = { ...world.files };
    expect(world.call(pauseProject, { projectId: 'p' })).toMatchObject({
      unchanged: true,
      project: { status: 'paused' },
    });
    expect(world.files).toEqual(before);
  });

  test('are refused once the project has ended', () => {
    const world = withPlan();
    world.call(completeProject, { projectId: 'p', force: true });
    expect(() => world.call(pauseProject, { projectId: 'p' })).toThrow(
      refusal('illegal-transition', "Invalid transition: COMPLETED + 'pause': cannot pause a completed project"),
    );
    expect(() => world.call(resumeProject, { projectId: 'p' })).toThrow(
      refusal('illegal-transition', "Invalid transition: COMPLETED + 'resume': cannot resume a completed project"),
    );
  });

  test('owe the requester a word when a result waits', () => {
    const world = withPlan();
    world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'a', 'delegated');
    world.putTask({ task_id: 'a', project_id: 'p', status: 'submitted' });
    expect(world.call(pauseProject, { projectId: 'p' })).toMatchObject({
      project: {
        requester_report: {
          pending: true,
          reason: 'result_while_paused',
          summary: 'results waiting while paused: a',
          report_path: 'shared/projects/p/result.md',
        },
      },
    });
  });
});

describe('project.complete', () => {
  test('is refused while a task is open, unless forced', () => {
    const world = withPlan();
    expect(() => world.call(completeProject, { projectId: 'p' })).toThrow(
      refusal(
        'illegal-transition',
        "Invalid transition: APPROVED + 'complete_project': project has non-terminal tasks (status: a pending)",
      ),
    );
    expect(world.call(completeProject, { projectId: 'p', force: true })).toMatchObject({
      project: {
        status: 'completed',
        completed_at: NOW,
        requester_report: { pending: true, reason: 'project_completed', report_path: 'shared/projects/p/result.md' },
      },
    });
  });

  test.each(['completed', 'revision', 'blocked'] as const)('goes through once every task is %s', (status) => {
    const world = withPlan();
    world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'a', status);
    expect(world.call(completeProject, { projectId: 'p' })).toMatchObject({ project: { status: 'completed' } });
  });

  test('goes through without any task, and from a pause', () => {
    const world = createWorld();
    world.call(createProject, { projectId: 'p', title: 'P' });
    world.call(pauseProject, { projectId: 'p' });
    expect(world.call(completeProject, { projectId: 'p' })).toMatchObject({ project: { status: 'completed' } });
  });

  test('completes a loop with its project', () => {
    const world = createWorld();
    world.call(createProject, { projectId: 'p', title: 'P' });
    world.call(planLoop, { projectId: 'p', goal: 'g', stopCondition: 's', iterationTemplate: 't', maxIterations: 2 });
    world.call(completeProject, { projectId: 'p' });
    expect(world.view().project('p')?.plan.loop?.status).toBe('completed');
  });

  test('is announced until its event is recorded', () => {
    const world = withPlan();
    world.call(completeProject, { projectId: 'p', force: true });
    expect(world.call(completeProject, { projectId: 'p' })).toMatchObject({ unchanged: true });
    expect(world.announcements.map(({ txn }) => txn)).toEqual(['project-p-success', 'project-p-success']);
    expect(world.announcements[0]).toEqual({
      kind: 'project-completed',
      txn: 'project-p-success',
      room: '!team:hs.local',
      text: '@admin:hs.local PROJECT_COMPLETED: p - P',
      mentions: ['@admin:hs.local'],
      followUp: {
        operation: 'project.confirm_completed',
        input: { projectId: 'p' },
        actor: { localpart: 'lead', role: 'leader', matrixUserId: '@lead:hs.local' },
      },
    });
    const confirm = { projectId: 'p', eventId: '$1' };
    expect(world.call(confirmCompleted, confirm)).toMatchObject({ project: { project_completion_event_id: '$1' } });
    expect(world.changed(confirmCompleted, { projectId: 'p', eventId: '$2' })).toEqual([]);
    world.call(completeProject, { projectId: 'p' });
    expect(world.announcements).toHaveLength(2);
  });
});
