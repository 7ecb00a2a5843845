import type { NodeStatus } from '../plan-types.ts';
import type { Phase, Priority, ProjectStatus, TaskStatus } from '../records/types.ts';
import type { ProjectEntry, TaskEntry, WorkspaceView } from '../view.ts';

/** What lists of work need to know of a project. Only values, so that an index can hold it. */
export interface ProjectFacts {
  readonly id: string;
  readonly title: string;
  readonly status: ProjectStatus;
  readonly phase?: Phase;
  readonly mode?: string;
  readonly priority?: Priority;
  readonly eta?: string;
  readonly created?: string;
  readonly reason?: string;
  readonly nodes: readonly NodeFacts[];
}

export interface NodeFacts {
  readonly id: string;
  readonly title: string;
  readonly status: NodeStatus;
  readonly assignee: string;
  readonly dependsOn: readonly string[];
  readonly type?: string;
}

/** The same of a task, as its record says it. */
export interface TaskFacts {
  readonly id: string;
  readonly projectId: string;
  readonly title: string;
  readonly status: TaskStatus;
  readonly assignee: string;
  readonly dependsOn: readonly string[];
  readonly type?: string;
  readonly priority?: Priority;
  /** 0 to 100, as last reported. */
  readonly progress?: number;
  readonly eta?: string;
  readonly created?: string;
  /** When something last happened to it. */
  readonly active?: string;
  readonly reason?: string;
}

/** A folder whose record cannot be read, and why. */
export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

/** What all live projects and tasks say, wherever it was read from. */
export interface WorkFacts {
  readonly projects: readonly ProjectFacts[];
  readonly tasks: readonly TaskFacts[];
  readonly skipped: readonly SkippedFile[];
}

/** The facts of one project; `undefined` when its record does not hold. */
export function projectFacts({ id, meta, plan }: ProjectEntry): ProjectFacts | undefined {
  if (meta === undefined) return undefined;
  return compact({
    id,
    title: meta.title,
    status: meta.status,
    phase: meta.phase,
    mode: meta.mode,
    priority: meta.priority,
    eta: meta.eta,
    created: meta.created_at,
    reason: meta.blocked_reason ?? meta.pause_reason ?? meta.failure_reason,
    nodes: plan.nodes.map(({ id: nodeId, title, status, assignee, dependsOn, type }) =>
      compact({ id: nodeId, title, status, assignee, dependsOn, type }),
    ),
  });
}

/** The facts of one task; `undefined` when its record does not hold. */
export function taskFacts({ id, meta }: TaskEntry): TaskFacts | undefined {
  if (meta === undefined) return undefined;
  return compact({
    id,
    projectId: meta.project_id,
    title: meta.task_title,
    status: meta.status,
    assignee: meta.assigned_to,
    dependsOn: meta.depends_on ?? [],
    type: meta.type,
    priority: meta.priority,
    progress: meta.progress,
    eta: meta.eta,
    created: meta.created_at ?? meta.assigned_at,
    active: meta.history?.at(-1)?.ts,
    reason: meta.blocked_reason ?? meta.failure_reason ?? meta.cancel_reason,
  });
}

/** All facts of a tree. Reads every record. */
export function workFacts(view: WorkspaceView): WorkFacts {
  const projects = view.projectIds().flatMap((id) => view.project(id) ?? []);
  const tasks = view.taskIds().flatMap((id) => view.task(id) ?? []);
  return {
    projects: projects.flatMap((entry) => projectFacts(entry) ?? []),
    tasks: tasks.flatMap((entry) => taskFacts(entry) ?? []),
    skipped: [...projects, ...tasks].flatMap((entry) => skippedFile(entry) ?? []),
  };
}

/** Why a folder is left out; `undefined` when it is not. */
export function skippedFile({ id, meta, diagnostics, ...rest }: ProjectEntry | TaskEntry): SkippedFile | undefined {
  if (meta !== undefined) return undefined;
  const path = `shared/${'plan' in rest ? 'projects' : 'tasks'}/${id}/meta.json`;
  return { path, reason: diagnostics.find(({ severity }) => severity === 'error')?.message ?? 'not a valid record' };
}

/** Without the keys that have no value. */
function compact<Value extends object>(
  value: Value,
): { readonly [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never;
}
