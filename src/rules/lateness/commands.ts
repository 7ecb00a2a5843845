import type { TeamSettings } from '../../protocol/records/team-types.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';
import { word } from '../needs.ts';

/** What brings a task on that is late, by where it stands; as it is typed. */
export function bringOn(meta: TaskMeta, team: Pick<TeamSettings, 'teamRoomId'>): string {
  const { task_id: id, project_id: project, assigned_to: assignee, status } = meta;
  const ask = (text: string): string =>
    `baton message send --target ${word(meta.room_id ?? team.teamRoomId)} --message ${word(`@${assignee}: ${text}`)}`;
  switch (status) {
    case 'pending':
      return `baton task delegate ${word(project)} ${word(id)}`;
    case 'prepared':
    case 'assigned':
      return ask(`please acknowledge ${id}`);
    case 'in_progress':
      return ask(`how far is ${id}?`);
    case 'submitted':
      return `baton task check ${word(id)}`;
    case 'blocked':
      if (meta.submission_id === undefined && meta.submitted_at === undefined) return `baton task unblock ${word(id)}`;
      return `baton task hand-over ${word(id)} AGENT`;
    case 'revision':
    case 'completed':
    case 'failed':
    case 'cancelled':
    case 'superseded':
      break;
  }
  return `baton status ${word(id)}`;
}
