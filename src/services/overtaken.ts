import type { Announcement } from '../ports-chat.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { isOvertaken } from '../rules/reports.ts';

/**
 * Whether an undelivered message would mislead by now: a report that a newer one covers, or that is not owed any more;
 * an assignment in whose place there is another. All other messages stand as they were given.
 */
export function isOvertakenMessage(view: WorkspaceView, { kind, txn, room, followUp }: Announcement): boolean {
  const { projectId, taskId } = followUp?.input ?? {};
  if (kind === 'report') return typeof projectId === 'string' && isOvertaken(view, projectId, { txn, room });
  if (kind !== 'assignment' || typeof taskId !== 'string') return false;
  const current = view.task(taskId)?.meta?.notify_txn;
  // A record that cannot be read, or is not there yet, says nothing about what was owed.
  return current !== undefined && current !== txn;
}
