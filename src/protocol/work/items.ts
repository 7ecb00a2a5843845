import type { NodeStatus } from '../plan-types.ts';
import type { Phase, Priority, ProjectStatus, TaskStatus } from '../records/types.ts';
import { projectWord, taskWord } from './words.ts';
import type { NodeFacts, ProjectFacts, TaskFacts, WorkFacts } from './facts.ts';

interface Item {
  readonly id: string;
  readonly title: string;
  readonly priority: Priority;
  /** 0 to 100. */
  readonly progress: number;
  readonly eta?: string;
  readonly created?: string;
  /** When something last happened to it. */
  readonly active?: string;
  /** Why it stands still or has failed. */
  readonly reason?: string;
}

/** One unit of work: a node of a plan, with what its record says. */
export interface TaskItem extends Item {
  readonly kind: 'task';
  readonly projectId: string;
  /** Whether it is a subtask: a node of a composite project. */
  readonly isSubtask: boolean;
  readonly status: TaskStatus;
  readonly assignee: string;
  readonly dependsOn: readonly string[];
  readonly type?: string;
}

/** A composite project, which is one piece of work made of several (features.md C1). */
export interface CompositeItem extends Item {
  readonly kind: 'composite';
  readonly status: ProjectStatus;
  readonly phase?: Phase;
  readonly subtasks: readonly TaskItem[];
}

export type WorkItem = TaskItem | CompositeItem;

/** Whether nothing more is to be done about it (S002-09); what is blocked waits for somebody. */
export function isEnded({ status }: Pick<WorkItem, 'status'>): boolean {
  return ENDED.has(status);
}

const ENDED: ReadonlySet<TaskStatus | ProjectStatus> = new Set([
  'completed',
  'failed',
  'rejected',
  'cancelled',
  'revision',
  'superseded',
]);

const DEFAULT_PRIORITY: Priority = 'P2';

/**
 * The union that every list of work shows (features.md §2.5): each task of each plan, and each composite project with its
 * subtasks in it as well. Tasks that were replaced by others are left out. Oldest ids first within a kind of project.
 */
export function workItems({ projects, tasks }: Pick<WorkFacts, 'projects' | 'tasks'>): readonly WorkItem[] {
  const records = new Map(tasks.map((task) => [task.id, task]));
  const planned = new Set<string>();
  const items = projects.flatMap((project): readonly WorkItem[] => {
    for (const node of project.nodes) planned.add(node.id);
    const own = projectTasks(project, records);
    return project.mode === 'composite' ? [compositeItem(project, own), ...own] : own;
  });
  const known = new Map(projects.map((project) => [project.id, project]));
  const loose = tasks.flatMap((task) => {
    const isKept = planned.has(task.id) || task.status === 'superseded';
    return isKept ? [] : [taskItem(undefined, task, known.get(task.projectId))];
  });
  return [...items, ...loose];
}

/** The tasks of one project, in the order of its plan. `records` may hold those of others as well. */
export function projectTasks(project: ProjectFacts, records: ReadonlyMap<string, TaskFacts>): readonly TaskItem[] {
  return project.nodes.flatMap((node) => {
    const found = records.get(node.id);
    const record = found?.projectId === project.id ? found : undefined;
    return record?.status === 'superseded' ? [] : [taskItem(node, record, project)];
  });
}

/** A composite project as one item; its progress is the mean of its subtasks', except of those that were cancelled. */
export function compositeItem(project: ProjectFacts, subtasks: readonly TaskItem[]): CompositeItem {
  const { id, title, status, phase, priority = DEFAULT_PRIORITY, eta, created, reason } = project;
  const counted = subtasks.filter((task) => task.status !== 'cancelled');
  const total = counted.reduce((sum, { progress }) => sum + progress, 0);
  const active = [created, ...subtasks.map((task) => task.active)]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  return {
    kind: 'composite',
    id,
    title,
    status,
    ...given({ phase, eta, created, reason, active }),
    priority,
    progress: status === 'completed' ? 100 : counted.length === 0 ? 0 : Math.round(total / counted.length),
    subtasks,
  };
}

function taskItem(
  node: NodeFacts | undefined,
  record: TaskFacts | undefined,
  project: ProjectFacts | undefined,
): TaskItem {
  const status = stateOf(node, record);
  // The plan says what a task is, its record who has it and how far it is.
  const { id, title, dependsOn, type } = { ...NOBODY, ...record, ...node };
  const { projectId, priority, progress, eta, created, active, reason } = {
    ...NOBODY,
    ...given({ priority: project?.priority }),
    ...record,
  };
  const owner = record?.assignee ?? '';
  return {
    kind: 'task',
    id,
    projectId: project?.id ?? projectId,
    isSubtask: project?.mode === 'composite',
    title,
    status,
    priority,
    progress: status === 'completed' ? 100 : progress,
    assignee: owner === '' ? (node?.assignee ?? '') : owner,
    dependsOn,
    ...given({ type, eta, created, active, reason }),
  };
}

/** What is known of a task of which nothing is said. */
const NOBODY: Required<Pick<TaskFacts, 'id' | 'projectId' | 'title' | 'dependsOn' | 'priority' | 'progress'>> &
  Partial<TaskFacts> = { id: '', projectId: '', title: '', dependsOn: [], priority: DEFAULT_PRIORITY, progress: 0 };

/**
 * Where a task stands when its marker and its record are taken together (features.md §2.3): the marker says whether it is
 * accepted or over, the record how far it is.
 */
function stateOf(node: NodeFacts | undefined, record: TaskFacts | undefined): TaskStatus {
  const marked = node?.status;
  if (marked === 'completed') return 'completed';
  if (record === undefined) return MARKED[marked ?? 'pending'];
  const isOver = marked !== undefined && OVER.has(marked);
  // A record that is accepted although its marker is not has lost that acceptance.
  if (record.status === 'completed' && !isOver) return marked === undefined ? 'completed' : 'submitted';
  return isOver && !STOPPED.has(record.status) ? MARKED[marked] : record.status;
}

/** What a marker says by itself. */
const MARKED: Readonly<Record<NodeStatus, TaskStatus>> = {
  pending: 'pending',
  delegated: 'assigned',
  completed: 'completed',
  blocked: 'blocked',
  revision: 'revision',
  cancelled: 'cancelled',
};

/** Markers that end a task, and states that `[!]` may stand for. */
const OVER: ReadonlySet<NodeStatus> = new Set(['blocked', 'revision', 'cancelled']);
const STOPPED: ReadonlySet<TaskStatus> = new Set(['failed', 'blocked', 'cancelled']);

/** One line of the index (S002-35). */
export interface IndexEntry {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly priority: Priority;
  readonly created?: string;
  readonly subtask_count: number;
  readonly subtasks_done: number;
}

/** The work items that are no part of another, in the task engine's words. */
export function indexEntries(facts: Pick<WorkFacts, 'projects' | 'tasks'>): readonly IndexEntry[] {
  return workItems(facts).flatMap((item): readonly IndexEntry[] => {
    if (item.kind === 'task' && item.isSubtask) return [];
    const status = item.kind === 'composite' ? projectWord(item) : (taskWord(item.status) ?? item.status);
    const { id, title, priority, created } = item;
    const subtasks = item.kind === 'composite' ? item.subtasks : [];
    const done = subtasks.filter((task) => task.status === 'completed').length;
    return [
      { id, title, status, priority, ...given({ created }), subtask_count: subtasks.length, subtasks_done: done },
    ];
  });
}

function given<Values extends object>(
  values: Values,
): { readonly [Key in keyof Values]?: Exclude<Values[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
