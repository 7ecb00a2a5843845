import { z } from 'zod';
import { appendHistory } from '../../protocol/records/task.ts';
import type { Role, TaskMeta } from '../../protocol/records/types.ts';
import { taskStep } from '../../rules/lifecycle.ts';
import { presentTask } from '../present.ts';
import { LEADERS, WORKERS, historyEntry } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';
import { taken, takenEvent } from './acknowledge.ts';
import { syncFields, taskEvent, writeMeta } from './common.ts';
import type { Context } from './common.ts';
import { requireUnblocked } from './delegate.ts';
import { actingFor, currentTask, requirePartOf } from './steps.ts';

const ROLES: readonly Role[] = [...WORKERS, ...LEADERS];

const input = z.object({
  taskId: z.string().min(1).describe('id of the task'),
  projectId: z.string().min(1).optional().describe('id of its project; a task of another one is refused'),
  progress: z.number().min(0).max(100).optional().describe('how far it has come, 0 to 100'),
  note: z.string().trim().max(200).optional().describe('what was done, one line'),
});

interface ProgressOutput {
  readonly task: Readonly<Record<string, unknown>>;
  readonly unchanged?: true;
  readonly synced?: boolean;
}

/** features.md §3.1: work goes on. The first word of it acknowledges the task; without anything new it changes nothing. */
export const progress = defineOperation({
  name: 'task.progress',
  kind: 'command',
  roles: ROLES,
  summary: 'Say that work on a task has begun or how far it has come.',
  input,
  fresh: 'required',
  run(context): Decision<ProgressOutput> {
    const { input: given, now, actor, view } = context;
    requirePartOf(view, given.projectId, given.taskId);
    const before = currentTask(context, given.taskId);
    const behalf = actingFor(context, before);
    // From `prepared` only the acknowledgement leads on; after it progress is legal.
    const first = before.status === 'prepared' || before.status === 'assigned';
    refuseWaiting(context, before);
    if (!first) taskStep(before.task_id, before.status, 'progress');
    const begun = first ? taken(context, before, behalf) : before;
    const { progress: percent = begun.progress, note = '' } = given;
    const isNews = note !== '' || percent !== begun.progress;
    if (!first && !isNews) {
      return { changes: [], events: [], announcements: [], output: { task: presentTask(before), unchanged: true } };
    }
    const words = [percent === undefined ? '' : `${percent}%`, note, behalf ?? ''].filter((word) => word !== '');
    const entry = { now, actor, action: 'progress', from: begun.status, to: begun.status, note: words.join(' · ') };
    const told = isNews ? appendHistory(begun, historyEntry(entry)) : begun;
    const next = percent === undefined ? told : { ...told, progress: percent };
    return {
      changes: [writeMeta(next)],
      events: [
        ...(first ? [takenEvent(before, begun)] : []),
        ...(isNews ? [taskEvent('task.progress', 'progress', next, { note: words.join(' · ') })] : []),
      ],
      announcements: [],
      output: { task: presentTask(next) },
    };
  },
  settle: (output, settlement) => ({ ...output, ...syncFields(settlement) }),
});

/** S002-13: what waits for others is told so, before it is told that it was not given out. */
function refuseWaiting({ view }: Context, meta: TaskMeta): void {
  const plan = meta.status === 'pending' ? view.project(meta.project_id)?.plan : undefined;
  if (plan !== undefined) requireUnblocked(plan, meta.task_id);
}
