import { INBOX } from '../protocol/ids.ts';
import type { ProjectMeta, TaskMeta } from '../protocol/records/types.ts';
import { parseTime } from '../protocol/timestamps.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';
import { isTerminalNode } from './dag.ts';
import { isTerminalTask } from './lifecycle.ts';
import { isTerminalProject } from './project-lifecycle.ts';
import { dueReason, isReported } from './reports.ts';

const DAY = 24 * 3_600_000;

/** Why a project stays where it is; `rule` says what kind of reason it is. */
export interface Kept {
  readonly rule: 'not-ended' | 'report-owed' | 'broken' | 'waited-for';
  readonly reason: string;
}

/** Every task folder that names the project in its record, whether its plan still holds it or not. */
export function tasksByProject(view: WorkspaceView): ReadonlyMap<string, readonly TaskMeta[]> {
  const metas = view.taskIds().flatMap((id) => view.task(id)?.meta ?? []);
  return Map.groupBy(metas, (meta) => meta.project_id);
}

/**
 * Why a project may not be archived (architecture.md, "Files and owners": ended work only), or `undefined` when it
 * may: it and all its tasks have ended, everything can be read, and nobody waits for a report on it. With `open: 'take'`
 * tasks that nobody will go on with are no reason.
 */
export function keptFromArchive(
  view: WorkspaceView,
  entry: ProjectEntry,
  tasks: readonly TaskMeta[],
  { open = 'keep' }: { readonly open?: 'keep' | 'take' } = {},
): Kept | undefined {
  const { id, meta, plan } = entry;
  if (meta === undefined) return { rule: 'broken', reason: `the record of ${id} cannot be read` };
  if (!isTerminalProject(meta.status)) return { rule: 'not-ended', reason: `${id} is ${meta.status}` };
  const task = open === 'take' ? undefined : tasks.find(({ status }) => !isTerminalTask(status));
  if (task !== undefined) return { rule: 'not-ended', reason: `task ${task.task_id} is ${task.status}` };
  const known = new Set(tasks.map(({ task_id: taskId }) => taskId));
  const broken = plan.nodes.find((node) => !known.has(node.id) && isBroken(view, node.id));
  if (broken !== undefined) return { rule: 'broken', reason: `the record of task ${broken.id} cannot be read` };
  if ((isReported(meta) && meta.requester_report?.pending === true) || dueReason(view, entry, meta) !== undefined) {
    return { rule: 'report-owed', reason: `a report on ${id} is still owed` };
  }
  return undefined;
}

/**
 * Why a task of the inbox, which itself never ends, may not be archived, or `undefined` when it may: it has ended by its
 * record and its marker, and nothing open waits for it that an acceptance has not freed.
 */
export function keptInInbox({ plan }: Pick<ProjectEntry, 'plan'>, { task_id: id, status }: TaskMeta): Kept | undefined {
  const node = plan.nodes.find((candidate) => candidate.id === id);
  const isOver = status !== 'blocked' && isTerminalTask(status) && (node === undefined || isTerminalNode(node.status));
  if (!isOver) return { rule: 'not-ended', reason: `${id} is ${status}` };
  if (node === undefined || node.status === 'completed') return undefined;
  const waiting = plan.nodes.find((other) => !isTerminalNode(other.status) && other.dependsOn.includes(id));
  return waiting === undefined ? undefined : { rule: 'waited-for', reason: `${waiting.id} depends on ${id}` };
}

/** A folder without a record that holds; a record of another project is that one's. */
function isBroken(view: WorkspaceView, taskId: string): boolean {
  const task = view.task(taskId);
  return task !== undefined && task.meta === undefined;
}

/**
 * Milliseconds since the epoch of the last thing that happened to an ended project, as its records say; `undefined`
 * when they say nothing.
 */
export function endOf(meta: ProjectMeta, tasks: readonly TaskMeta[]): number | undefined {
  const told = [meta.completed_at, meta.updated_at, meta.requester_report?.sent_at, ...tasks.flatMap(timesOf)];
  const times = told.flatMap((text) => (text === undefined ? [] : (parseTime(text) ?? [])));
  const known = times.length > 0 ? times : [parseTime(meta.created_at ?? '')].filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function timesOf(task: TaskMeta): readonly (string | undefined)[] {
  return [task.completed_at, task.cancelled_at, task.history?.at(-1)?.ts];
}

/** Projects that ended long enough ago (`policies.archiveAfterDays`), those that ended first before the others. */
export function archiveDue(view: WorkspaceView, now: string): readonly string[] {
  const before = archivedBefore(view, now);
  if (before === undefined) return [];
  const ended = view.projectIds().filter((id) => isTerminalProject(view.project(id)?.meta?.status ?? 'active'));
  if (ended.length === 0) return [];
  const tasks = tasksByProject(view);
  const due = ended.flatMap((id) => {
    const entry = view.project(id);
    const own = tasks.get(id) ?? [];
    const end = entry?.meta === undefined ? undefined : endOf(entry.meta, own);
    if (entry === undefined || end === undefined || end > before) return [];
    return keptFromArchive(view, entry, own) === undefined ? [{ id, end }] : [];
  });
  return due.sort((a, b) => a.end - b.end).map(({ id }) => id);
}

/** The same of the tasks of the inbox. */
export function inboxDue(view: WorkspaceView, now: string): readonly string[] {
  const before = archivedBefore(view, now);
  const inbox = before === undefined ? undefined : view.project(INBOX);
  if (before === undefined || inbox?.meta?.mode !== 'inbox') return [];
  const due = inbox.plan.nodes.flatMap(({ id, status }) => {
    const meta = isTerminalNode(status) ? view.task(id)?.meta : undefined;
    const end = meta?.project_id === INBOX ? endOfTask(meta) : undefined;
    if (meta === undefined || end === undefined || end > before) return [];
    return keptInInbox(inbox, meta) === undefined ? [{ id, end }] : [];
  });
  return due.sort((a, b) => a.end - b.end).map(({ id }) => id);
}

/** Milliseconds since the epoch of the last thing that happened to a task, as its record says. */
export function endOfTask(task: TaskMeta): number | undefined {
  const times = timesOf(task).flatMap((text) => (text === undefined ? [] : (parseTime(text) ?? [])));
  return times.length === 0 ? undefined : Math.max(...times);
}

/** What ended before that is archived; `undefined`: nothing is. */
function archivedBefore({ team }: WorkspaceView, now: string): number | undefined {
  const days = team.policies.archiveAfterDays;
  const present = parseTime(now);
  return days === null || days === 0 || present === undefined ? undefined : present - days * DAY;
}
