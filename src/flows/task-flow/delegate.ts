import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { localpartOf } from '../../protocol/identity.ts';
import type { Plan, PlanNode } from '../../protocol/plan-types.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';
import { normaliseRoom, sameRoom } from '../../protocol/rooms.ts';
import { blockers, isTerminalNode } from '../../rules/dag.ts';
import { refusedStep } from '../../rules/transition.ts';
import {
  LEADERS,
  checkAssignmentRoom,
  checkBrokenPlan,
  findTask,
  refuseArchived,
  requireActive,
  requireNode,
  requireProject,
} from '../shared.ts';
import { reportAudience, requireReportRoute } from '../report-reach.ts';
import type { AskedStep, OpenProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Audience, Decision, OperationContext, Settlement } from '../types.ts';
import { warned } from '../agent-flow/roster.ts';
import { findAssignee, requireAssigneeId } from './assignee.ts';
import { assignmentEvent, checkExternalMove, isSameAssignment, statusOfAssignment } from './assignment.ts';
import { newClaim, resumeClaim, sameClaim } from './claim.ts';
import type { Claim, DelegateOutput } from './claim.ts';
import { requireOpen, syncFields, taskState } from './common.ts';

const input = z.object({
  projectId: z.string().min(1).describe('id of the project'),
  taskId: z.string().min(1).describe('id of a ready node of its plan'),
  roomId: z.string().min(1).describe('room of the assignment, see roomflow list_rooms; kept as written'),
  spec: z.string().min(1).describe('what the task is, Markdown'),
  title: z.string().optional().describe('title, where the node has none of its own'),
  assignedTo: z.string().optional().describe('worker name or Matrix id, default: as planned'),
  sourceRoomId: z.string().optional().describe('room or conversation of the request'),
  notify: z.boolean().default(true).describe('false: you post the assignment message yourself'),
});

type Context = OperationContext<z.output<typeof input>>;

/** protocol.md §10.1: claims a ready node for its assignee, publishes the claim, then tells the assignee. */
export const delegate = defineOperation({
  name: 'task.delegate',
  kind: 'command',
  roles: LEADERS,
  summary: 'Give a ready plan node with its spec to its assignee, and tell the assignee in the room.',
  input,
  fresh: 'required',
  audience({ view, input: { projectId, taskId, roomId } }) {
    // The route of the reports is looked at when a task is first given out; a new room when it is moved.
    const moved = movedTo(view.task(taskId)?.meta, roomId);
    if (moved !== undefined) return moved;
    const meta = view.project(projectId)?.meta;
    return meta === undefined ? undefined : reportAudience(view, meta);
  },
  precheck({ view, input: { projectId, roomId } }) {
    checkRoom(roomId);
    checkAssignmentRoom(view.team, roomId, view.project(projectId)?.meta);
  },
  dryRun: ({ input: { projectId, taskId, roomId, notify } }) => ({ projectId, taskId, roomId, notify }),
  run(context) {
    const decision = decide(context);
    return warned(context, decision, decision.output.task['assigned_to']);
  },
  settle,
});

/** Throws `invalid-argument` for what names no room. */
export function checkRoom(roomId: string): void {
  if (normaliseRoom(roomId) !== undefined) return;
  throw new FlowError('invalid-argument', `invalid Matrix room target: ${roomId}`, {
    remedy: 'pass a room id such as !room:domain',
  });
}

/** The step that a delegation asks for, by what can be read so far. */
function askedStep({ view, input: { taskId, roomId: room, assignedTo } }: Context, { plan }: OpenProject): AskedStep {
  const existing = view.task(taskId)?.meta;
  const assignee = localpartOf(filled(assignedTo) ?? plan.nodes.find(({ id }) => id === taskId)?.assignee ?? '');
  const isSame = existing !== undefined && isSameAssignment(existing, { assignee, room });
  return { taskId, from: taskState(view, existing), event: assignmentEvent(existing, isSame) };
}

function decide(context: Context): Decision<DelegateOutput> {
  const { view, facts, input: given } = context;
  const project = requireProject(view, given.projectId);
  checkAssignmentRoom(view.team, given.roomId, project.meta);
  const step = askedStep(context, project);
  requireActive(project.meta, step);
  checkBrokenPlan(project);
  const node = requireNode(project.plan, given.taskId);
  const existing = findTask(view, given.taskId);
  const claim = claimOf(context, project, node);
  if (existing !== undefined) {
    requireSameProject(existing, project.id);
    requireOpen(view, existing, { action: 'delegate_task', event: step.event });
  } else refuseArchived(given.taskId, view.archivedTask(given.taskId));
  const assignee = findAssignee(context, claim.assignedTo ?? node.assignee, given.notify);
  const announce = given.notify && facts.chat.kind === 'remote';
  const status = statusOfAssignment(existing, { assignee: assignee.localpart, room: given.roomId, announce });
  if (existing !== undefined && status === 'again') return sameClaim(claim, existing);
  if (existing !== undefined && status === 'resume') return resumeClaim(claim, existing);
  if (status === 'fresh') requirePending(project, node, existing);
  if (status === 'fresh') requireReportRoute(context, project.meta);
  if (existing !== undefined) checkExternalMove(project.meta, existing, given.roomId);
  if (existing !== undefined && status === 'redelegate') requireJoined(context, existing);
  return newClaim(claim, existing, requireAssigneeId(node.id, assignee));
}

/** The room to which an assignment would be moved, with who has to be there. */
function movedTo(existing: TaskMeta | undefined, roomId: string): Audience | undefined {
  const { room_id: before, assigned_to_mxid: mxid } = existing ?? {};
  if (before === undefined || sameRoom(before, roomId)) return undefined;
  return { room: roomId, members: mxid === undefined ? [] : [mxid] };
}

/** An assignment that somebody has is not moved into a room where nobody would hear of it. Throws `notify-failed`. */
function requireJoined({ facts: { absent }, input: { roomId } }: Context, { task_id: taskId }: TaskMeta): void {
  if (absent === undefined || absent.members.length === 0 || !sameRoom(absent.room, roomId)) return;
  const missing = absent.members.join(' and ');
  throw new FlowError(
    'notify-failed',
    `${missing} is not a joined member of room ${roomId}; the assignment stays where it is`,
    {
      remedy: `check the room, or invite ${missing} and let them join`,
      data: { taskId },
    },
  );
}

function claimOf(context: Context, project: OpenProject, node: PlanNode): Claim {
  const { roomId, spec, title, assignedTo, sourceRoomId, notify } = context.input;
  return {
    context,
    project,
    node,
    roomId,
    spec,
    notify,
    title: filled(title),
    assignedTo: filled(assignedTo),
    sourceRoomId: filled(sourceRoomId),
  };
}

/** An id has one task folder: another project's task of the same id is not taken over. */
export function requireSameProject(existing: TaskMeta, projectId: string): void {
  if (existing.project_id === projectId || existing.project_id === '') return;
  throw new FlowError(
    'already-exists',
    `task already exists: ${existing.task_id} (in project ${existing.project_id})`,
    {
      remedy: 'plan the node under another id',
      data: { taskId: existing.task_id },
    },
  );
}

/** Only a pending node is given out for the first time (protocol.md §10.1 item 8). A marker alone may end it, too. */
export function requirePending({ plan }: OpenProject, node: PlanNode, existing: TaskMeta | undefined): void {
  if (node.status !== 'pending') {
    throw refusedStep({
      from: isTerminalNode(node.status) ? node.status : (existing?.status ?? 'none'),
      event: 'prepare',
      because: `task ${node.id} is not pending`,
      remedy: `its marker in plan.md says ${node.status}; plan a new node for further work`,
      data: { taskId: node.id },
    });
  }
  requireUnblocked(plan, node.id);
}

/** Only what is accepted lets a node begin. Throws `blocked-by-deps`. */
export function requireUnblocked(plan: Plan, taskId: string): void {
  const open = blockers(plan, taskId);
  if (open.length === 0) return;
  throw new FlowError('blocked-by-deps', `task ${taskId} is blocked by: ${open.join(', ')}`, {
    remedy: 'delegate it once these are accepted',
    data: { taskId },
  });
}

/**
 * Tells what became of the message. One that waits for its turn is sent and recorded by the node. Throws
 * `notify-failed` with the claim as it stands for what went wrong: a retry resumes there.
 */
function settle(output: DelegateOutput, settlement: Settlement, { taskId }: z.output<typeof input>): DelegateOutput {
  const sync = syncFields(settlement);
  const { sent, skipped: skip, roomId, assignee } = output.notification;
  if (sent === true || skip === true) return { ...output, ...sync };
  const [delivery] = settlement.deliveries;
  if (delivery?.sent === true) {
    const notification = {
      sent: true,
      eventId: delivery.eventId,
      roomId,
      assignee,
      ...(delivery.reused === true ? { reused: true } : {}),
    };
    return { ...output, notification, ...sync };
  }
  if (delivery?.queued === true) {
    return {
      ...output,
      notification: { sent: false, queued: true, reason: delivery.error, roomId, assignee },
      ...sync,
    };
  }
  if (!settlement.synced) {
    throw new FlowError('sync-failed', `task ${taskId} is claimed, but the claim is not on the remote yet`, {
      remedy: 'call delegate_task again; the assignment is sent once',
      data: { task: output.task, synced: false },
    });
  }
  const error = delivery?.error ?? 'Matrix send failed: nothing was delivered';
  throw new FlowError('notify-failed', error, {
    remedy: 'mend the cause and call delegate_task again; the claim stands and the assignment is sent once',
    data: { notification: { sent: false, error }, task: output.task, ...sync },
  });
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}
