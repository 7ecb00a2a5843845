import { z } from 'zod';
import type { Role } from '../../protocol/records/types.ts';
import { presentTask } from '../present.ts';
import { LEADERS, WORKERS, requireTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { requireAssignee, terminalStatus } from './common.ts';
import { accept, refuseInterrupted, settle } from './submit.ts';
import type { SubmitOutput } from './submit.ts';
import { writtenSubmission } from './submission.ts';

const ROLES: readonly Role[] = [...WORKERS, ...LEADERS];

/**
 * A result.md that its author wrote by hand is a submission as soon as it is valid (architecture.md, "One task").
 * Nothing happens when the task is submitted or over already, so every node may try.
 */
export const recordSubmission = defineOperation({
  name: 'task.record_submission',
  kind: 'command',
  roles: ROLES,
  summary: 'Take a valid result.md that was written by hand as the submission of its task.',
  input: z.object({ taskId: z.string().min(1) }),
  fresh: 'best-effort',
  restsOn: 'own-work',
  whenOffline: 'persist',
  internal: true,
  run(context) {
    const { view, input, actor } = context;
    const meta = requireTask(view, input.taskId);
    const open = meta.status === 'prepared' || meta.status === 'assigned' || meta.status === 'in_progress';
    if (!open || terminalStatus(view, meta) !== undefined) {
      const output: Partial<SubmitOutput> = { task: presentTask(meta) };
      return { changes: [], events: [], announcements: [], output };
    }
    requireAssignee(context, meta);
    const submission = writtenSubmission(view, input.taskId);
    refuseInterrupted(input.taskId, actor.role, submission.result);
    const { changes, events, announcements, output } = accept(context, meta, submission);
    return { changes, events, announcements, output };
  },
  settle: (output, settlement): Partial<SubmitOutput> => {
    const { task, result } = output;
    return task === undefined || result === undefined ? output : settle({ ...output, task, result }, settlement);
  },
});
