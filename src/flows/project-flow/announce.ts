import { projectCompletedText } from '../../protocol/mention.ts';
import type { ProjectMeta } from '../../protocol/records/types.ts';
import type { AnnouncementDraft, OperationContext } from '../types.ts';

/**
 * `PROJECT_COMPLETED` in the Team Room, mentioning the team's admin (protocol.md §13.3). Said once: nothing once its
 * event is recorded, and the same transaction id until then.
 */
export function completionAnnouncement(
  { view, facts, actor }: Pick<OperationContext<unknown>, 'view' | 'facts' | 'actor'>,
  meta: ProjectMeta,
): readonly AnnouncementDraft[] {
  const { teamRoomId, admin } = view.team;
  if (teamRoomId === '' || meta.project_completion_event_id !== undefined) return [];
  const { project_id: projectId, title } = meta;
  const addressee =
    admin.matrixUserId === '' || admin.matrixUserId === facts.chat.self ? undefined : admin.matrixUserId;
  return [
    {
      kind: 'project-completed',
      txn: `project-${projectId}-success`,
      room: teamRoomId,
      text: projectCompletedText({ projectId, title, addressee }),
      mentions: addressee === undefined ? [] : [addressee],
      followUp: { operation: 'project.confirm_completed', input: { projectId }, actor },
    },
  ];
}
