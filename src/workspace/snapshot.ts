import type { Diagnostic } from '../protocol/diagnostic.ts';
import { archiveDir, archiveMonths, inArchive } from '../protocol/archive.ts';
import type { ArchivedKind } from '../protocol/archive.ts';
import { isReadableId } from '../protocol/ids.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import { ROOM_BINDINGS, TEAM_PATH } from '../protocol/paths.ts';
import type { Archived, TreeReader, WorkspaceView } from '../protocol/view.ts';
import { brokenLogs } from './event-log.ts';
import { createParseCache } from './parse-cache.ts';
import type { ParseCache } from './parse-cache.ts';
import { AGENTS, readAgents, readBindings, readProject, readTask, readTeam, textOf } from './read-records.ts';
import type { EntryReader } from './read-records.ts';

const PROJECTS = 'shared/projects/';
const TASKS = 'shared/tasks/';

/**
 * What the files of `reader` say. Everything is read when first asked for and answered the same from then on;
 * `cache` lets later views of the same tree take over what was parsed.
 */
export function createView(
  reader: TreeReader,
  cache: ParseCache = createParseCache(),
  isPartial = false,
): WorkspaceView {
  const read = memo((path: string) => reader.read(path));
  const list = memo((directory: string) => reader.list(directory));
  const exists = memo((path: string) => reader.exists(path));
  const text = (path: string): string | undefined => textOf(read(path));

  const team = once(() => readTeam(read(TEAM_PATH), cache));
  const agents = once(() => readAgents(list(AGENTS), read, cache));
  const bindings = once(() => readBindings(list(ROOM_BINDINGS), read, cache));
  const project = memo((id: string) => readProject(id, read, list, cache));
  const task = memo((id: string) => readTask(id, read, list, cache));
  const months = once(() => archiveMonths(list));
  const archived = <Entry>(kind: ArchivedKind, readEntry: EntryReader<Entry>) =>
    memo((id: string): Archived<Entry> | undefined => {
      if (!isReadableId(id)) return undefined;
      const month = months().find((name) => exists(archiveDir(name, kind, id)));
      if (month === undefined) return undefined;
      const moved = (path: string): string => inArchive(month, path);
      const found = readEntry(
        id,
        (path) => read(moved(path)),
        (path) => list(moved(path)),
        cache,
      );
      return found === undefined ? undefined : { entry: found, dir: archiveDir(month, kind, id) };
    });
  const projectIds = once(() => idsIn(list(PROJECTS)));
  const taskIds = once(() => idsIn(list(TASKS)));
  const treeDiagnostics = once(() => [
    ...team().diagnostics,
    ...agents().diagnostics,
    ...bindings().diagnostics,
    ...strangeNames(PROJECTS, list(PROJECTS)),
    ...strangeNames(TASKS, list(TASKS)),
    ...brokenLogs(list, text),
  ]);
  const diagnostics = once(() => [
    ...treeDiagnostics(),
    ...projectIds().flatMap((id) => project(id)?.diagnostics ?? []),
    ...taskIds().flatMap((id) => task(id)?.diagnostics ?? []),
  ]);

  return {
    text,
    exists,
    list,
    isPartial,
    get team() {
      return team().team;
    },
    agents: () => agents().records,
    agent: (localpart) => agents().records.find((record) => sameLocalpart(record.agent_id, localpart)),
    roomBindings: () => bindings().records,
    projectIds,
    project,
    taskIds,
    task,
    archivedProject: archived('projects', readProject),
    archivedTask: archived('tasks', readTask),
    diagnostics,
    treeDiagnostics,
  };
}

function memo<Value>(compute: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined || known.has(key)) return found as Value;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}

function once<Value>(compute: () => Value): () => Value {
  const computed = memo(compute);
  return () => computed('');
}

function idsIn(names: readonly string[]): readonly string[] {
  return directoriesIn(names).filter((id) => isReadableId(id));
}

function directoriesIn(names: readonly string[]): readonly string[] {
  return names.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
}

/** Directories whose names are no ids hold nothing that Baton can name; they are reported instead of skipped in silence. */
function strangeNames(directory: string, names: readonly string[]): readonly Diagnostic[] {
  return directoriesIn(names)
    .filter((name): boolean => !isReadableId(name))
    .map((name) => ({
      rule: 'invalid-id',
      severity: 'error',
      message: `invalid id: the name of ${directory}${name}/ must be a safe id: ${name}`,
      file: `${directory}${name}/`,
      line: 1,
      column: 1,
      expected: 'letters, digits, dots, hyphens and underscores',
    }));
}

export { memoryReader, overlayReader } from './readers.ts';
