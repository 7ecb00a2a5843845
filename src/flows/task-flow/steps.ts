import type { Change } from '../../protocol/changes.ts';
import { FlowError } from '../../protocol/errors.ts';
import { projectPaths, taskPaths } from '../../protocol/paths.ts';
import { setMarker } from '../../protocol/plan/edit.ts';
import { appendHistory } from '../../protocol/records/task.ts';
import type { Actor, TaskMeta } from '../../protocol/records/types.ts';
import { isLeading } from '../../protocol/roles.ts';
import { sameLocalpart } from '../../protocol/identity.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { markerFor, taskStep } from '../../rules/lifecycle.ts';
import type { TaskEvent } from '../../rules/lifecycle.ts';
import { SUPERSEDED } from '../../rules/project-lifecycle.ts';
import { bringBack } from '../../rules/shell.ts';
import { unrecordedTask } from '../../rules/unrecorded.ts';
import { checkBrokenPlan, findTask, historyEntry, requireProject, requireTask } from '../shared.ts';
import { nodeOf, requireAssignee, statusWord, terminalStatus } from './common.ts';
import type { Context } from './common.ts';

export interface TaskStepping {
  readonly now: string;
  readonly actor: Actor;
  readonly action: string;
  readonly note?: string | undefined;
}

/** The record after one step of the table, with its line in the history. Throws `illegal-transition`. */
export function taskStepped(
  meta: TaskMeta,
  event: TaskEvent,
  { now, actor, action, note = '' }: TaskStepping,
): TaskMeta {
  const to = taskStep(meta.task_id, meta.status, event);
  return appendHistory({ ...meta, status: to }, historyEntry({ now, actor, action, from: statusWord(meta), to, note }));
}

/** For callers that name the project as well: steps are not taken in another one's tasks. Throws `not-found`. */
export function requirePartOf(view: WorkspaceView, projectId: string | undefined, taskId: string): void {
  if (projectId === undefined) return;
  requireProject(view, projectId);
  const owner = findTask(view, taskId)?.project_id;
  if (owner === undefined || owner === projectId) return;
  throw new FlowError('not-found', `task not found: ${taskId}`, {
    remedy: `it is no task of ${projectId}: \`baton status ${projectId}\` shows which are`,
    data: { projectId, taskId },
  });
}

/**
 * A task's record as its marker has it: one that a person has ended in plan.md is over, although its record says so
 * only once it is repaired (protocol.md §8.2). Throws `not-found` or `broken-file`.
 */
export function currentTask({ view, now, actor }: Context, taskId: string): TaskMeta {
  const meta = requireTask(view, taskId);
  const status = terminalStatus(view, meta);
  if (status === undefined || status === meta.status) return meta;
  const note = 'as plan.md has it';
  return appendHistory(
    { ...meta, status },
    historyEntry({ now, actor, action: 'state.repair', from: statusWord(meta), to: status, note }),
  );
}

/**
 * As `currentTask`, also of a pending plan node that has no record: the step that is taken makes it, as giving it out does
 * (features.md §2.3). `projectId` is of a caller that names its project. Throws `not-found`, `broken-file`, and
 * `invalid-argument` where several plans hold the node.
 */
export function plannedTask(context: Context, taskId: string, projectId?: string): TaskMeta {
  const { view } = context;
  if (findTask(view, taskId) !== undefined || view.archivedTask(taskId) !== undefined)
    return currentTask(context, taskId);
  const holders = (projectId === undefined ? view.projectIds() : [projectId]).flatMap((id) => {
    const entry = view.project(id);
    const node = entry?.plan.nodes.find((other) => other.id === taskId);
    return entry?.meta === undefined || node === undefined ? [] : [{ entry, meta: entry.meta, node }];
  });
  const [holder, other] = holders;
  if (holder === undefined) return requireTask(view, taskId);
  if (other !== undefined) {
    throw new FlowError(
      'invalid-argument',
      `task ${taskId} stands in the plans of ${holder.entry.id} and ${other.entry.id}`,
      {
        remedy: 'give the line of one of them another id',
        data: { taskId },
      },
    );
  }
  checkBrokenPlan(holder.entry);
  if (holder.node.status === 'pending') return unrecordedTask(holder.meta, holder.node);
  throw new FlowError(
    'not-found',
    `task not found: ${taskId} (plan.md shows it as ${holder.node.status}, and it has no record)`,
    {
      remedy: `bring its folder back: ${bringBack(taskPaths(taskId).dir)}; or set its marker to [ ] and call again`,
      data: { taskId, projectId: holder.entry.id },
    },
  );
}

/** The plan with the marker of a task's record. A node that has left the plan needs none. */
export function markerChange(view: WorkspaceView, meta: TaskMeta): readonly Change[] {
  const node = nodeOf(view, meta);
  const planText = view.project(meta.project_id)?.planText;
  const status = markerFor(meta.status);
  if (node === undefined || planText === undefined || node.status === status) return [];
  const reason = meta.status === 'superseded' ? SUPERSEDED : meta.cancel_reason;
  const text = setMarker(planText, node.id, status, reason === undefined ? {} : { cancelled: reason });
  return [{ kind: 'write', path: projectPaths(meta.project_id).plan, text }];
}

/**
 * A Worker carries out its own tasks; a Leader may report for whoever has no node of its own (features.md §3.1). Returns
 * what the history says of the latter. Throws `wrong-worker`.
 */
export function actingFor(context: Context, meta: TaskMeta): string | undefined {
  if (isLeading(context.actor)) {
    return sameLocalpart(context.actor.localpart, meta.assigned_to) ? undefined : `for ${meta.assigned_to}`;
  }
  requireAssignee(context, meta);
  return undefined;
}
