import { sameLocalpart } from '../protocol/identity.ts';
import type { TaskMeta } from '../protocol/records/types.ts';

/** Whether a task was somebody's before it was given to another one who has it now. */
export function hadItBefore(
  { assigned_to: assignee, earlier_assignees: earlier = [] }: TaskMeta,
  localpart: string,
): boolean {
  return !sameLocalpart(assignee, localpart) && earlier.some((name) => sameLocalpart(name, localpart));
}

/**
 * The submission, by its id, that somebody handed in who held the task before main says that another one holds it;
 * `undefined` where there is none. Such a result is an input and decides nothing (protocol.md §12, "Interruption"), but it was
 * answered as handed in, so it is kept (docs/sync.md). Who has held the task is said by main alone.
 */
export function lateSubmission(onMain: TaskMeta, onLane: TaskMeta, localpart: string): string | undefined {
  if (!hadItBefore(onMain, localpart)) return undefined;
  return onLane.submission_id === onMain.submission_id ? undefined : onLane.submission_id;
}
