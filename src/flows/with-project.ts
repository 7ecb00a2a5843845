import { passing } from '../protocol/passing.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';

/** The view as it will be once this project is written. */
export function withProject(view: WorkspaceView, entry: ProjectEntry): WorkspaceView {
  return {
    ...passing(view),
    projectIds: () => [...new Set([...view.projectIds(), entry.id])],
    project: (id) => (id === entry.id ? entry : view.project(id)),
  };
}
