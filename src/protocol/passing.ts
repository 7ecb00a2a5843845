import type { WorkspaceView } from './view.ts';

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
