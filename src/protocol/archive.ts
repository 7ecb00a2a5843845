/** Where ended work lies, by the month of its end: `shared/archive/<YYYY-MM>/{projects,tasks}/<id>/`. */
const ARCHIVE = 'shared/archive/';

export type ArchivedKind = 'projects' | 'tasks';

const MONTH = /^\d{4}-(?:0[1-9]|1[0-2])$/;

/** The folder of one archived project or task; `month` as `YYYY-MM`. Ends in `/`. */
export function archiveDir(month: string, kind: ArchivedKind, id: string): string {
  return `${ARCHIVE}${month}/${kind}/${id}/`;
}

/** The months that hold archived work, newest first: most of what is looked up ended lately. */
export function archiveMonths(list: (directory: string) => readonly string[]): readonly string[] {
  return list(ARCHIVE)
    .filter((name) => name.endsWith('/'))
    .map((name) => name.slice(0, -1))
    .filter((name) => MONTH.test(name))
    .sort()
    .toReversed();
}

/** Where a path below `shared/projects/` or `shared/tasks/` lies once it is archived: the shape stays the same. */
export function inArchive(month: string, path: string): string {
  return path.replace(/^shared\//, `${ARCHIVE}${month}/`);
}
