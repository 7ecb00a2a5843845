import type { Change } from '../../protocol/changes.ts';
import { FlowError } from '../../protocol/errors.ts';
import { localpartOf, resolveUserId, sameIdentity, sameLocalpart, serverOf } from '../../protocol/identity.ts';
import { taskPaths } from '../../protocol/paths.ts';
import type { PlanNode } from '../../protocol/plan-types.ts';
import type { EventDraft, TaskMeta, TaskStatus } from '../../protocol/records/types.ts';
import { renderTaskMeta } from '../../protocol/records/task.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { isTerminalNode } from '../../rules/dag.ts';
import { isTerminalTask } from '../../rules/lifecycle.ts';
import type { TaskEvent } from '../../rules/lifecycle.ts';
import { refusedStep } from '../../rules/transition.ts';
import { presentTask } from '../present.ts';
import type { Decision, Facts, OperationContext, Settlement } from '../types.ts';

export type Context = OperationContext<unknown>;

export function nodeOf(view: WorkspaceView, meta: TaskMeta): PlanNode | undefined {
  return view.project(meta.project_id)?.plan.nodes.find(({ id }) => id === meta.task_id);
}

/** A task is over when either its record or its plan node says so (protocol.md §8.2). */
export function terminalStatus(view: WorkspaceView, meta: TaskMeta): TaskStatus | undefined {
  if (isTerminalTask(meta.status)) return meta.status;
  const node = nodeOf(view, meta);
  return node !== undefined && isTerminalNode(node.status) ? node.status : undefined;
}

/** The state by which a step of a task is judged; `none` of one that has no record. */
export function taskState(view: WorkspaceView, meta: TaskMeta | undefined): TaskStatus | 'none' {
  return meta === undefined ? 'none' : (terminalStatus(view, meta) ?? meta.status);
}

/** An action of the protocol, and the step of the table that it takes: none where it only asks or answers. */
export interface ProtocolStep {
  readonly action: string;
  readonly event?: TaskEvent;
}

/** Throws `illegal-transition`: `<action> cannot update terminal task: <status>` (protocol.md §8.2). */
export function requireOpen(view: WorkspaceView, meta: TaskMeta, { action, event }: ProtocolStep): void {
  const status = terminalStatus(view, meta);
  if (status === undefined) return;
  const sentence = `${action} cannot update terminal task: ${status}`;
  const remedy = 'plan a new node with a new id for further work';
  const data = { taskId: meta.task_id };
  throw event === undefined
    ? new FlowError('illegal-transition', sentence, { remedy, data })
    : refusedStep({ from: status, event, because: sentence, remedy, data });
}

/** `illegal-transition` in the shape of protocol.md §8.2. A task that nobody delegated is `planned` there. */
export function illegalMove({ action, event }: Required<ProtocolStep>, meta: TaskMeta, advice: string): FlowError {
  return refusedStep({
    from: meta.status,
    event,
    because: `${action}: task is '${statusWord(meta)}'; ${advice}`,
    remedy: advice,
    data: { taskId: meta.task_id },
  });
}

/** The decision of a step that records nothing, since it came too late or once more: the task is answered as it is. */
export function asItStands(
  meta: TaskMeta | undefined,
): Decision<{ readonly task?: Readonly<Record<string, unknown>> }> {
  return { changes: [], events: [], announcements: [], output: meta === undefined ? {} : { task: presentTask(meta) } };
}

/** Whether its assignee has handed in anything for it. */
export function hasResult(meta: TaskMeta): boolean {
  return meta.submission_id !== undefined || meta.submitted_at !== undefined;
}

/** The protocol's word for a status in histories and refusals: `pending` is `planned` there (protocol.md §8.4). */
export function statusWord(meta: TaskMeta | undefined): string {
  return meta === undefined || meta.status === 'pending' ? 'planned' : meta.status;
}

/**
 * Only the assignee carries out a task (protocol.md §1.3, §10.2). Localparts are compared without case; the server
 * names only where a homeserver vouches for them. Throws `wrong-worker`.
 */
export function requireAssignee({ actor, view, facts }: Context, meta: TaskMeta): void {
  if (actor.localpart.trim() === '') {
    throw new FlowError('wrong-worker', 'current worker identity is required', {
      remedy: 'set identity.matrixUserId or identity.localpart in baton.json',
      data: { taskId: meta.task_id },
    });
  }
  const assignee = meta.assigned_to === '' ? localpartOf(nodeOf(view, meta)?.assignee ?? '') : meta.assigned_to;
  const { matrixUserId } = actor;
  const { assigned_to_mxid: assigned } = meta;
  const vouched = facts.chat.kind === 'remote' && matrixUserId !== undefined && assigned !== undefined;
  if (sameLocalpart(actor.localpart, assignee) && (!vouched || sameIdentity(matrixUserId, assigned))) return;
  throw new FlowError('wrong-worker', `task ${meta.task_id} is assigned to ${assignee}, not ${actor.localpart}`, {
    remedy: 'ask the leader to delegate the task again if it is yours',
    data: { taskId: meta.task_id },
  });
}

/** The assignment room, verbatim. Throws `broken-file` when the record has none (protocol.md §10.2). */
export function requireRoom(meta: TaskMeta): string {
  if (meta.room_id !== undefined && meta.room_id !== '') return meta.room_id;
  throw new FlowError('broken-file', `task ${meta.task_id} is missing room_id`, {
    remedy: `add room_id to ${taskPaths(meta.task_id).meta}, or delegate the task again`,
    data: { taskId: meta.task_id },
  });
}

export function writeMeta(meta: TaskMeta): Change {
  return { kind: 'write', path: taskPaths(meta.task_id).meta, text: renderTaskMeta(meta) };
}

export function taskEvent(
  type: string,
  action: string,
  meta: TaskMeta,
  step: { readonly from?: string; readonly to?: string; readonly note?: string } = {},
): EventDraft {
  return {
    type,
    action,
    subject: { kind: 'task', id: meta.task_id, project_id: meta.project_id },
    ...step,
  };
}

/** The server name that bare localparts belong to: the one of the node's own id. */
export function homeServer(facts: Facts): string {
  return serverOf(facts.chat.self) ?? 'localhost';
}

/** Full id of someone who is named in a record, whether or not the roster knows them. */
export function userIdOf({ view, facts }: Context, name: string): string {
  const server = homeServer(facts);
  return resolveUserId(name, view.agents(), server) ?? `@${localpartOf(name)}:${server}`;
}

/**
 * Whom a Worker answers: the Leader who delegated the task, else the Leader of the roster; `undefined` when neither
 * is known.
 */
export function leaderOf(context: Context, meta: TaskMeta): string | undefined {
  const delegated = meta.history?.findLast(
    ({ action }) => action === 'delegate_task' || action === 'create_quick_project',
  );
  const delegator = delegated?.actor.slice(delegated.actor.indexOf(':') + 1) ?? '';
  const leaders = context.view.agents().filter(({ role, enabled }) => role === 'leader' && enabled);
  const leader = leaders.find(({ agent_id: id }) => sameLocalpart(id, delegator)) ?? leaders[0];
  if (leader !== undefined) return leader.matrix_user_id ?? userIdOf(context, leader.agent_id);
  return delegator === '' ? undefined : userIdOf(context, delegator);
}

/** The people of the roster, who are told of results and questions (protocol.md §10.7, §13.3). */
export function humans({ view }: Context): readonly string[] {
  const people = view.agents().filter(({ role, enabled }) => role === 'human' && enabled);
  return people.flatMap(({ matrix_user_id: id }) => (id === undefined ? [] : [id]));
}

/** `synced`, and `remote: null` where there is none (protocol.md §11.2). */
export function syncFields({ synced, remote }: Settlement): { readonly synced: boolean; readonly remote?: null } {
  return synced && !remote ? { synced, remote: null } : { synced };
}
