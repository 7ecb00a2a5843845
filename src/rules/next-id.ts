import { INBOX, nodeId, numberedId, numberOfId, numberOfNode } from '../protocol/ids.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';
import { archivedIds } from '../protocol/with-archive.ts';

/**
 * The next `TASK-NNN` (features.md §7.6), or whatever `policies.idPrefix` says in place of `TASK`: one more than the highest
 * that any project, task or node of the inbox has or had, so that no id ever means two things. Two clones that give out the same one meet at the push: who comes second decides
 * again on the newer tree, and gets the next.
 */
export function nextTaskId(view: WorkspaceView): string {
  const ids = [
    view.projectIds(),
    view.taskIds(),
    archivedIds(view, 'projects'),
    archivedIds(view, 'tasks'),
    view.project(INBOX)?.plan.nodes.map(({ id }) => id) ?? [],
  ].flat();
  const { idPrefix } = view.team.policies;
  return numberedId(1 + highest(ids, (id) => numberOfId(id, idPrefix)), idPrefix);
}

/** The next `<projectId>-NN`, past every node and task that the project has or had. */
export function nextNodeId(view: WorkspaceView, { id: projectId, plan }: Pick<ProjectEntry, 'id' | 'plan'>): string {
  const ids = [plan.nodes.map(({ id }) => id), view.taskIds(), archivedIds(view, 'tasks')].flat();
  return nodeId(projectId, 1 + highest(ids, (id) => numberOfNode(projectId, id)));
}

function highest(ids: readonly string[], numberOf: (id: string) => number | undefined): number {
  return ids.reduce((most, id) => Math.max(most, numberOf(id) ?? 0), 0);
}
