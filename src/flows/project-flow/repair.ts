import { z } from 'zod';
import type { Change } from '../../protocol/changes.ts';
import { setMarker } from '../../protocol/plan/edit.ts';
import type { PlanNode } from '../../protocol/plan-types.ts';
import { appendHistory } from '../../protocol/records/task.ts';
import type { ProjectMeta, TaskMeta, TaskStatus } from '../../protocol/records/types.ts';
import { disagreement } from '../../rules/disagreement.ts';
import type { Disagreement, Repair } from '../../rules/disagreement.ts';
import { withReport } from '../../rules/reports.ts';
import { presentTask } from '../present.ts';
import {
  LEADERS,
  historyEntry,
  requireNode,
  requireProject,
  requireTask,
  writePlan,
  writeProject,
  writeTask,
} from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';
import { decidedReport, decidedTask } from './decision.ts';
import type { DecisionStep } from './decision.ts';
import { advanced } from './phases.ts';

/** What a repair may take back: a decision, and with it what the decision resolved. */
type Reopened = Exclude<TaskStatus, 'completed' | 'revision' | 'blocked' | 'cancelled'>;

/**
 * Brings a task whose marker and record disagree together again (protocol.md §10.16; features.md §2.3). It looks at
 * the tree as it is now, so it is safe to run at any time; what a person has to settle it leaves alone.
 */
export const repairState = defineOperation({
  name: 'state.repair',
  kind: 'command',
  roles: LEADERS,
  internal: true,
  summary: 'Bring a marker and a task record that disagree together.',
  input: z.object({
    projectId: z.string().min(1).describe('id of the project'),
    taskId: z.string().min(1).describe('id of the task'),
  }),
  fresh: 'required',
  run(context): Decision<Record<string, unknown>> {
    const { view, input, actor, now } = context;
    const project = requireProject(view, input.projectId);
    const node = requireNode(project.plan, input.taskId);
    const meta = requireTask(view, input.taskId);
    const differ = meta.project_id === project.id ? disagreement(node, meta) : undefined;
    const repair = differ?.repair;
    if (differ === undefined || repair === undefined) {
      return { changes: [], events: [], announcements: [], output: { task: presentTask(meta), unchanged: true } };
    }
    const step: DecisionStep = { now, actor, action: 'state.repair', note: differ.message };
    const next = repair.side === 'record' ? repairedTask(node, meta, repair.to, step) : meta;
    const after = advanced(repairReport(project, next, repair), project.plan, context);
    return {
      changes: [
        ...(next === meta ? repairMarker(project, node, repair) : [writeTask(next)]),
        ...(after.meta === project.meta ? [] : [writeProject(after.meta)]),
      ],
      events: [repaired(project, node, meta, differ, repair), ...after.events],
      announcements: [],
      output: { task: presentTask(next), repaired: `${repair.side} ${repair.to}` },
    };
  },
});

function repaired(project: OpenProject, node: PlanNode, meta: TaskMeta, { message }: Disagreement, repair: Repair) {
  return {
    type: 'state.repaired',
    action: 'state.repair',
    subject: { kind: 'task', id: node.id, project_id: project.id },
    from: repair.side === 'record' ? meta.status : node.status,
    to: repair.to,
    note: message,
    data: { side: repair.side },
  } as const;
}

function repairMarker(project: OpenProject, node: PlanNode, repair: Repair): readonly Change[] {
  if (repair.side !== 'marker') return [];
  const { to, cancelled } = repair;
  return writePlan(project, setMarker(project.planText, node.id, to, cancelled === undefined ? {} : { cancelled }));
}

function repairedTask(node: PlanNode, meta: TaskMeta, to: TaskStatus, step: DecisionStep): TaskMeta {
  if (to === 'cancelled') {
    return {
      ...decidedTask(meta, to, step),
      cancel_reason: meta.cancel_reason ?? node.cancelled ?? 'cancelled in plan.md',
      cancelled_at: step.now,
    };
  }
  if (to === 'completed' || to === 'revision' || to === 'blocked') return decidedTask(meta, to, step);
  return reopenedTask(meta, to, step);
}

/** The record as it was before the decision that the plan does not show; the delivery waits for one again. */
function reopenedTask(meta: TaskMeta, to: Reopened, step: DecisionStep): TaskMeta {
  const { continuation, completed_at: _, accepted_by: __, ...rest } = meta;
  const reopened: TaskMeta = {
    ...rest,
    status: to,
    ...(continuation === undefined
      ? {}
      : { continuation: { status: 'pending', delivery_id: continuation.delivery_id } }),
  };
  return appendHistory(reopened, historyEntry({ ...step, from: meta.status, to }));
}

/** A decision made by hand is reported like one made by tool. */
function repairReport(project: OpenProject, task: TaskMeta, { side, to }: Repair): ProjectMeta {
  if (side !== 'record' || (to !== 'completed' && to !== 'revision' && to !== 'blocked')) return project.meta;
  const report = decidedReport(project.meta, to, {
    taskId: task.task_id,
    ...(task.result_status === undefined ? {} : { resultStatus: task.result_status }),
    ...(task.summary === undefined ? {} : { summary: task.summary }),
  });
  return withReport(project.meta, report);
}
