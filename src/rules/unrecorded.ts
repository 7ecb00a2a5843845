import { localpartOf } from '../protocol/identity.ts';
import type { PlanNode } from '../protocol/plan-types.ts';
import type { ProjectMeta, TaskMeta } from '../protocol/records/types.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';

/**
 * A pending line of a plan that has no record yet, as the record that its first step writes (features.md §2.3). It is as old as
 * the last planning that brought new tasks, since a line alone does not say which brought it.
 */
export function unrecordedTask({ project_id: projectId, ...project }: ProjectMeta, node: PlanNode): TaskMeta {
  const created = project.planned_at ?? project.created_at;
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

/**
 * The record of a node, or what stands for it while it is pending and has none. `undefined` for a record that is broken or another
 * project's, and for a node of which the plan says more than that it is pending.
 */
export function taskOfNode(view: WorkspaceView, { id, meta }: ProjectEntry, node: PlanNode): TaskMeta | undefined {
  const entry = view.task(node.id);
  if (entry !== undefined) return entry.meta?.project_id === id ? entry.meta : undefined;
  return meta === undefined || node.status !== 'pending' ? undefined : unrecordedTask(meta, node);
}
