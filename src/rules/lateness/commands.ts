import { INBOX, subtaskOfNode } from '../../protocol/ids.ts';
import type { Plan } from '../../protocol/plan-types.ts';
import type { ProjectMeta, TaskMeta } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { blockersIn } from '../dag.ts';
import { word } from '../shell.ts';
import { projectState } from '../project-lifecycle.ts';

/** What brings a task on that is late, by where it stands; as it is typed, with words in capitals to be filled in. */
export function bringOn(view: WorkspaceView, project: ProjectMeta, meta: TaskMeta): string {
  const { task_id: id, assigned_to: localpart, assigned_to_mxid: fullId, status } = meta;
  // Only a full Matrix id mentions, and so wakes, whom it names (protocol.md §13.1).
  const assignee = fullId ?? `@${localpart}`;
  const ask = (text: string): string =>
    `baton message send --target ${word(meta.room_id ?? view.team.teamRoomId)} --message ${word(`${assignee}: ${text}`)}`;
  switch (status) {
    case 'pending':
      return giveOut(view, project, meta);
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

/** The same of a composite project: its next step, or where it stands while its subtasks are what is waited for. */
export function bringProjectOn(meta: ProjectMeta): string {
  const id = meta.project_id;
  switch (projectState(meta)) {
    case 'planning':
      return `baton transition ${word(id)} approve`;
    case 'approved':
      return `baton dispatch ${word(id)} TITLE --agent NAME`;
    case 'paused':
      return `baton transition ${word(id)} unblock`;
    case 'review':
      return `baton transition ${word(id)} complete`;
    case 'in_progress':
    case 'testing':
    case 'completed':
    case 'failed':
    case 'rejected':
      break;
  }
  return `baton status ${word(id)}`;
}

/** What nobody has been given yet: first its plan is approved, and what it depends on comes before it. */
function giveOut(view: WorkspaceView, project: ProjectMeta, meta: TaskMeta): string {
  const { project_id: projectId, mode, phase, status } = project;
  if (status === 'active' && phase === 'planning') return `baton transition ${word(projectId)} approve`;
  const plan = view.project(projectId)?.plan;
  if (plan !== undefined && openOf(plan)({ dependsOn: meta.depends_on ?? [] }).length > 0) {
    return `baton board ${word(projectId)}`;
  }
  const { task_id: id, assigned_to: assignee } = meta;
  const to = (flag: string): string => (assignee === '' ? ` ${flag} NAME` : '');
  return mode === 'composite' || mode === INBOX
    ? `baton subtask ${word(projectId)} ${word(subtaskOfNode(projectId, id))} assign${to('--agent')}`
    : `baton task delegate ${word(projectId)} ${word(id)} --spec SPEC${to('--assigned-to')}`;
}

/** Asked for each late task of a plan, and found once for it. */
const OPEN = new WeakMap<Plan, ReturnType<typeof blockersIn>>();

function openOf(plan: Plan): ReturnType<typeof blockersIn> {
  const known = OPEN.get(plan) ?? blockersIn(plan);
  OPEN.set(plan, known);
  return known;
}
