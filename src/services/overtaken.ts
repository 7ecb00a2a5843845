import type { Announcement } from '../ports.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { isOvertaken } from '../rules/reports.ts';

/**
 * Whether an undelivered message is a report that a newer one covers, or that is not owed any more: reports say how
 * things stand, so an old one that comes late would mislead. All other messages stand as they were given.
 */
export function isOvertakenReport(view: WorkspaceView, { kind, txn, room, followUp }: Announcement): boolean {
  const projectId = followUp?.input['projectId'];
  return kind === 'report' && typeof projectId === 'string' && isOvertaken(view, projectId, { txn, room });
}
