import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { taskPaths } from '../../protocol/paths.ts';
import type { EventDraft, TaskMeta } from '../../protocol/records/types.ts';
import { presentTask } from '../present.ts';
import { WORKERS, requireTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { illegalMove, requireAssignee, requireOpen, requireRoom, syncFields, taskEvent, writeMeta } from './common.ts';
import type { Context } from './common.ts';
import { taskStepped } from './steps.ts';

export interface AcknowledgeOutput {
  readonly task: Readonly<Record<string, unknown>>;
  readonly spec: string;
  readonly pulled?: boolean;
  readonly synced?: boolean;
}

const STEP = { action: 'ack_task', event: 'ack' } as const;

/** protocol.md §10.2: the assignee takes the task on and gets its spec. Repeating it changes nothing. */
export const acknowledge = defineOperation({
  name: 'task.ack',
  kind: 'command',
  roles: WORKERS,
  summary: 'Take on a task that was assigned to you and read its spec.',
  input: z.object({ taskId: z.string().min(1).describe('id of the task') }),
  fresh: 'required',
  restsOn: 'own-work',
  dryRun: ({ input: { taskId } }) => ({ taskId }),
  run(context) {
    const { view, input } = context;
    const meta = requireTask(view, input.taskId);
    requireOpen(view, meta, STEP);
    requireAssignee(context, meta);
    // What was given to nobody has no room either; its state is what stands in the way.
    if (meta.status === 'pending') throw illegalMove(STEP, meta, 'delegate_task it first');
    requireRoom(meta);
    const file = taskPaths(meta.task_id).spec;
    const spec = view.text(file);
    if (spec === undefined) {
      throw new FlowError('not-found', `task spec not found: ${file}`, {
        remedy: 'ask the leader to delegate the task with its spec',
        data: { taskId: meta.task_id },
      });
    }
    if (meta.status === 'in_progress' || meta.status === 'submitted') {
      return { changes: [], events: [], announcements: [], output: { task: presentTask(meta), spec } };
    }
    const next = taken(context, meta);
    return {
      changes: [writeMeta(next)],
      events: [takenEvent(meta, next)],
      announcements: [],
      output: { task: presentTask(next), spec },
    };
  },
  settle: (output: AcknowledgeOutput, settlement): AcknowledgeOutput => ({
    ...output,
    pulled: settlement.remote,
    ...syncFields(settlement),
  }),
});

/** The record once its assignee has taken it on; `note` says on whose word. */
export function taken({ now, actor }: Context, meta: TaskMeta, note?: string): TaskMeta {
  return {
    ...taskStepped(meta, 'ack', { now, actor, action: 'ack_task', note }),
    acknowledged_at: meta.acknowledged_at ?? now,
    acknowledged_by_role: meta.acknowledged_by_role ?? actor.role,
  };
}

export function takenEvent(before: TaskMeta, after: TaskMeta): EventDraft {
  return taskEvent('task.acknowledged', 'ack_task', after, { from: before.status, to: after.status });
}
