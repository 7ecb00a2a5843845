import { describe, expect, test } from 'vitest';
import { createProject } from '../../../src/flows/project-flow/create.ts';
import { planDag } from '../../../src/flows/project-flow/plan.ts';
import { markRequesterReportSent } from '../../../src/flows/project-flow/report.ts';
import { repairState } from '../../../src/flows/project-flow/repair.ts';
import { setMarker } from '../../../src/protocol/plan/edit.ts';
import type { NodeStatus } from '../../../src/protocol/plan-types.ts';
import type { TaskMeta } from '../../../src/protocol/records/types.ts';
import { findInconsistencies } from '../../../src/rules/consistency.ts';
import { createWorld, NOW } from './world.ts';
import type { World } from './world.ts';

const PLAN = 'shared/projects/p/plan.md';
const input = { projectId: 'p', taskId: 'a' };

function withTask(marker: NodeStatus, meta: Partial<TaskMeta>, slug?: string): World {
  const world = createWorld();
  world.call(createProject, { projectId: 'p', title: 'P' });
  world.call(planDag, { projectId: 'p', tasks: [{ taskId: 'a', title: 'A', assignedTo: 'ana' }] });
  if (marker !== 'pending') {
    world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'a', marker, slug === undefined ? {} : { cancelled: slug });
  }
  world.putTask({ task_id: 'a', project_id: 'p', ...meta });
  world.events.length = 0;
  return world;
}

const handedIn = {
  submission_id: 'sub',
  result_status: 'SUCCESS',
  summary: 'Done.',
  continuation: { status: 'pending', delivery_id: 'd1' },
} as const;

describe('state.repair', () => {
  test('completes the record of a submission that a person has marked [x], and makes the report due', () => {
    const world = withTask('completed', { ...handedIn, status: 'submitted' });
    expect(world.call(repairState, input)).toMatchObject({
      repaired: 'record completed',
      task: {
        status: 'completed',
        completed_at: NOW,
        continuation: { status: 'resolved', delivery_id: 'd1', resolution: 'completed', resolved_at: NOW },
        history: [{ from: 'submitted', to: 'completed', action: 'state.repair', actor: 'leader:lead' }],
      },
    });
    expect(world.view().project('p')?.meta?.requester_report).toEqual({
      pending: true,
      reason: 'task_result_accepted',
      task_id: 'a',
      result_status: 'SUCCESS',
      summary: 'Done.',
      report_path: 'shared/projects/p/result.md',
    });
    expect(world.events).toEqual([
      {
        type: 'state.repaired',
        action: 'state.repair',
        subject: { kind: 'task', id: 'a', project_id: 'p' },
        from: 'submitted',
        to: 'completed',
        note: 'plan.md shows a as completed, its record says submitted',
        data: { side: 'record' },
      },
      {
        type: 'project.started',
        action: 'start',
        subject: { kind: 'project', id: 'p' },
        from: 'approved',
        to: 'in_progress',
        note: 'by itself',
      },
    ]);
  });

  test('owes no second report where the marker was told before the record followed', () => {
    const world = withTask('completed', { ...handedIn, status: 'submitted' });
    world.call(markRequesterReportSent, { projectId: 'p' });
    const before = world.view().project('p')?.meta?.requester_report;
    expect(before).toEqual({ pending: false, sent_at: NOW, told: { a: 'completed' } });
    world.call(repairState, input);
    expect(world.view().project('p')?.meta?.requester_report).toEqual(before);
  });

  test('takes back a completion that the plan does not show', () => {
    const continuation = { status: 'resolved', delivery_id: 'd1', resolution: 'completed', resolved_at: NOW } as const;
    const world = withTask('delegated', { ...handedIn, status: 'completed', completed_at: NOW, continuation });
    const { task } = world.call(repairState, input) as { task: Record<string, unknown> };
    expect(task).toMatchObject({ status: 'submitted', continuation: { status: 'pending', delivery_id: 'd1' } });
    expect(task).not.toHaveProperty('completed_at');
    expect(task['continuation']).toEqual({ status: 'pending', delivery_id: 'd1' });
  });

  test.each([
    ['revision', 'revision', undefined],
    ['blocked', 'blocked', undefined],
    ['cancelled', 'cancelled', 'no-longer-wanted'],
  ] as const)('ends the record when a person marks %s', (marker, status, slug) => {
    const world = withTask(marker, { status: 'in_progress' }, slug);
    expect(world.call(repairState, input)).toMatchObject({
      task: { status, ...(slug === undefined ? {} : { cancel_reason: slug, cancelled_at: NOW }) },
    });
  });

  test.each([
    ['in_progress', '- [~] a — A (assigned: ana)'],
    ['cancelled', '- [!] a — A (assigned: ana, cancelled: cancelled)'],
  ] as const)('moves the marker after a record that is %s', (status, line) => {
    const world = withTask('pending', { status });
    expect(world.changed(repairState, input)).toEqual([PLAN]);
    world.call(repairState, input);
    expect(world.files[PLAN]).toContain(`${line}\n`);
  });

  test.each([
    ['completed', { ...handedIn, status: 'submitted' }],
    ['delegated', { ...handedIn, status: 'completed' }],
    ['revision', { status: 'in_progress' }],
    ['pending', { status: 'submitted' }],
  ] as const)('leaves nothing to repair behind marker %s', (marker, meta) => {
    const world = withTask(marker, meta);
    world.call(repairState, input);
    const before = { ...world.files };
    expect(world.call(repairState, input)).toMatchObject({ unchanged: true });
    expect(world.files).toEqual(before);
    expect(findInconsistencies(world.view())).toEqual([]);
  });

  test('leaves alone what a person has to settle', () => {
    const world = withTask('completed', { status: 'in_progress' });
    expect(world.changed(repairState, input)).toEqual([]);
  });
});
