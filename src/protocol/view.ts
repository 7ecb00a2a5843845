import type { Diagnostic } from './diagnostic.ts';
import type { Plan } from './plan-types.ts';
import type { TeamSettings } from './records/team-types.ts';
import type { AgentRecord, ProjectMeta, RoomBinding, TaskMeta } from './records/types.ts';

/** A project folder as read. `meta` is absent when its file is missing or broken; `diagnostics` then says why. */
export interface ProjectEntry {
  readonly id: string;
  readonly meta: ProjectMeta | undefined;
  readonly plan: Plan;
  /** `''` when there is no plan.md. */
  readonly planText: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** A task folder as read. */
export interface TaskEntry {
  readonly id: string;
  readonly meta: TaskMeta | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Ended work out of the way of live work (architecture.md, "Files and owners"): read-only, in the shape it had. */
export interface Archived<Entry> {
  readonly entry: Entry;
  /** `shared/archive/<YYYY-MM>/tasks/<id>/` */
  readonly dir: string;
}

/**
 * What the files say, for those who decide. A view answers from memory or reads lazily, but always the same
 * answer for the same question until it is replaced; nothing can be changed through it.
 */
export interface WorkspaceView {
  /** The text of a file, LF line ends as stored; `undefined` when it is absent or unreadable (see `diagnostics`). */
  text(path: string): string | undefined;
  /** Whether a file, or for a path ending in `/` a directory, is there. */
  exists(path: string): boolean;
  /** Names directly under a directory (directories end in `/`), sorted; empty when absent. */
  list(directory: string): readonly string[];

  /** Whether folders of tasks may be left out that the tree has: a sparse clone's work tree. */
  readonly isPartial: boolean;
  readonly team: TeamSettings;
  agents(): readonly AgentRecord[];
  agent(localpart: string): AgentRecord | undefined;

  /** The rooms that projects have of their own, archived ones too. */
  roomBindings(): readonly RoomBinding[];

  projectIds(): readonly string[];
  project(id: string): ProjectEntry | undefined;
  taskIds(): readonly string[];
  task(id: string): TaskEntry | undefined;

  /** A project or task that was archived, by id; `projectIds`, `taskIds` and all that is done with them leave it out. */
  archivedProject(id: string): Archived<ProjectEntry> | undefined;
  archivedTask(id: string): Archived<TaskEntry> | undefined;

  /** Everything wrong in every file that the view knows (team.json, agents, projects, tasks). Reads all of them. */
  diagnostics(): readonly Diagnostic[];
  /** Those of `diagnostics` that belong to no project and no task. */
  treeDiagnostics(): readonly Diagnostic[];
}

/** The least that a view is built from: a tree of texts. Disk, a commit, or a map in a test. */
export interface TreeReader {
  /** `problem` instead of `text` for what cannot be read as UTF-8 text (bad bytes, too large, a symlink). */
  read(path: string): { readonly text: string } | { readonly problem: Diagnostic } | undefined;
  exists(path: string): boolean;
  list(directory: string): readonly string[];
}
