import { localpartKey } from '../protocol/identity.ts';
import type { AgentRecord, TaskMeta, TaskStatus } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { isTerminalProject } from './project-lifecycle.ts';

/** What occupies an agent (features.md §4.1): given to it and not handed in; who waits with an owner only waits. */
const HOLDING: ReadonlySet<TaskStatus> = new Set(['prepared', 'assigned', 'in_progress']);

/** What agents hold, by `localpartKey`, in the order of plans. */
export type Holdings = ReadonlyMap<string, readonly TaskMeta[]>;

/**
 * What every agent holds now. It is read from the plans of live projects, whose marker `[~]` says which records are worth
 * a look, so that ended work costs nothing.
 */
export function holdingsIn(view: WorkspaceView): Holdings {
  const holdings = new Map<string, TaskMeta[]>();
  for (const projectId of view.projectIds()) {
    const project = view.project(projectId);
    if (project?.meta === undefined || isTerminalProject(project.meta.status)) continue;
    for (const { id, status } of project.plan.nodes) {
      const meta = status === 'delegated' ? view.task(id)?.meta : undefined;
      if (meta === undefined || meta.project_id !== projectId || !HOLDING.has(meta.status)) continue;
      const key = localpartKey(meta.assigned_to);
      const held = holdings.get(key);
      if (held === undefined) holdings.set(key, [meta]);
      else held.push(meta);
    }
  }
  return holdings;
}

/** How many tasks each of them holds. */
export function loadsOf(holdings: Holdings): Map<string, number> {
  return new Map([...holdings].map(([key, tasks]) => [key, tasks.length]));
}

/** What is not stored of an agent because it follows from the tasks (features.md §2.3). */
export interface Standing {
  readonly load: number;
  /** Ids. */
  readonly current_tasks: readonly string[];
  /** `OVERLOADED` above capacity, else as recorded. */
  readonly status: AgentRecord['status'] | 'OVERLOADED';
}

export function standingOf({ agent_id: id, status, max_concurrent: max }: AgentRecord, holdings: Holdings): Standing {
  const held = holdings.get(localpartKey(id)) ?? [];
  return {
    load: held.length,
    current_tasks: held.map(({ task_id: taskId }) => taskId),
    status: held.length > max ? 'OVERLOADED' : status,
  };
}
