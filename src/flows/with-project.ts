import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';

/** The view as it will be once this project is written. */
export function withProject(view: WorkspaceView, entry: ProjectEntry): WorkspaceView {
  return {
    ...passing(view),
    projectIds: () => [...new Set([...view.projectIds(), entry.id])],
    project: (id) => (id === entry.id ? entry : view.project(id)),
  };
}

/** The same view, to lay something over: its questions are methods, which a spread would part from it. */
export function passing(view: WorkspaceView): WorkspaceView {
  return {
    text: (path) => view.text(path),
    exists: (path) => view.exists(path),
    list: (directory) => view.list(directory),
    isPartial: view.isPartial,
    team: view.team,
    agents: () => view.agents(),
    agent: (localpart) => view.agent(localpart),
    roomBindings: () => view.roomBindings(),
    projectIds: () => view.projectIds(),
    project: (id) => view.project(id),
    taskIds: () => view.taskIds(),
    task: (id) => view.task(id),
    archivedProject: (id) => view.archivedProject(id),
    archivedTask: (id) => view.archivedTask(id),
    diagnostics: () => view.diagnostics(),
    treeDiagnostics: () => view.treeDiagnostics(),
  };
}
