import { z } from 'zod';
import { appendHistory } from '../../protocol/records/task.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';
import { presentTask } from '../present.ts';
import { LEADERS, findTask, historyEntry } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { asItStands, taskEvent, terminalStatus, writeMeta } from './common.ts';

/**
 * protocol.md §10.1, second commit of a delegation: the message has reached its room. A Worker that was faster keeps
 * its status; a message of an assignment that was changed since then records nothing.
 */
export const confirmAssignment = defineOperation({
  name: 'task.confirm_assignment',
  kind: 'command',
  roles: LEADERS,
  summary: 'Record that the assignment message has reached its room.',
  input: z.object({ taskId: z.string().min(1), txn: z.string().min(1), eventId: z.string().min(1) }),
  fresh: 'required',
  answers: 'committed',
  internal: true,
  run({ view, input: { taskId, txn, eventId }, actor, now }) {
    const meta = findTask(view, taskId);
    const stale = meta === undefined || meta.notify_txn !== txn || meta.event_id === eventId;
    if (stale || terminalStatus(view, meta) !== undefined) return asItStands(meta);
    let next: TaskMeta = { ...meta, event_id: eventId };
    if (meta.status === 'prepared') {
      const entry = historyEntry({ now, actor, action: 'delegate_task', from: 'prepared', to: 'assigned' });
      next = appendHistory({ ...next, status: 'assigned' }, entry);
    }
    return {
      changes: [writeMeta(next)],
      events: [taskEvent('task.assigned', 'delegate_task', next, { from: meta.status, to: next.status })],
      announcements: [],
      output: { task: presentTask(next) },
    };
  },
});
