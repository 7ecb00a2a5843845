import { FlowError } from '../../protocol/errors.ts';
import { sameLocalpart } from '../../protocol/identity.ts';
import type { ProjectMeta, TaskMeta } from '../../protocol/records/types.ts';
import { sameRoom } from '../../protocol/rooms.ts';
import { illegalMove } from './common.ts';

/**
 * What a delegation means for a task that may have been delegated before:
 * `fresh` a first claim; `again` the same claim, told already; `resume` the same claim, not told yet;
 * `redelegate` another assignee or room for a claim that nobody has started.
 */
export type AssignmentStatus = 'fresh' | 'again' | 'resume' | 'redelegate';

export interface WantedAssignment {
  readonly assignee: string;
  readonly room: string;
  /** Whether a message to a homeserver is wanted, whose event is then recorded. */
  readonly announce: boolean;
}

/** protocol.md §10.1 item 7. Throws `illegal-transition` when the work has begun or is done. */
export function statusOfAssignment(existing: TaskMeta | undefined, wanted: WantedAssignment): AssignmentStatus {
  if (existing === undefined || existing.status === 'pending') return 'fresh';
  const same =
    sameLocalpart(existing.assigned_to, wanted.assignee) &&
    existing.room_id !== undefined &&
    sameRoom(existing.room_id, wanted.room);
  const untold = wanted.announce && existing.event_id === undefined;
  if (existing.status === 'prepared') return same ? 'resume' : 'redelegate';
  if (existing.status === 'assigned' && !same) return 'redelegate';
  if (existing.status === 'assigned') return untold ? 'resume' : 'again';
  if (existing.status === 'in_progress') {
    // The mention arrived and only its recording was lost: the same transaction id finds the event again.
    if (same && untold && existing.notify_txn !== undefined) return 'resume';
    throw illegalMove('delegate_task', existing, 'cancel_task it first, then plan a new node');
  }
  throw illegalMove('delegate_task', existing, 'check_task and accept_task_result it, or cancel_task it first');
}

/** Work for a requester outside Matrix stays in the room that it was given (protocol.md §10.1 item 3). */
export function checkExternalMove(project: ProjectMeta, existing: TaskMeta, room: string): void {
  const channel = project.reply_route?.channel ?? 'matrix';
  const { room_id: old, task_id: taskId } = existing;
  if (channel === 'matrix' || existing.status === 'pending' || old === undefined || sameRoom(old, room)) return;
  throw new FlowError(
    'illegal-transition',
    `task ${taskId} is already delegated to assignment room ${old}; cancel it and plan a new node to move it`,
    { data: { taskId } },
  );
}
