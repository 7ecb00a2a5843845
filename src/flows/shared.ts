import type { Change } from '../protocol/changes.ts';
import { FlowError } from '../protocol/errors.ts';
import { requireReadableId } from '../protocol/ids.ts';
import { projectPaths, taskPaths } from '../protocol/paths.ts';
import type { Plan, PlanNode } from '../protocol/plan-types.ts';
import { ROLES } from '../protocol/records/types.ts';
import type { TeamSettings } from '../protocol/records/team-types.ts';
import type { Actor, HistoryEntry, ProjectMeta, Role, TaskMeta, TaskStatus } from '../protocol/records/types.ts';
import { renderProjectMeta } from '../protocol/records/project.ts';
import { renderTaskMeta } from '../protocol/records/task.ts';
import { roomObstacle } from '../rules/assignment-room.ts';
import { isWorked, projectState } from '../rules/project-lifecycle.ts';
import type { TaskEvent } from '../rules/lifecycle.ts';
import { refusedStep } from '../rules/transition.ts';
import type { Archived, ProjectEntry, TaskEntry, WorkspaceView } from '../protocol/view.ts';

/** Who may steer projects (protocol.md §0.3). */
export const LEADERS: readonly Role[] = ['leader', 'manager', 'admin'];
/** Who may carry out tasks. */
export const WORKERS: readonly Role[] = ['worker', 'remote-member'];
/** Reading is open to all. */
export const ANYONE: readonly Role[] = ROLES;

/** A project whose record could be read. */
export interface OpenProject extends ProjectEntry {
  readonly meta: ProjectMeta;
}

/** protocol.md §10.1 item 5. Throws `not-found`, or `broken-file` naming what stands in the record. */
export function requireProject(view: WorkspaceView, id: string): OpenProject {
  requireReadableId(id, 'projectId');
  const entry = view.project(id);
  const file = projectPaths(id).meta;
  if (entry === undefined || (entry.meta === undefined && !view.exists(file))) {
    throw notFound(view, 'project', id, view.archivedProject(id));
  }
  if (entry.meta === undefined) throw brokenFile(file, entry.diagnostics[0]?.message, { projectId: id });
  return { ...entry, meta: entry.meta };
}

/** Throws `not-found` (`task not found: <id>`), or `broken-file`. */
export function requireTask(view: WorkspaceView, id: string): TaskMeta {
  const meta = findTask(view, id);
  if (meta === undefined) throw notFound(view, 'task', id, view.archivedTask(id));
  return meta;
}

/** What was archived is not there for those who would change it; it is said where it can be read. */
function notFound(
  view: WorkspaceView,
  kind: 'project' | 'task',
  id: string,
  archived: Archived<unknown> | undefined,
): FlowError {
  const data = kind === 'project' ? { projectId: id } : { taskId: id };
  if (archived === undefined) {
    const remedy = whereElse(view, kind, id);
    return new FlowError('not-found', `${kind} not found: ${id}`, {
      data,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
  return new FlowError('not-found', `${kind} not found: ${id} (archived: ${archived.dir})`, {
    remedy: `archived work is only read; further work is a new ${kind} with a new id`,
    data: { ...data, archived: archived.dir },
  });
}

/** Where what was not found may be instead. */
function whereElse(view: WorkspaceView, kind: 'project' | 'task', id: string): string | undefined {
  const owner = kind === 'project' ? view.task(id)?.meta?.project_id : undefined;
  if (owner !== undefined)
    return `it is a task of project ${owner}: \`baton subtask ${owner} ${id} EVENT\` takes its steps`;
  if (!view.isPartial) return undefined;
  return "this clone holds only its worker's own tasks (git.sparse); ask the leader, or look in git";
}

/** Where the work that an answer shows was archived. */
export function archivedAs(archived: Archived<unknown> | undefined): { readonly archived?: string } {
  return archived === undefined ? {} : { archived: archived.dir };
}

/** Ids of archived work stay taken, so that one id never means two things. Throws `already-exists`. */
export function refuseArchived(id: string, archived: Archived<ProjectEntry> | Archived<TaskEntry> | undefined): void {
  if (archived === undefined) return;
  const kind = 'plan' in archived.entry ? 'project' : 'task';
  throw new FlowError('already-exists', `${kind} already exists: ${id} (archived: ${archived.dir})`, {
    remedy: `choose another ${kind}Id`,
    data: { ...(kind === 'project' ? { projectId: id } : { taskId: id }), archived: archived.dir },
  });
}

/** protocol.md §10.16: a task is decided on, and shown, with its own project. Throws `invalid-argument`. */
export function requireTaskOf({ task_id: taskId, project_id: owner }: TaskMeta, projectId: string): void {
  if (owner === projectId) return;
  throw new FlowError('invalid-argument', `task ${taskId} does not belong to project ${projectId}`, {
    remedy: `its record names project ${owner}`,
    data: { projectId, taskId },
  });
}

/** The task's record, or `undefined` when it was never delegated; a broken one throws `broken-file`. */
export function findTask(view: WorkspaceView, id: string): TaskMeta | undefined {
  requireReadableId(id, 'taskId');
  const entry = view.task(id);
  const file = taskPaths(id).meta;
  if (entry?.meta === undefined && view.exists(file)) {
    throw brokenFile(file, entry?.diagnostics[0]?.message, { taskId: id });
  }
  return entry?.meta;
}

function brokenFile(file: string, reason: string | undefined, data: Record<string, unknown>): FlowError {
  return new FlowError('broken-file', `${file} cannot be read: ${reason ?? 'not a valid record'}`, {
    remedy: `mend ${file} by hand, commit it and call again`,
    data,
  });
}

/** A step of a task that somebody asks for, and the state that the task is in. */
export interface AskedStep {
  readonly taskId: string;
  readonly from: TaskStatus | 'none';
  readonly event: TaskEvent;
}

/**
 * protocol.md §10.1 item 5, features.md §3.2: tasks move on only in an active project, and only once its plan is approved.
 * Throws `paused`, or `illegal-transition`.
 */
export function requireActive(meta: ProjectMeta, step: AskedStep): void {
  if (isWorked(meta)) return;
  const { project_id: id, status } = meta;
  if (status === 'paused') {
    throw new FlowError('paused', `project is paused: ${id}`, {
      remedy: 'resume_project first',
      data: { projectId: id },
    });
  }
  throw notActive(meta, step, projectState(meta) === 'planning' ? 'approve its plan first' : undefined);
}

/** The refusal of a step that a task cannot take in its project as it stands. */
export function notActive(meta: ProjectMeta, { taskId, from, event }: AskedStep, remedy?: string): FlowError {
  const { project_id: projectId, status } = meta;
  const word = projectState(meta) === 'planning' ? 'planning' : status;
  const because = `project is not active: ${projectId} (${word})`;
  return refusedStep({ from, event, because, remedy, data: { projectId, taskId } });
}

/** protocol.md §10.1 item 6. */
export function requireNode(plan: Plan, taskId: string, phrase = 'task not found in project graph'): PlanNode {
  const node = plan.nodes.find(({ id }) => id === taskId);
  if (node === undefined) throw new FlowError('not-found', `${phrase}: ${taskId}`, { data: { taskId } });
  return node;
}

/** protocol.md §6.2: while two lines of a plan share an id, nothing of it is scheduled. */
export function checkBrokenPlan({ id, plan }: ProjectEntry): void {
  const duplicate = plan.diagnostics.find(({ rule }) => rule === 'plan-duplicate-id');
  if (duplicate === undefined) return;
  const file = projectPaths(id).plan;
  throw new FlowError('broken-file', `${duplicate.message}, at ${file}:${duplicate.line}`, {
    remedy: `give every task line of ${file} an id of its own`,
    data: { projectId: id },
  });
}

/** The fence of protocol.md §10.5 and §10.16: who decides on a submission must name the one that it has seen. */
export function requireSubmission(meta: TaskMeta, submissionId: string | undefined): void {
  if (meta.submission_id === undefined) return;
  const data = { taskId: meta.task_id };
  if (submissionId === undefined || submissionId === '') {
    throw new FlowError('invalid-argument', 'submissionId is required for the current task submission', {
      remedy: 'call check_task and pass its task.submission_id',
      data,
    });
  }
  if (submissionId !== meta.submission_id) {
    throw new FlowError('stale-submission', 'submissionId does not match the current task submission', {
      remedy: 'call check_task again and decide on what it shows',
      data,
    });
  }
}

/** protocol.md §10.1 item 3. Throws `invalid-argument` for a room in which nobody may be given work. */
export function checkAssignmentRoom(
  team: TeamSettings,
  room: string,
  project?: Pick<ProjectMeta, 'reply_route'>,
): void {
  const obstacle = roomObstacle(team, room, project);
  if (obstacle !== undefined) throw new FlowError('invalid-argument', obstacle.message, { remedy: obstacle.remedy });
}

export function writeProject(meta: ProjectMeta): Change {
  return { kind: 'write', path: projectPaths(meta.project_id).meta, text: renderProjectMeta(meta) };
}

export function writeTask(meta: TaskMeta): Change {
  return { kind: 'write', path: taskPaths(meta.task_id).meta, text: renderTaskMeta(meta) };
}

/** Nothing when the plan already reads so. */
export function writePlan({ id, planText }: ProjectEntry, text: string): readonly Change[] {
  return text === planText ? [] : [{ kind: 'write', path: projectPaths(id).plan, text }];
}

/** One line of a task's history (protocol.md §8.4). */
export function historyEntry(step: {
  readonly now: string;
  readonly actor: Actor;
  readonly from: string;
  readonly to: string;
  readonly action: string;
  readonly note?: string;
}): HistoryEntry {
  const { now, actor, from, to, action, note } = step;
  return {
    ts: now,
    from,
    to,
    action,
    actor: `${actor.role}:${actor.localpart}`,
    ...(note === undefined || note === '' ? {} : { note }),
  };
}

export interface NotificationHint {
  readonly event: string;
  readonly projectId: string;
  readonly summary: string;
  readonly targetRoom?: string;
  readonly replyRoute?: ProjectMeta['reply_route'];
}

/** `notificationNeeded` of protocol.md §9.3: a hint about whom a change concerns, never an order. */
export function notificationHint(
  event: string,
  project: ProjectMeta,
  summary: string,
  task?: Pick<TaskMeta, 'room_id'>,
): NotificationHint {
  const targetRoom = task?.room_id ?? project.source_room_id ?? project.reply_route?.target_session;
  return {
    event,
    projectId: project.project_id,
    summary,
    ...(targetRoom === undefined ? {} : { targetRoom }),
    ...(project.reply_route === undefined ? {} : { replyRoute: project.reply_route }),
  };
}
