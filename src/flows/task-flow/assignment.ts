import { sameLocalpart } from '../../protocol/identity.ts';
import type { ProjectMeta, TaskMeta } from '../../protocol/records/types.ts';
import { sameRoom } from '../../protocol/rooms.ts';
import { refusedStep } from '../../rules/transition.ts';
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

/** The step of the table that a delegation asks for; `isSame`: for whom and where it was given out before. */
export function assignmentEvent(existing: TaskMeta | undefined, isSame: boolean): 'prepare' | 'redelegate' {
  return existing === undefined || existing.status === 'pending' || isSame ? 'prepare' : 'redelegate';
}

/** Whether an assignment says of a task what its record says. */
export function isSameAssignment(
  { assigned_to: assignee, room_id: room }: TaskMeta,
  wanted: Pick<WantedAssignment, 'assignee' | 'room'>,
): boolean {
  return sameLocalpart(assignee, wanted.assignee) && room !== undefined && sameRoom(room, wanted.room);
}

/** protocol.md §10.1 item 7. Throws `illegal-transition` when the work has begun or is done. */
export function statusOfAssignment(existing: TaskMeta | undefined, wanted: WantedAssignment): AssignmentStatus {
  if (existing === undefined || existing.status === 'pending') return 'fresh';
  const same = isSameAssignment(existing, wanted);
  const untold = wanted.announce && existing.event_id === undefined;
  if (existing.status === 'prepared') return same ? 'resume' : 'redelegate';
  if (existing.status === 'assigned' && !same) return 'redelegate';
  if (existing.status === 'assigned') return untold ? 'resume' : 'again';
  const step = { action: 'delegate_task', event: assignmentEvent(existing, same) } as const;
  if (existing.status === 'in_progress') {
    // The mention arrived and only its recording was lost: the same transaction id finds the event again.
    if (same && untold && existing.notify_txn !== undefined) return 'resume';
    throw illegalMove(step, existing, 'cancel_task it first, then plan a new node; or hand_over it to somebody else');
  }
  throw illegalMove(step, existing, 'check_task and accept_task_result it, or cancel_task it first');
}

/** Work for a requester outside Matrix stays in the room that it was given (protocol.md §10.1 item 3). */
export function checkExternalMove(project: ProjectMeta, existing: TaskMeta, room: string): void {
  const channel = project.reply_route?.channel ?? 'matrix';
  const { room_id: old, task_id: taskId } = existing;
  if (channel === 'matrix' || existing.status === 'pending' || old === undefined || sameRoom(old, room)) return;
  throw refusedStep({
    from: existing.status,
    event: 'redelegate',
    because: `task ${taskId} is already delegated to assignment room ${old}; cancel it and plan a new node to move it`,
    data: { taskId },
  });
}
