import type { Change } from '../../protocol/changes.ts';
import { projectPaths, taskPaths } from '../../protocol/paths.ts';
import { parseProjectMeta } from '../../protocol/records/project.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import type { PlannedDispatch } from '../../rules/auto-dispatch.ts';
import type { OpenProject } from '../shared.ts';
import { findAssignee, requireAssigneeId } from '../task-flow/assignee.ts';
import { newClaim } from '../task-flow/claim.ts';
import type { Decision, OperationContext } from '../types.ts';
import type { Waiting } from './waiting.ts';

/** What giving out several nodes comes to: one commit, in which every file is written once. */
export function giveOut(
  context: OperationContext<unknown>,
  dispatches: readonly PlannedDispatch<Waiting>[],
): Pick<Decision<unknown>, 'changes' | 'events' | 'announcements'> {
  const projects = new Map<string, OpenProject>();
  const changes = new Map<string, Change>();
  const decisions = dispatches.map((dispatch) => {
    const { project: before } = dispatch.node;
    const project = projects.get(before.id) ?? before;
    const decision = claimed(context, dispatch, project);
    for (const change of decision.changes) changes.set(change.path, change);
    projects.set(before.id, after(project, decision.changes));
    return decision;
  });
  return {
    changes: [...changes.values()],
    events: decisions.flatMap(({ events }) => events),
    announcements: decisions.flatMap(({ announcements }) => announcements),
  };
}

function claimed(
  context: OperationContext<unknown>,
  { node: waiting, agent }: PlannedDispatch<Waiting>,
  project: OpenProject,
): Decision<unknown> {
  const { view } = context;
  const { node, meta } = waiting;
  const { mxid, roomId, notify } = requireRecipient(context, waiting, agent);
  return newClaim(
    {
      context,
      project,
      node,
      roomId,
      spec: view.text(taskPaths(node.id).spec) ?? `# ${node.title}`,
      notify,
      assignedTo: node.assignee === '' ? agent : undefined,
    },
    meta,
    mxid,
  );
}

/** To whom an assignment goes, where, and whether it is said there. Throws `invalid-argument` for a name that nobody has. */
export function requireRecipient(
  { view, facts }: Pick<OperationContext<unknown>, 'view' | 'facts'>,
  waiting: Waiting,
  agent: string,
): { readonly mxid: string; readonly roomId: string; readonly notify: boolean } {
  const { node } = waiting;
  const roomId = assignmentRoom(view, waiting);
  // Who has no account there cannot be written to; rooms on this machine need none.
  const isReachable = facts.chat.kind === 'local' || view.agent(agent)?.matrix_user_id !== undefined;
  const notify = roomId !== '' && isReachable;
  const name = node.assignee === '' ? agent : node.assignee;
  return { mxid: requireAssigneeId(node.id, findAssignee({ view, facts }, name, notify)), roomId, notify };
}

/** The room that the task has, else the one of its project, else the team's; `''` where there is none. */
export function assignmentRoom(view: WorkspaceView, { meta, project }: Waiting): string {
  if (meta?.room_id !== undefined) return meta.room_id;
  const bound = view.roomBindings().find(({ project_id: id, status }) => id === project.id && status === 'active');
  return bound?.room_id ?? view.team.teamRoomId;
}

/** The project as the next claim finds it: its plan's text, and its record once it has begun. */
function after(project: OpenProject, changes: readonly Change[]): OpenProject {
  const paths = projectPaths(project.id);
  const written = (path: string): string | undefined => {
    const change = changes.find((one) => one.kind === 'write' && one.path === path);
    return change?.kind === 'write' ? change.text : undefined;
  };
  const record = written(paths.meta);
  return {
    ...project,
    planText: written(paths.plan) ?? project.planText,
    meta: (record === undefined ? undefined : parseProjectMeta(record, project.id).meta) ?? project.meta,
  };
}
