import { archiveMonths } from './archive.ts';
import type { ArchivedKind } from './archive.ts';
import { isReadableId } from './ids.ts';
import type { WorkspaceView } from './view.ts';
import { passing } from './passing.ts';

/**
 * A view for those who only look: what is asked of by its id, or by the path it had before, is found in the archive
 * as well. Lists stay those of live work.
 */
export function withArchive(view: WorkspaceView): WorkspaceView {
  const project: WorkspaceView['project'] = (id) => view.project(id) ?? view.archivedProject(id)?.entry;
  const task: WorkspaceView['task'] = (id) => view.task(id) ?? view.archivedTask(id)?.entry;
  const moved = (path: string): string => {
    const [, kind, id = '', rest = ''] = /^shared\/(projects|tasks)\/([^/]+)\/(.*)$/s.exec(path) ?? [];
    if (kind === undefined) return path;
    const isLive = (kind === 'projects' ? view.project(id) : view.task(id)) !== undefined;
    const there = isLive ? undefined : kind === 'projects' ? view.archivedProject(id) : view.archivedTask(id);
    return there === undefined ? path : there.dir + rest;
  };
  return {
    ...passing(view),
    text: (path) => view.text(moved(path)),
    exists: (path) => view.exists(moved(path)),
    list: (directory) => view.list(moved(directory)),
    project,
    task,
  };
}

/** Ids of all archived projects or tasks, those that ended last first. */
export function archivedIds(view: WorkspaceView, kind: ArchivedKind): readonly string[] {
  return archiveMonths((directory) => view.list(directory)).flatMap((month) =>
    view
      .list(`shared/archive/${month}/${kind}/`)
      .filter((name) => name.endsWith('/'))
      .map((name) => name.slice(0, -1))
      .filter((id) => isReadableId(id)),
  );
}
