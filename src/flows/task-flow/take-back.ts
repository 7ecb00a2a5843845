import { z } from 'zod';
import { setMarker } from '../../protocol/plan/edit.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';
import { taskStep } from '../../rules/lifecycle.ts';
import { refusedStep } from '../../rules/transition.ts';
import { presentTask } from '../present.ts';
import { decidedTask } from '../project-flow/decision.ts';
import { LEADERS, findTask, notificationHint, requireNode, requireProject, writePlan } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { syncFields, taskEvent, terminalStatus, writeMeta } from './common.ts';
import type { Context } from './common.ts';
import type { HandOverOutput } from './hand-over.ts';
import { rewired } from './rewire.ts';
import { currentTask, requirePartOf, taskStepped } from './steps.ts';

/** features.md §3.1, "takeback": as long as nobody has begun what took its place, a task goes back to who had it. */
export const takeBack = defineOperation({
  name: 'task.take_back',
  kind: 'command',
  roles: LEADERS,
  summary: 'Take a hand-over back, as long as the new task was not begun.',
  input: z.object({
    taskId: z.string().min(1).describe('id of the task that was handed over'),
    projectId: z.string().min(1).optional().describe('id of its project; a task of another one is refused'),
  }),
  fresh: 'required',
  run(context) {
    const { view, input, now, actor } = context;
    requirePartOf(view, input.projectId, input.taskId);
    const before = currentTask(context, input.taskId);
    const { task_id: taskId } = before;
    taskStep(taskId, before.status, 'takeback');
    const project = requireProject(view, before.project_id);
    requireNode(project.plan, taskId);
    const other = idleReplacement(context, before);
    const reason = `taken back by ${taskId}`;
    const gone: TaskMeta = {
      ...decidedTask(other, 'cancelled', { now, actor, action: 'cancel_task', note: reason }),
      cancel_reason: reason,
      cancelled_at: now,
    };
    const back: TaskMeta = {
      ...taskStepped(asBefore(before), 'takeback', { now, actor, action: 'take_back_task' }),
      acknowledged_at: before.acknowledged_at ?? now,
    };
    const cancelled = setMarker(project.planText, other.task_id, 'cancelled', { cancelled: reason });
    const marked = setMarker(cancelled, taskId, 'delegated');
    return {
      changes: [
        ...writePlan(project, rewired(project, marked, other.task_id, taskId)),
        writeMeta(back),
        writeMeta(gone),
      ],
      events: [
        taskEvent('task.taken_back', 'take_back_task', back, { from: before.status, to: back.status }),
        taskEvent('task.cancelled', 'take_back_task', gone, { from: other.status, to: gone.status, note: reason }),
      ],
      announcements: [],
      output: {
        task: presentTask(back),
        replacement: presentTask(gone),
        notificationNeeded: notificationHint('task_taken_back', project.meta, reason, back),
      },
    };
  },
  settle: (output: HandOverOutput, settlement): HandOverOutput => ({ ...output, ...syncFields(settlement) }),
});

/** Throws `illegal-transition` once the work has begun elsewhere, and for a replacement that is not there. */
function idleReplacement({ view }: Context, { task_id: taskId, superseded_by: id = '' }: TaskMeta): TaskMeta {
  const meta = findTask(view, id);
  const isIdle = meta !== undefined && ['pending', 'prepared', 'assigned'].includes(meta.status);
  if (isIdle && terminalStatus(view, meta) === undefined) return meta;
  const because = meta === undefined ? `its replacement ${id} is not there` : `${id} is ${meta.status} already`;
  throw refusedStep({ from: 'superseded', event: 'takeback', because, data: { taskId } });
}

/** The record as if it had not been handed over; a result that it had is not one of what begins now. */
function asBefore(meta: TaskMeta): TaskMeta {
  const {
    superseded_by: _by,
    delegate_reason: _why,
    failed_at: _at,
    failure_reason: _reason,
    submission_id: _id,
    submitted_at: _when,
    submitted_by_role: _role,
    result_digest: _digest,
    result_status: _status,
    summary: _summary,
    deliverables: _files,
    result_path: _path,
    continuation: _continuation,
    ...kept
  } = meta;
  return kept;
}
