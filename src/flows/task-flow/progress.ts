import { z } from 'zod';
import { appendHistory } from '../../protocol/records/task.ts';
import { presentTask } from '../present.ts';
import { WORKERS, historyEntry, requireTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { illegalMove, requireAssignee, requireOpen, syncFields, taskEvent, writeMeta } from './common.ts';

const NOTE_LIMIT = 200;
const required = { error: 'note is required' };

const STEP = { action: 'report_progress', event: 'progress' } as const;

/** protocol.md §10.6: a note in the task's history. No status changes and nobody is told. */
export const reportProgress = defineOperation({
  name: 'task.report_progress',
  kind: 'command',
  roles: WORKERS,
  summary: 'Leave a progress note on the task that you are working on.',
  input: z.object({
    taskId: z.string().min(1).describe('id of the task'),
    note: z.string(required).trim().min(1, required).describe('what was done, up to 200 characters'),
  }),
  fresh: 'required',
  restsOn: 'own-work',
  answers: 'committed',
  run(context) {
    const { view, actor, now, input } = context;
    const meta = requireTask(view, input.taskId);
    requireOpen(view, meta, STEP);
    requireAssignee(context, meta);
    if (meta.status === 'submitted') {
      throw illegalMove(STEP, meta, 'a submitted task takes no more notes');
    }
    if (meta.status !== 'assigned' && meta.status !== 'in_progress') {
      throw illegalMove(STEP, meta, meta.status === 'pending' ? 'delegate_task it first' : 'ack_task it first');
    }
    const { note, truncated } = shorten(input.note);
    const entry = historyEntry({ now, actor, action: 'progress', from: meta.status, to: meta.status, note });
    const next = appendHistory(meta, truncated ? { ...entry, truncated } : entry);
    return {
      changes: [writeMeta(next)],
      events: [taskEvent('task.progress', 'report_progress', next, { note })],
      announcements: [],
      output: { task: presentTask(next), ...(truncated ? { truncated } : {}) },
    };
  },
  settle: (output, settlement) => ({ ...output, ...syncFields(settlement) }),
});

/** Cut by characters, not by halves of them. */
function shorten(note: string): { readonly note: string; readonly truncated: boolean } {
  const characters = Array.from(note);
  if (characters.length <= NOTE_LIMIT) return { note, truncated: false };
  return { note: `${characters.slice(0, NOTE_LIMIT).join('')}…`, truncated: true };
}
