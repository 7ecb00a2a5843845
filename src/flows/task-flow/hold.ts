import { z } from 'zod';
import { taskStep } from '../../rules/lifecycle.ts';
import { submittedStatus } from '../project-flow/accept.ts';
import { settled } from '../project-flow/settle.ts';
import { presentProject, presentTask } from '../present.ts';
import {
  LEADERS,
  checkBrokenPlan,
  notificationHint,
  requireActive,
  requireNode,
  requireProject,
  requireSubmission,
} from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';
import { syncFields } from './common.ts';
import { currentTask } from './steps.ts';

/** features.md §3.1, "hold" by the Leader: a result that is neither accepted nor to be revised. */
export const hold = defineOperation({
  name: 'task.hold',
  kind: 'command',
  roles: LEADERS,
  summary: 'Hold a submitted result up, whatever its status: the node is blocked.',
  input: z.object({
    taskId: z.string().min(1).describe('id of the task'),
    reason: z.string().optional().describe('why, one line'),
    submissionId: z.string().optional().describe('the submission that was checked'),
  }),
  fresh: 'required',
  run(context): Decision<Record<string, unknown>> {
    const { view, input, now, actor } = context;
    const task = currentTask(context, input.taskId);
    taskStep(task.task_id, task.status, 'hold');
    requireSubmission(task, input.submissionId);
    const project = requireProject(view, task.project_id);
    requireActive(project.meta, { taskId: task.task_id, from: task.status, event: 'hold' });
    checkBrokenPlan(project);
    const node = requireNode(project.plan, task.task_id, 'task not found in project plan');
    const note = input.reason?.trim() ?? '';
    const held = note === '' ? task : { ...task, blocked_reason: note };
    const {
      changes,
      events,
      meta,
      task: decided = held,
    } = settled(
      { view, project, node, task: held, result: submittedStatus(view, task), decision: 'blocked', summary: note },
      { now, actor, action: 'hold_task', note },
    );
    return {
      changes,
      events,
      announcements: [],
      output: {
        task: presentTask(decided),
        project: presentProject(meta),
        notificationNeeded: notificationHint('task_result_blocked', meta, note, task),
      },
    };
  },
  settle: (output, settlement) => ({ ...output, ...syncFields(settlement) }),
});
