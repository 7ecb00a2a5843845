import { z } from 'zod';
import { sameLocalpart } from '../../protocol/identity.ts';
import { taskPaths } from '../../protocol/paths.ts';
import type { PlanNode } from '../../protocol/plan-types.ts';
import { roomObstacle } from '../../rules/assignment-room.ts';
import { taskStep } from '../../rules/lifecycle.ts';
import { requireCapacity, requireKnownAgent, warned } from '../agent-flow/roster.ts';
import { presentTask } from '../present.ts';
import { routeObstacle } from '../report-reach.ts';
import { LEADERS, checkBrokenPlan, findTask, requireActive, requireNode, requireProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { OpenProject } from '../shared.ts';
import type { Decision, OperationContext, Settlement } from '../types.ts';
import { findAssignee, isTold, requireAssigneeId } from './assignee.ts';
import type { Assignee } from './assignee.ts';
import { assignmentEvent } from './assignment.ts';
import { newClaim } from './claim.ts';
import type { DelegateOutput } from './claim.ts';
import { delegate, requirePending, requireSameProject } from './delegate.ts';
import { taskState } from './common.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';

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

/**
 * features.md §3.1: a ready node is given to its agent in one step, and who can be told is told of it once it is published
 * (architecture.md, "Publish before announce").
 */
export const assign = defineOperation({
  name: 'task.assign',
  kind: 'command',
  roles: LEADERS,
  summary: 'Give a ready plan node to an agent; it is told where it can be.',
  input,
  fresh: 'required',
  run: (context) => assignedAndTold(context, context.input),
  settle: (output, settlement) => settledTold(output, settlement),
});

/** A node given out with a message to its agent, in the task's own room or the team's; without one to who has no account there. */
export function assignedAndTold(context: OperationContext<unknown>, given: Assignment): Decision<DelegateOutput> {
  const { project, node, roomId, spec } = checked(context, given);
  const { projectId, taskId, assignedTo } = given;
  if (!isTold(context, assignedTo ?? node.assignee, roomId) || !mayBeTold(context, project, roomId))
    return assigned(context, given);
  const claim = { projectId, taskId, roomId, spec, assignedTo, notify: true };
  return delegate.run({ ...context, input: claim }, undefined);
}

/** A room that is not for assignments of this project, and no way to its requester, keep a message back and not the work. */
function mayBeTold(context: OperationContext<unknown>, { meta }: OpenProject, roomId: string): boolean {
  return roomObstacle(context.view.team, roomId, meta) === undefined && routeObstacle(context, meta) === undefined;
}

/** What became of the message, as with every assignment. Throws `notify-failed` and `sync-failed` as `delegate_task` does. */
export function settledTold(output: DelegateOutput, settlement: Settlement): DelegateOutput {
  const taskId = String(output.task['task_id']);
  const claim = { projectId: '', taskId, roomId: '', spec: '', notify: true };
  return delegate.settle?.(output, settlement, claim) ?? output;
}

/** A node given out as one step of several; nobody is told. */
export function assigned(context: OperationContext<unknown>, given: Assignment): Decision<DelegateOutput> {
  const { project, node, existing, assignee, roomId, spec, isGivenOut } = checked(context, given);
  if (existing !== undefined && isGivenOut && sameLocalpart(existing.assigned_to, assignee.localpart))
    return again(existing);
  const claim = { context, project, node, roomId, spec, notify: false, assignedTo: given.assignedTo };
  return warned(context, newClaim(claim, existing, requireAssigneeId(node.id, assignee)), assignee.localpart);
}

interface Checked {
  readonly project: OpenProject;
  readonly node: PlanNode;
  readonly existing: TaskMeta | undefined;
  readonly assignee: Assignee;
  /** `''`: the team has none. */
  readonly roomId: string;
  readonly spec: string;
  /** Somebody has it already, who has not begun. */
  readonly isGivenOut: boolean;
}

/** Throws what stands against giving it out, in the words of the table (S002-36). */
function checked(context: OperationContext<unknown>, given: Assignment): Checked {
  const { view } = context;
  const project = requireProject(view, given.projectId);
  const node = requireNode(project.plan, given.taskId);
  const existing = findTask(view, given.taskId);
  if (existing !== undefined) requireSameProject(existing, project.id);
  if (given.assignedTo !== undefined) requireKnownAgent(view, given.assignedTo);
  const assignee = findAssignee(context, given.assignedTo ?? node.assignee, false);
  const isSame = existing !== undefined && sameLocalpart(existing.assigned_to, assignee.localpart);
  const state = taskState(view, existing);
  const isGivenOut = state === 'prepared' || state === 'assigned';
  const event = assignmentEvent(existing, isSame);
  taskStep(given.taskId, state, event);
  requireActive(project.meta, { taskId: given.taskId, from: state, event });
  checkBrokenPlan(project);
  if (!isGivenOut) requirePending(project, node, existing);
  if (given.refuseFull === true && !(isSame && isGivenOut)) requireCapacity(view, assignee.localpart);
  return {
    project,
    node,
    existing,
    assignee,
    roomId: existing?.room_id ?? view.team.teamRoomId,
    spec: view.text(taskPaths(node.id).spec) ?? `# ${node.title}`,
    isGivenOut,
  };
}

function again(task: TaskMeta): Decision<DelegateOutput> {
  const notification = { sent: false, skipped: true, reused: true, roomId: task.room_id };
  return { changes: [], events: [], announcements: [], output: { task: presentTask(task), notification } };
}
