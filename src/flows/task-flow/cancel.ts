import { z } from 'zod';
import type { Change } from '../../protocol/changes.ts';
import { requireReadableId } from '../../protocol/ids.ts';
import { projectPaths } from '../../protocol/paths.ts';
import { setMarker } from '../../protocol/plan/edit.ts';
import { appendHistory } from '../../protocol/records/task.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { refusedStep } from '../../rules/transition.ts';
import { presentTask } from '../present.ts';
import { LEADERS, historyEntry, notificationHint, requireSubmission, requireTask } from '../shared.ts';
import type { NotificationHint } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';
import { hasResult, nodeOf, statusWord, syncFields, taskEvent, terminalStatus, writeMeta } from './common.ts';

const required = { error: 'reason is required' };

const input = z.object({
  taskId: z.string().min(1).describe('id of the task'),
  reason: z.string(required).trim().min(1, required).describe('why'),
  replacementTaskId: z.string().optional().describe('node that takes its place'),
  submissionId: z.string().optional().describe('the submission that was checked, once there is one'),
});

type Input = z.output<typeof input>;

interface CancelOutput {
  readonly task: Readonly<Record<string, unknown>>;
  readonly nodeStatus: 'cancelled';
  readonly reused?: true;
  readonly notificationNeeded?: NotificationHint;
  readonly synced?: boolean;
}

/** protocol.md §10.5: ends a task for good. Its files stay; more work is a new node. */
export const cancel = defineOperation({
  name: 'task.cancel',
  kind: 'command',
  roles: LEADERS,
  summary: 'End a task with a reason; name the node that replaces it, if there is one.',
  input,
  fresh: 'required',
  precheck({ input: { replacementTaskId } }) {
    if (hasText(replacementTaskId)) requireReadableId(replacementTaskId, 'replacementTaskId');
  },
  run({ view, input: given, actor, now }): Decision<CancelOutput> {
    const meta = requireTask(view, given.taskId);
    const project = view.project(meta.project_id)?.meta;
    if (meta.status === 'cancelled') {
      requireSameCancellation(meta, given);
      return {
        changes: mark(view, meta, given.reason),
        events: [],
        announcements: [],
        output: { task: presentTask(meta), nodeStatus: 'cancelled', reused: true },
      };
    }
    requireCancellable(view, meta);
    requireSubmission(meta, given.submissionId);
    const { replacement_task_id: _replaced, ...kept } = meta;
    const next: TaskMeta = appendHistory(
      {
        ...kept,
        status: 'cancelled',
        cancel_reason: given.reason,
        cancelled_at: now,
        ...(meta.attention === undefined
          ? {}
          : { attention: meta.attention.map((record) => ({ ...record, resolved: true })) }),
        ...(hasText(given.replacementTaskId) ? { replacement_task_id: given.replacementTaskId } : {}),
        ...(meta.continuation === undefined
          ? {}
          : {
              continuation: {
                ...meta.continuation,
                status: 'resolved',
                resolution: 'cancelled',
                resolved_at: meta.continuation.resolved_at ?? now,
              },
            }),
      },
      historyEntry({ now, actor, action: 'cancel_task', from: statusWord(meta), to: 'cancelled', note: given.reason }),
    );
    const hint = project === undefined ? undefined : notificationHint('task_cancelled', project, given.reason, meta);
    return {
      changes: [writeMeta(next), ...mark(view, meta, given.reason)],
      events: [
        taskEvent('task.cancelled', 'cancel_task', next, { from: meta.status, to: 'cancelled', note: given.reason }),
      ],
      announcements: [],
      output: {
        task: presentTask(next),
        nodeStatus: 'cancelled',
        ...(hint === undefined ? {} : { notificationNeeded: hint }),
      },
    };
  },
  settle: (output, settlement) => ({ ...output, ...syncFields(settlement) }),
});

function hasText(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function requireSameCancellation(meta: TaskMeta, { reason, replacementTaskId }: Input): void {
  if (meta.cancel_reason === reason && (meta.replacement_task_id ?? '') === (replacementTaskId ?? '')) return;
  throw refusedStep({
    from: meta.status,
    event: 'cancel',
    because: 'cancel_task conflicts with existing cancellation',
    remedy: `it was cancelled before: ${meta.cancel_reason ?? 'no reason given'}`,
    data: { taskId: meta.task_id },
  });
}

/** A marker that a person has set to cancelled by hand is taken up, and work that is only halted may be given up. */
function requireCancellable(view: WorkspaceView, meta: TaskMeta): void {
  const status = terminalStatus(view, meta);
  if (status === undefined || (status === 'cancelled' && nodeOf(view, meta)?.status === 'cancelled')) return;
  if (status === 'blocked' && !hasResult(meta)) return;
  throw refusedStep({
    from: status,
    event: 'cancel',
    because: `cannot cancel terminal task: ${status}`,
    remedy: 'nothing is left to cancel; plan a new node for further work',
    data: { taskId: meta.task_id },
  });
}

/** protocol.md §8.3: `[!]` with `cancelled: <slug>` in the meta group. A node that has left the plan needs no mark. */
function mark(view: WorkspaceView, meta: TaskMeta, reason: string): readonly Change[] {
  const node = nodeOf(view, meta);
  const planText = view.project(meta.project_id)?.planText;
  if (node === undefined || planText === undefined || node.status === 'cancelled') return [];
  const text = setMarker(planText, node.id, 'cancelled', { cancelled: reasonSlug(reason) });
  return text === planText ? [] : [{ kind: 'write', path: projectPaths(meta.project_id).plan, text }];
}

/** Letters and digits of any script, so that it can stand between the commas and parentheses of a plan line. */
function reasonSlug(reason: string): string {
  const words = reason.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const slug = words
    .join('-')
    .slice(0, 40)
    .toWellFormed()
    .replace(/[-\u{FFFD}]+$/u, '');
  return slug === '' ? 'cancelled' : slug;
}
