import { projectPaths } from '../protocol/paths.ts';
import type { ProjectMeta, TaskMeta } from '../protocol/records/types.ts';
import { composeReport, reportRoute } from '../protocol/report.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';

/** The reason under which results that arrive while a project is paused are told (protocol.md §12, §15). */
export const WAITING_WHILE_PAUSED = 'result_while_paused';

/** The reason under which a project's end is told (protocol.md §14.1). */
export const PROJECT_COMPLETED = 'project_completed';

export interface DueReport {
  readonly projectId: string;
  readonly reason: string;
}

/** Projects whose requester is owed a report, by project id; read from state only, so nothing is lost in a crash. */
export function reportDue(view: WorkspaceView): readonly DueReport[] {
  return view.projectIds().flatMap((projectId) => {
    const entry = view.project(projectId);
    const reason = entry?.meta === undefined ? undefined : dueReason(view, entry, entry.meta);
    return reason === undefined ? [] : [{ projectId, reason }];
  });
}

/**
 * Why a report on this project is due, or `undefined`. One that has no room to go to is due only until it is written.
 */
export function dueReason(view: WorkspaceView, entry: ProjectEntry, meta: ProjectMeta): string | undefined {
  const reason =
    meta.requester_report?.pending === true ? (meta.requester_report.reason ?? 'pending') : untold(view, entry, meta);
  if (reason === undefined) return undefined;
  if (reportRoute({ meta, team: view.team }) !== undefined) return reason;
  return view.text(projectPaths(entry.id).result) === reportText(view, entry, meta) ? undefined : reason;
}

/** The report as it reads now; the same state always gives the same text. */
export function reportText(view: WorkspaceView, entry: ProjectEntry, meta: ProjectMeta): string {
  return composeReport({
    meta,
    plan: entry.plan,
    tasks: new Map(projectTasks(view, entry).map((task) => [task.task_id, task])),
    team: view.team,
  });
}

/** A Loop's plan shows its present iteration only; what earlier ones delivered belongs to the project as well. */
function projectTasks(view: WorkspaceView, { id, plan }: ProjectEntry): readonly TaskMeta[] {
  const ids = plan.kind === 'loop' ? view.taskIds() : plan.nodes.map((node) => node.id);
  return ids.flatMap((taskId) => {
    const meta = view.task(taskId)?.meta;
    return meta === undefined || meta.project_id !== id ? [] : [meta];
  });
}

/** Results that wait in a paused project and that the last report did not name; a completion by hand. */
function untold(view: WorkspaceView, entry: ProjectEntry, meta: ProjectMeta): string | undefined {
  // A project that was never reported on, such as one taken over from elsewhere, owes nobody its end.
  if (meta.status === 'completed' && meta.requester_report !== undefined) {
    return meta.requester_report.reason === PROJECT_COMPLETED ? undefined : PROJECT_COMPLETED;
  }
  if (meta.status !== 'paused') return undefined;
  const waiting = waitingResults(view, entry);
  if (waiting.length === 0) return undefined;
  const { reason, summary } = meta.requester_report ?? {};
  return reason === WAITING_WHILE_PAUSED && summary === waitingSummary(waiting) ? undefined : WAITING_WHILE_PAUSED;
}

/** Ids of submitted tasks that nobody has decided on yet, in plan order. */
export function waitingResults(view: WorkspaceView, entry: ProjectEntry): readonly string[] {
  const open = new Set(entry.plan.nodes.filter(({ status }) => status === 'delegated').map(({ id }) => id));
  return projectTasks(view, entry)
    .filter(({ task_id: id, status }) => status === 'submitted' && open.has(id))
    .map(({ task_id: id }) => id);
}

/** Names the waiting results, so that a report on the same ones is not sent again. */
export function waitingSummary(ids: readonly string[]): string {
  return `results waiting while paused: ${ids.join(', ')}`;
}
