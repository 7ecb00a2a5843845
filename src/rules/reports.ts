import { projectPaths } from '../protocol/paths.ts';
import type { ProjectMeta, RequesterReport, TaskMeta } from '../protocol/records/types.ts';
import { composeReport, reportDigest, reportRoute, reportRouting } from '../protocol/report.ts';
import { sameRoom } from '../protocol/rooms.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';
import { readyNodes } from './dag.ts';
import { changedNodes, lastTold, newsIn, tellable } from './told.ts';
import type { Told } from './told.ts';

/** The reason under which results that arrive while a project is paused are told (protocol.md §12, §15). */
export const WAITING_WHILE_PAUSED = 'result_while_paused';

/** The reason under which a project's end is told (protocol.md §14.1). */
export const PROJECT_COMPLETED = 'project_completed';

/** The reason under which the first wave of a project is told, once all of it is given out. */
export const WORK_STARTED = 'work_started';

export interface DueReport {
  readonly projectId: string;
  readonly reason: string;
}

/**
 * Which of these projects, all unless given, owe their requester a report; read from state only, so nothing is lost in
 * a crash.
 */
export function reportDue(view: WorkspaceView, among = view.projectIds()): readonly DueReport[] {
  return among.flatMap((projectId) => {
    const entry = view.project(projectId);
    const reason = entry?.meta === undefined ? undefined : dueReason(view, entry, entry.meta);
    return reason === undefined ? [] : [{ projectId, reason }];
  });
}

/**
 * Why a report on this project is due, or `undefined`. One that has no room to go to is due only until it is written.
 */
export function dueReason(view: WorkspaceView, entry: ProjectEntry, meta: ProjectMeta): string | undefined {
  const reason = owedReason(view, entry, meta);
  if (reason === undefined) return undefined;
  if (routeOf(view, meta) !== undefined) return reason;
  return view.text(projectPaths(entry.id).result) === reportText(view, entry, meta) ? undefined : reason;
}

/**
 * Whether anybody waits for reports on a project: what was made at the command line for nobody in particular, and the
 * inbox, are looked at instead.
 */
export function isReported({ mode, requester, reply_route: route, source_room_id: room }: Origin): boolean {
  const isAsked = requester !== undefined || route !== undefined || room !== undefined;
  return isAsked || (mode !== 'composite' && mode !== 'inbox');
}

type Origin = Pick<ProjectMeta, 'mode' | 'requester' | 'reply_route' | 'source_room_id'>;

function owedReason(view: WorkspaceView, entry: ProjectEntry, meta: ProjectMeta): string | undefined {
  if (!isReported(meta)) return undefined;
  const report = meta.requester_report;
  const news = untold(view, entry, meta);
  if (report?.pending !== true) return news;
  const { plan } = entry;
  // The first wave is told as one, once it is given out; until then only along with what came of its beginning.
  const isOut = meta.status === 'active' && (plan.nodes.length > 0 || plan.kind === 'loop');
  if (report.reason === WORK_STARTED && !(isOut && readyNodes(plan, meta).length === 0)) return news;
  // It would say that no tasks are planned; it stays noted, and is told once the plan is back or the project has ended.
  if (meta.status !== 'completed' && isPlanLost(view, entry)) return news;
  return report.reason ?? 'pending';
}

/** Whether a plan says nothing of the tasks there are, or nobody can read what it says. */
function isPlanLost(view: WorkspaceView, { id, plan }: ProjectEntry): boolean {
  if (plan.nodes.length > 0 || plan.kind === 'loop') return false;
  const { plan: path } = projectPaths(id);
  if (view.exists(path) && view.text(path) === undefined) return true;
  return view.taskIds().some((taskId) => view.task(taskId)?.meta?.project_id === id);
}

/** Who is told, and in which room. */
export function routeOf(view: WorkspaceView, meta: ProjectMeta): ReturnType<typeof reportRoute> {
  return reportRoute({ meta, team: view.team, agents: view.agents() });
}

/** The whole report as it reads now; the same state always gives the same text. */
export function reportText(view: WorkspaceView, entry: ProjectEntry, meta: ProjectMeta): string {
  return composed(view, entry, meta);
}

function composed(view: WorkspaceView, entry: ProjectEntry, meta: ProjectMeta, changed?: readonly string[]): string {
  return composeReport({
    meta,
    plan: entry.plan,
    tasks: new Map(projectTasks(view, entry).map((task) => [task.task_id, task])),
    team: view.team,
    ...(changed === undefined ? {} : { changed }),
  });
}

export interface ReportMessage {
  readonly txn: string;
  readonly text: string;
  /** Absent where Baton has no room to write to. */
  readonly route: ReturnType<typeof routeOf>;
  /** Names the text among all of this project. */
  readonly digest: string;
  /** What its reader knows afterwards. */
  readonly told: Told;
}

/**
 * What the requester is to be told now: all of it at first and at the end, in between what is new since the last one
 * that was delivered (protocol.md §14.3). One text after one delivered report has one transaction id, however often
 * it is composed; a state that comes back later is told again.
 */
export function reportMessage(view: WorkspaceView, entry: ProjectEntry, meta: ProjectMeta): ReportMessage {
  const { sent_at: sentAt = '' } = meta.requester_report ?? {};
  const told = tellable(view, entry, meta);
  const before = sentAt === '' ? undefined : lastTold(meta.requester_report);
  const text = composed(view, entry, meta, before === undefined ? undefined : changedNodes(entry, told, before));
  const digest = reportDigest(text, sentAt);
  return { txn: `report-${entry.id}-${digest}`, text, digest, told, route: routeOf(view, meta) };
}

/**
 * Whether a report that waits to be said has been overtaken: the project has changed or was told of, or the route
 * leads elsewhere by now. What has overtaken it tells all that it would have told.
 */
export function isOvertaken(
  view: WorkspaceView,
  projectId: string,
  { txn, room }: { readonly txn: string; readonly room: string },
): boolean {
  const entry = view.project(projectId);
  // A record that cannot be read now says nothing about what was owed before.
  if (entry?.meta === undefined) return false;
  if (dueReason(view, entry, entry.meta) === undefined) return true;
  const current = reportMessage(view, entry, entry.meta);
  return current.txn !== txn || current.route === undefined || !sameRoom(current.route.room, room);
}

/** Why a report that is owed cannot be brought to anybody, with what mends it. */
export function undeliverable(
  view: WorkspaceView,
  meta: ProjectMeta,
): { readonly problem: string; readonly remedy: string } | undefined {
  const routing = reportRouting({ meta, team: view.team, agents: view.agents() });
  if (routing.kind === 'room') return undefined;
  if (routing.kind === 'nowhere') return routing;
  return {
    problem: `Baton does not deliver to ${routing.channel}; the report is in ${projectPaths(meta.project_id).result}`,
    remedy: 'whoever delivers it calls mark_requester_report_sent then',
  };
}

/** The record with that report, where anybody waits for one. */
export function withReport(meta: ProjectMeta, report: RequesterReport): ProjectMeta {
  return isReported(meta) ? { ...meta, requester_report: report } : meta;
}

/** A report that is owed from now on; what was told before, and when, is kept until it is delivered. */
export function owedReport(
  before: RequesterReport | undefined,
  report: Omit<RequesterReport, 'pending' | 'sent_at' | 'told'>,
): RequesterReport {
  const { sent_at: sentAt, told } = before ?? {};
  return {
    pending: true,
    ...report,
    ...(sentAt === undefined ? {} : { sent_at: sentAt }),
    ...(told === undefined ? {} : { told }),
  };
}

/** A Loop's plan shows its present iteration only; what earlier ones delivered belongs to the project as well. */
function projectTasks(view: WorkspaceView, { id, plan }: ProjectEntry): readonly TaskMeta[] {
  const ids = plan.kind === 'loop' ? view.taskIds() : plan.nodes.map((node) => node.id);
  return ids.flatMap((taskId) => {
    const meta = view.task(taskId)?.meta;
    return meta === undefined || meta.project_id !== id ? [] : [meta];
  });
}

/** News that nobody has noted as owed: results that wait in a paused project, a completion or a decision by hand, … */
function untold(view: WorkspaceView, entry: ProjectEntry, meta: ProjectMeta): string | undefined {
  // A project that was never reported on, such as one taken over from elsewhere, owes nobody its end.
  if (meta.status === 'completed') {
    const { reason } = meta.requester_report ?? {};
    return meta.requester_report === undefined || reason === PROJECT_COMPLETED ? undefined : PROJECT_COMPLETED;
  }
  const news = newsIn(tellable(view, entry, meta), lastTold(meta.requester_report));
  if (news !== undefined || meta.status !== 'paused') return news;
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
