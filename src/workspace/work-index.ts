import { join } from 'node:path';
import type { IndexReport, WorkIndex, WorkTree } from '../ports.ts';
import { isRecord } from '../protocol/json.ts';
import { projectPaths, taskPaths } from '../protocol/paths.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { projectFacts, skippedFile, taskFacts } from '../protocol/work/facts.ts';
import type { ProjectFacts, SkippedFile, TaskFacts, WorkFacts } from '../protocol/work/facts.ts';
import { indexEntries } from '../protocol/work/items.ts';
import { openDerivedFile } from './derived-file.ts';
import { look, resolveInside } from './safe-path.ts';
import { isSettled, signatureOf } from './signature.ts';

/** The form of the file; one of another form is made anew. */
const SCHEMA = 1;

/** An index of more than this is not written again after each command of a process that ends; its next reader mends it. */
const SMALL_BYTES = 256 * 1024;

/** As many folders are read at once where there is no index yet. */
const FEW_FOLDERS = 200;

/** What one folder said when its files had this signature; `''` trusts nothing. */
interface Kept<Facts> {
  readonly seen: string;
  readonly facts?: Facts;
  readonly skipped?: SkippedFile;
}

interface Content {
  readonly projects: Map<string, Kept<ProjectFacts>>;
  readonly tasks: Map<string, Kept<TaskFacts>>;
}

/**
 * `.baton/index.json` (features.md §2.4, S002-31, S002-35): what lists of work need of every folder, so that none is opened
 * that did not change. It is derived and may be deleted or damaged: every folder is looked at before its entry is believed.
 */
export function createWorkIndex(
  root: string,
  { workTree, millis }: { readonly workTree: WorkTree; readonly millis: () => number },
): WorkIndex {
  const file = openDerivedFile(join(root, '.baton'), 'index', SCHEMA);
  let content: Content | undefined;
  /** Whether the file on disk says less than is known. */
  let isBehind = false;

  const loaded = (): Content => (content ??= contentOf(file.load()) ?? { projects: new Map(), tasks: new Map() });

  /** The signature of a folder's records as they are on disk now. */
  const signatureNow = (paths: readonly string[]): string => {
    const now = millis();
    const parts = paths.map((path) => {
      const found = look(resolveInside(root, path));
      return isSettled(found, now) ? (signatureOf(found) ?? '-') : undefined;
    });
    return parts.includes(undefined) ? '' : parts.join(' ');
  };

  function refresh(view: WorkspaceView): WorkFacts {
    const { projects, tasks } = loaded();
    const projectIds = view.projectIds();
    const taskIds = view.taskIds();
    const stale = {
      projects: changed(projects, projectIds, (id) => signatureNow([projectPaths(id).meta, projectPaths(id).plan])),
      tasks: changed(tasks, taskIds, (id) => signatureNow([taskPaths(id).meta])),
    };
    const paths = [
      ...[...stale.projects.keys()].flatMap((id) => [projectPaths(id).meta, projectPaths(id).plan]),
      ...[...stale.tasks.keys()].map((id) => taskPaths(id).meta),
    ];
    if (paths.length > 0) {
      // A node may trust its watcher, which tells of a change a moment later than this look.
      workTree.invalidate(paths);
      const now = workTree.view();
      for (const [id, seen] of stale.projects) keep(projects, id, seen, now.project(id), projectFacts);
      for (const [id, seen] of stale.tasks) keep(tasks, id, seen, now.task(id), taskFacts);
    }
    const gone = [forget(projects, projectIds), forget(tasks, taskIds)].includes(true);
    isBehind ||= paths.length > 0 || gone;
    return factsIn(loaded());
  }

  function write(): void {
    if (!isBehind) return;
    isBehind = false;
    const present = loaded();
    file.write({
      entries: indexEntries(factsIn(present)),
      projects: Object.fromEntries(present.projects),
      tasks: Object.fromEntries(present.tasks),
    });
  }

  /** A disk that is full, or may not be read or written any more, costs speed only. */
  function save(isWanted: boolean): void {
    try {
      if (isWanted && (isSmall(file.path) || countFolders(workTree.view()) <= FEW_FOLDERS)) refresh(workTree.view());
      write();
    } catch {
      content = undefined;
    }
  }

  return {
    facts: () => refresh(workTree.view()),
    save: (options) => save(options?.changed === true),
    rebuild(): IndexReport {
      content = { projects: new Map(), tasks: new Map() };
      workTree.invalidate();
      const { projects, tasks, skipped } = refresh(workTree.view());
      isBehind = true;
      save(false);
      const rebuilt = projects.length + tasks.length;
      return { found: rebuilt + skipped.length, rebuilt, skipped };
    },
  };
}

/** Ids whose files are not as they were when their entry was made, each with how they are now. */
function changed(
  kept: ReadonlyMap<string, Kept<unknown>>,
  ids: readonly string[],
  signature: (id: string) => string,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const id of ids) {
    const seen = signature(id);
    if (seen === '' || kept.get(id)?.seen !== seen) found.set(id, seen);
  }
  return found;
}

function keep<Entry extends Parameters<typeof skippedFile>[0], Facts>(
  kept: Map<string, Kept<Facts>>,
  id: string,
  seen: string,
  entry: Entry | undefined,
  read: (entry: Entry) => Facts | undefined,
): void {
  if (entry === undefined) {
    kept.delete(id);
    return;
  }
  const facts = read(entry);
  const skipped = skippedFile(entry);
  kept.set(id, { seen, ...(facts === undefined ? {} : { facts }), ...(skipped === undefined ? {} : { skipped }) });
}

/** Whether anything was forgotten. */
function forget(kept: Map<string, unknown>, ids: readonly string[]): boolean {
  const present = new Set(ids);
  const gone = [...kept.keys()].filter((id) => !present.has(id));
  for (const id of gone) kept.delete(id);
  return gone.length > 0;
}

function factsIn({ projects, tasks }: Content): WorkFacts {
  const inOrder = <Facts>(kept: Map<string, Kept<Facts>>) =>
    [...kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  const [ofProjects, ofTasks] = [inOrder(projects), inOrder(tasks)];
  return {
    projects: ofProjects.flatMap(({ facts }) => facts ?? []),
    tasks: ofTasks.flatMap(({ facts }) => facts ?? []),
    skipped: [...ofProjects, ...ofTasks].flatMap(({ skipped }) => skipped ?? []),
  };
}

const countFolders = (view: WorkspaceView): number => view.projectIds().length + view.taskIds().length;

function isSmall(file: string): boolean {
  const size = look(file)?.size;
  return size !== undefined && size <= SMALL_BYTES;
}

function contentOf(value: unknown): Content | undefined {
  if (!isRecord(value)) return undefined;
  return { projects: mapOf(value['projects']), tasks: mapOf(value['tasks']) };
}

/** What the digest vouches for has the shape in which it was written. */
function mapOf<Facts>(value: unknown): Map<string, Kept<Facts>> {
  return new Map(Object.entries(value as Readonly<Record<string, Kept<Facts>>>));
}
