import { localpartOf } from '../protocol/identity.ts';
import type { PlanNode } from '../protocol/plan-types.ts';
import type { ProjectMeta, TaskMeta } from '../protocol/records/types.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';

/**
 * A pending line of a plan that has no record yet, as the record that its first step writes (features.md §2.3). It is as old as
 * the planning that brought it, which the project keeps, since a line alone does not say.
 */
export function unrecordedTask(project: ProjectMeta, node: PlanNode): TaskMeta {
  const { project_id: projectId } = project;
  const created = plannedLater(project, node.id) ?? plannedFirst(project);
  return {
    task_id: node.id,
    project_id: projectId,
    task_title: node.title,
    assigned_to: localpartOf(node.assignee),
    status: 'pending',
    depends_on: [...node.dependsOn],
    ...(node.type === undefined ? {} : { type: node.type }),
    ...(created === undefined ? {} : { created_at: created }),
  };
}

/** The keys of such a record, and of what `lateness.raise` adds to it. */
const OF_A_LINE: ReadonlySet<string> = new Set<keyof TaskMeta>([
  'task_id',
  'project_id',
  'task_title',
  'assigned_to',
  'status',
  'depends_on',
  'type',
  'created_at',
  'raised',
  'sla_due_at',
  'sla_violated_at',
]);

/** Whether a record says no more than its line says, and how late that is: somebody may have written an `eta` into it. */
export function isLineOnly(meta: TaskMeta): boolean {
  return (
    meta.status === 'pending' && Object.entries(meta).every(([key, value]) => value === undefined || OF_A_LINE.has(key))
  );
}

/** When the lines came of which `planned_later` says nothing. */
function plannedFirst({ planned_at: planned, created_at: created }: ProjectMeta): string | undefined {
  return planned ?? created;
}

function plannedLater({ planned_later: later = {} }: ProjectMeta, id: string): string | undefined {
  return Object.hasOwn(later, id) ? later[id] : undefined;
}

/** The lines of a plan that have no record, which would say when they came. */
interface Unrecorded {
  /** Ids of those that stood in the plan before. */
  readonly kept: readonly string[];
  /** Ids of those that are new. */
  readonly added: readonly string[];
}

/** A project after a planning that brought lines. Where all came at one time, as in each iteration of a loop, that is said once. */
export function withPlanned(project: ProjectMeta, { kept, added }: Unrecorded, now: string): ProjectMeta {
  const { planned_at: _, planned_later: __, ...rest } = project;
  if (kept.length === 0) return project.created_at === now ? rest : { ...rest, planned_at: now };
  const older = kept.map((id) => [id, plannedLater(project, id)] as const);
  const newer = plannedFirst(project) === now ? [] : added.map((id) => [id, now] as const);
  const later = [...older, ...newer].filter(([, time]) => time !== undefined);
  return {
    ...rest,
    ...(project.planned_at === undefined ? {} : { planned_at: project.planned_at }),
    ...(later.length === 0 ? {} : { planned_later: Object.fromEntries(later) as Record<string, string> }),
  };
}

/**
 * The record of a node, or what stands for it while it is pending and has none. `undefined` for a record that is broken or another
 * project's, and for a node of which the plan says more than that it is pending.
 */
export function taskOfNode(view: WorkspaceView, { id, meta }: ProjectEntry, node: PlanNode): TaskMeta | undefined {
  const entry = view.task(node.id);
  if (entry !== undefined) return entry.meta?.project_id === id ? entry.meta : undefined;
  return meta === undefined || node.status !== 'pending' ? undefined : unrecordedTask(meta, node);
}
