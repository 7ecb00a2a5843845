import { z } from 'zod';
import type { TaskMeta } from '../../protocol/records/types.ts';
import { decidedTask } from '../project-flow/decision.ts';
import { presentTask } from '../present.ts';
import { LEADERS, notificationHint } from '../shared.ts';
import type { NotificationHint } from '../shared.ts';
import { refusedStep } from '../../rules/transition.ts';
import { taskStep } from '../../rules/lifecycle.ts';
import { defineOperation } from '../types.ts';
import type { Decision, OperationContext } from '../types.ts';
import { hasResult, syncFields, taskEvent, writeMeta } from './common.ts';
import type { Context } from './common.ts';
import { requireUnended } from './new-task.ts';
import { markerChange, plannedTask, requirePartOf, taskStepped } from './steps.ts';

const input = z.object({
  taskId: z.string().min(1).describe('id of the task'),
  projectId: z.string().min(1).optional().describe('id of its project; a task of another one is refused'),
  reason: z.string().optional().describe('why, one line'),
});

export interface HaltOutput {
  readonly task: Readonly<Record<string, unknown>>;
  readonly notificationNeeded?: NotificationHint;
  readonly synced?: boolean;
}

/** What the three steps have in common: a Leader takes them, of a task that is named, for a reason. */
const HALTING = { kind: 'command', roles: LEADERS, input, fresh: 'required', settle } as const;

/** Where each of them begins: with the task as its marker has it, and the reason; `''` where none is given. */
function opened(context: OperationContext<z.output<typeof input>>): { readonly meta: TaskMeta; readonly why: string } {
  const { view, input: given } = context;
  requirePartOf(view, given.projectId, given.taskId);
  return { meta: plannedTask(context, given.taskId, given.projectId), why: given.reason?.trim() ?? '' };
}

/** features.md §3.1: work that cannot go on for now. Nothing of it is lost; `task.unblock` lets it go on. */
export const block = defineOperation({
  ...HALTING,
  name: 'task.block',
  summary: 'Halt a task that cannot go on for now.',
  run(context) {
    const { now, actor } = context;
    const { meta, why } = opened(context);
    const next = taskStepped(meta, 'block', { now, actor, action: 'block_task', note: why });
    return halted(context, meta, why === '' ? next : { ...next, blocked_reason: why }, 'blocked', 'block_task', why);
  },
});

/** features.md §3.1: only what was halted without a result goes on; a result that halts is decided, and planned anew. */
export const unblock = defineOperation({
  ...HALTING,
  name: 'task.unblock',
  summary: 'Let a halted task go on.',
  run(context) {
    const { now, actor } = context;
    const {
      meta: { blocked_reason: _, ...meta },
      why,
    } = opened(context);
    const next = taskStepped(meta, 'unblock', { now, actor, action: 'unblock_task', note: why });
    if (hasResult(meta)) {
      const because = 'a result was submitted; plan a new node';
      throw refusedStep({ from: meta.status, event: 'unblock', because, data: { taskId: meta.task_id } });
    }
    return halted(context, meta, next, 'unblocked', 'unblock_task', why);
  },
});

/** features.md §3.1: the work has come to nothing. More of it is a new node, or a hand-over. */
export const fail = defineOperation({
  ...HALTING,
  name: 'task.fail',
  summary: 'End a task as failed.',
  run(context) {
    const { now, actor, view } = context;
    const {
      meta: { blocked_reason: _, ...meta },
      why,
    } = opened(context);
    taskStep(meta.task_id, meta.status, 'fail');
    const project = view.project(meta.project_id)?.meta;
    if (project !== undefined && meta.status === 'pending')
      requireUnended(project, { taskId: meta.task_id, from: meta.status, event: 'fail' });
    const next: TaskMeta = {
      ...decidedTask(meta, 'failed', { now, actor, action: 'fail_task', note: why }),
      failed_at: now,
      ...(why === '' ? {} : { failure_reason: why }),
    };
    return halted(context, meta, next, 'failed', 'fail_task', why);
  },
});

/** The decision of a step that halts a task or lets it go on: its record, its marker, and the line in the log. */
export function halted(
  { view }: Pick<Context, 'view'>,
  before: TaskMeta,
  meta: TaskMeta,
  word: string,
  action: string,
  note: string,
): Decision<HaltOutput> {
  const project = view.project(meta.project_id)?.meta;
  const hint = project === undefined ? undefined : notificationHint(`task_${word}`, project, note, meta);
  return {
    changes: [writeMeta(meta), ...markerChange(view, meta)],
    events: [
      taskEvent(`task.${word}`, action, meta, {
        from: before.status,
        to: meta.status,
        ...(note === '' ? {} : { note }),
      }),
    ],
    announcements: [],
    output: { task: presentTask(meta), ...(hint === undefined ? {} : { notificationNeeded: hint }) },
  };
}

export function settle(output: HaltOutput, settlement: Parameters<typeof syncFields>[0]): HaltOutput {
  return { ...output, ...syncFields(settlement) };
}
