import { z } from 'zod';
import { sameLocalpart } from '../../protocol/identity.ts';
import { taskPaths } from '../../protocol/paths.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { taskStep } from '../../rules/lifecycle.ts';
import { requireCapacity, requireKnownAgent } from '../agent-flow/roster.ts';
import { presentTask } from '../present.ts';
import { LEADERS, checkBrokenPlan, findTask, requireActive, requireNode, requireProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision, OperationContext } from '../types.ts';
import { findAssignee, requireAssigneeId } from './assignee.ts';
import { newClaim } from './claim.ts';
import type { DelegateOutput } from './claim.ts';
import { requirePending, requireSameProject } from './delegate.ts';
import { syncFields, terminalStatus } from './common.ts';
import type { TaskMeta, TaskStatus } from '../../protocol/records/types.ts';

const input = z.object({
  projectId: z.string().min(1).describe('id of the project'),
  taskId: z.string().min(1).describe('id of a ready node of its plan'),
  assignedTo: z.string().optional().describe('worker name or Matrix id, default: as planned'),
  refuseFull: z.boolean().default(false).describe('refuse an agent that holds as much as it may'),
});

interface Assignment {
  readonly projectId: string;
  readonly taskId: string;
  readonly assignedTo?: string | undefined;
  /** features.md §4.2: an order stands although the agent is full, but at the command line. */
  readonly refuseFull?: boolean;
}

/** features.md §3.1: a ready node is given to its agent in one step where no message has to be sent first. */
export const assign = defineOperation({
  name: 'task.assign',
  kind: 'command',
  roles: LEADERS,
  summary: 'Give a ready plan node to an agent that is not written to.',
  input,
  fresh: 'required',
  run: (context) => assigned(context, context.input),
  settle: (output, settlement) => ({ ...output, ...syncFields(settlement) }),
});

/** The same as one step of several. */
export function assigned(context: OperationContext<unknown>, given: Assignment): Decision<DelegateOutput> {
  const { view } = context;
  const project = requireProject(view, given.projectId);
  const node = requireNode(project.plan, given.taskId);
  const existing = findTask(view, given.taskId);
  if (existing !== undefined) requireSameProject(existing, project.id);
  if (given.assignedTo !== undefined) requireKnownAgent(view, given.assignedTo);
  const assignee = findAssignee(context, given.assignedTo ?? node.assignee, false);
  const isSame = existing !== undefined && sameLocalpart(existing.assigned_to, assignee.localpart);
  const state = stateOf(view, existing);
  const isGivenOut = state === 'prepared' || state === 'assigned';
  taskStep(given.taskId, state, isGivenOut && !isSame ? 'redelegate' : 'prepare');
  requireActive(project.meta);
  checkBrokenPlan(project);
  if (isSame && isGivenOut) return again(existing);
  if (!isGivenOut) requirePending(project, node);
  if (given.refuseFull === true) requireCapacity(view, assignee.localpart);
  const claim = {
    context,
    project,
    node,
    roomId: existing?.room_id ?? view.team.teamRoomId,
    spec: view.text(taskPaths(node.id).spec) ?? `# ${node.title}`,
    notify: false,
    assignedTo: given.assignedTo,
  };
  return newClaim(claim, existing, requireAssigneeId(node.id, assignee));
}

function stateOf(view: WorkspaceView, meta: TaskMeta | undefined): TaskStatus | 'none' {
  return meta === undefined ? 'none' : ((terminalStatus(view, meta) ?? meta.status) as TaskStatus);
}

function again(task: TaskMeta): Decision<DelegateOutput> {
  const notification = { sent: false, skipped: true, reused: true, roomId: task.room_id };
  return { changes: [], events: [], announcements: [], output: { task: presentTask(task), notification } };
}
