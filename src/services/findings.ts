import type { PlanNode } from '../protocol/plan-types.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';
import { nodeFindings, projectFindings, taskFindings, treeFindings } from '../rules/consistency.ts';
import { disputes, unreadIds } from '../rules/plan-findings.ts';
import { rosterFooting } from '../rules/roster.ts';
import type { Finding } from '../rules/consistency.ts';

/** What a look is about: only these, or everything. */
export type Scope = Part | 'all';

export interface Part {
  readonly projects: ReadonlySet<string>;
  readonly tasks: ReadonlySet<string>;
  /** Also the files that belong to no project and no task. */
  readonly tree: boolean;
}

export interface Findings {
  /** What has to be looked at when `scope` has changed: everything, where others are on the roster than everything was looked at by. */
  reach(view: WorkspaceView, scope: Scope): Scope;
  /** Everything that does not fit together now, when nothing outside `scope`, as `reach` has it, has changed since the last call. */
  look(view: WorkspaceView, scope: Part): readonly Finding[];
  /**
   * Looks at everything in pieces of some milliseconds, so that whoever asks something meanwhile need not wait for all
   * of it. Each piece sees the tree as it is by then.
   */
  lookAtAll(pieces: Pieces): Promise<readonly Finding[]>;
}

export interface Pieces {
  readonly view: () => WorkspaceView;
  /** Milliseconds that only grow. */
  readonly elapsed: () => number;
  /** Lets others go on. */
  readonly pause: () => Promise<void>;
}

/** Milliseconds for which a look at everything lets nobody else go on. */
const PIECE = 15;

/** What the paths that changed may have something to do with. */
export function scopeOf(paths: readonly string[]): Scope {
  const projects = new Set<string>();
  const tasks = new Set<string>();
  let tree = false;
  for (const path of paths) {
    const [shared, kind, id = '', ...rest] = path.split('/');
    if (shared !== 'shared' || kind === 'events' || kind === 'archive') continue;
    // What else rests on agents is told by `reach`; on the rooms' files nothing does.
    if (kind === 'agents' || kind === 'roomflow') tree = true;
    else if (id === '' || rest.length === 0 || !(kind === 'projects' || kind === 'tasks')) return 'all';
    else (kind === 'projects' ? projects : tasks).add(id);
  }
  return { projects, tasks, tree };
}

export function widened(first: Scope, second: Scope): Scope {
  if (first === 'all' || second === 'all') return 'all';
  return {
    projects: new Set([...first.projects, ...second.projects]),
    tasks: new Set([...first.tasks, ...second.tasks]),
    tree: first.tree || second.tree,
  };
}

/** In the place of a roster that changed while everything was looked at. */
const MIXED = 'mixed';

/** What every node of a project is looked at by. */
const footingOf = (entry: ProjectEntry | undefined): string =>
  entry === undefined ? '' : `${entry.meta?.status ?? ''} ${disputes(entry)}`;

/** The tasks that lines without a readable task may be about. */
function unreadIn(view: WorkspaceView, entries: readonly (ProjectEntry | undefined)[]): readonly string[] {
  const words = entries.flatMap((entry) => (entry === undefined ? [] : [...unreadIds(entry)]));
  return words.filter((word) => view.task(word) !== undefined);
}

interface Known {
  readonly entry: ProjectEntry;
  readonly nodes: ReadonlyMap<string, PlanNode>;
}

/**
 * Remembers the findings of the last look by project, node and task, so that a look after a change costs what the
 * change costs and not what the tree costs. Its answer is that of `findInconsistencies` in another order.
 */
export function createFindings(): Findings {
  const projects = new Map<string, Known>();
  /** Task id → the projects whose plans hold it: one, unless somebody made a mistake. */
  const homes = new Map<string, Set<string>>();
  const found = new Map<string, readonly Finding[]>();
  /** Of the roster by which all of this was found; `undefined` until everything was looked at. */
  let roster: string | undefined;

  const isOfOthers = (view: WorkspaceView): boolean => rosterFooting(view.agents()) !== roster;

  function put(key: string, findings: readonly Finding[]): void {
    if (findings.length === 0) found.delete(key);
    else found.set(key, findings);
  }

  /** Until everything was looked at nobody knows which plans hold a task: its record says of which project it is. */
  function isHeldAtHome(view: WorkspaceView, id: string): boolean {
    const home = view.task(id)?.meta?.project_id;
    return home !== undefined && (view.project(home)?.plan.nodes.some((node) => node.id === id) ?? false);
  }

  function lookAtTask(view: WorkspaceView, id: string): void {
    const among = homes.get(id) ?? new Set();
    const isPlanned = among.size > 0 || (roster === undefined && isHeldAtHome(view, id));
    put(`task:${id}`, taskFindings(view, id, isPlanned));
    for (const home of among) {
      const { entry, nodes } = projects.get(home) ?? {};
      const node = nodes?.get(id);
      if (entry !== undefined && node !== undefined) put(`node:${home}/${id}`, nodeFindings(view, entry, node));
    }
  }

  function leave(view: WorkspaceView, project: string, task: string): void {
    found.delete(`node:${project}/${task}`);
    homes.get(task)?.delete(project);
    lookAtTask(view, task);
  }

  function lookAtProject(view: WorkspaceView, id: string): void {
    const before = projects.get(id);
    const entry = view.project(id);
    const nodes = new Map(entry?.plan.nodes.map((node) => [node.id, node]));
    if (entry === undefined) {
      put(`project:${id}`, []);
      projects.delete(id);
    } else {
      put(`project:${id}`, projectFindings(view, entry));
      projects.set(id, { entry, nodes });
    }
    for (const gone of before?.nodes.keys() ?? []) if (!nodes.has(gone)) leave(view, id, gone);
    for (const task of unreadIn(view, [before?.entry, entry])) lookAtTask(view, task);
    const known = footingOf(before?.entry) === footingOf(entry) ? before?.nodes : undefined;
    for (const [task, node] of nodes) {
      if (known?.get(task) === node) continue;
      homes.set(task, (homes.get(task) ?? new Set()).add(id));
      lookAtTask(view, task);
    }
  }

  /** A record is only compared with a plan of the same view: one that was edited since is looked at as well. */
  function outdated(view: WorkspaceView, tasks: ReadonlySet<string>): readonly string[] {
    const among = new Set([...tasks].flatMap((id) => [...(homes.get(id) ?? [])]));
    return [...among].filter((id) => view.project(id)?.plan !== projects.get(id)?.entry.plan);
  }

  const all = (): readonly Finding[] => [...found.values()].flat();

  return {
    reach(view, scope) {
      if (scope === 'all') return 'all';
      return (roster === undefined ? scope.tree : isOfOthers(view)) ? 'all' : scope;
    },
    look(view, scope) {
      if (scope.tree) put('tree', treeFindings(view));
      for (const id of [...scope.projects, ...outdated(view, scope.tasks)]) lookAtProject(view, id);
      for (const id of scope.tasks) lookAtTask(view, id);
      return all();
    },
    async lookAtAll({ view, elapsed, pause }) {
      for (const memory of [projects, homes, found]) memory.clear();
      let now = view();
      let begun = elapsed();
      roster = rosterFooting(now.agents());
      put('tree', treeFindings(now));
      const each = async (ids: readonly string[], visit: (id: string) => void): Promise<void> => {
        for (const id of ids) {
          visit(id);
          if (elapsed() - begun < PIECE) continue;
          await pause();
          now = view();
          if (isOfOthers(now)) roster = MIXED;
          begun = elapsed();
        }
      };
      await each(now.projectIds(), (id) => lookAtProject(now, id));
      // The others were looked at with their projects.
      await each(now.taskIds(), (id) => homes.has(id) || lookAtTask(now, id));
      return all();
    },
  };
}
