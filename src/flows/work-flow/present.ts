import type { WorkItem } from '../../protocol/work/items.ts';

/** One piece of work as answers list it. */
export function presentItem(item: WorkItem, archived?: true): Record<string, unknown> {
  const { kind, id, title, status, priority, progress, eta, created, active, reason } = item;
  return Object.fromEntries(
    Object.entries({
      kind,
      id,
      title,
      status,
      phase: item.kind === 'composite' ? item.phase : undefined,
      priority,
      progress,
      eta,
      created_at: created,
      active_at: active,
      reason,
      ...(item.kind === 'composite'
        ? {
            subtask_count: item.subtasks.length,
            subtasks_done: item.subtasks.filter((task) => task.status === 'completed').length,
          }
        : {
            project_id: item.projectId,
            assigned_to: item.assignee === '' ? undefined : item.assignee,
            depends_on: [...item.dependsOn],
            type: item.type,
          }),
      archived,
    }).filter(([, value]) => value !== undefined),
  );
}
