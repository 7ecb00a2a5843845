import { z } from 'zod';
import type { Role, TaskMeta } from '../../protocol/records/types.ts';
import { presentTask } from '../present.ts';
import { LEADERS, WORKERS, findTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { asItStands, writeMeta } from './common.ts';

const ROLES: readonly Role[] = [...WORKERS, ...LEADERS];

/** protocol.md §11.3, commit C: may be lost without harm, since the transaction id comes from the fact. */
export const confirmCompletion = defineOperation({
  name: 'task.confirm_completion',
  kind: 'command',
  roles: ROLES,
  summary: 'Record that the completion line has reached its room.',
  input: z.object({
    taskId: z.string().min(1),
    submissionId: z.string(),
    resultStatus: z.string(),
    eventId: z.string().min(1),
  }),
  fresh: 'best-effort',
  answers: 'committed',
  internal: true,
  run({ view, input: { taskId, submissionId, resultStatus, eventId } }) {
    const meta = findTask(view, taskId);
    if (meta === undefined || (meta.submission_id ?? '') !== submissionId || meta.completion_event_id === eventId)
      return asItStands(meta);
    const next: TaskMeta = { ...meta, completion_event_id: eventId, completion_event_status: resultStatus };
    return { changes: [writeMeta(next)], events: [], announcements: [], output: { task: presentTask(next) } };
  },
});
