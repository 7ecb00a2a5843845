import { FlowError } from '../../protocol/errors.ts';
import { sameIdentity } from '../../protocol/identity.ts';
import { requireNewId } from '../../protocol/ids.ts';
import type { PlanNode, PlannedNode } from '../../protocol/plan-types.ts';
import { TASK_TYPES } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { validateGraph } from '../../rules/dag.ts';
import { isTerminalTask, markerFor } from '../../rules/lifecycle.ts';
import { presentNode } from '../present.ts';
import { findTask, refuseArchived } from '../shared.ts';
import { checkPlannedName } from '../task-flow/assignee.ts';
import type { OpenProject } from '../shared.ts';
import { inOneLine } from '../../protocol/one-line.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the `tasks` of plan_dag and plan_loop: a list of `{taskId, title, assignedTo, dependsOn?, type?}`, or its JSON text.
 * Throws `invalid-argument` with the phrases of protocol.md §10.11.
 */
export function readTasks(value: unknown): readonly PlannedNode[] {
  const list = typeof value === 'string' ? parseList(value) : value;
  if (!Array.isArray(list)) throw invalid('tasks must be a non-empty list');
  return list.map((item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item))
      throw invalid('tasks must be a list of objects');
    return readTask(item as Fields);
  });
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FlowError('invalid-argument', `tasks must be a JSON array: ${reason}`, { cause });
  }
}

function readTask(fields: Fields): PlannedNode {
  const id = textOf(fields['taskId'] ?? fields['task_id']);
  const title = textOf(fields['title']);
  const assignee = textOf(fields['assignedTo'] ?? fields['assigned_to']);
  if (id === '' || title === '' || assignee === '') throw invalid('taskId, title, and assignedTo are required');
  checkPlannedName(assignee);
  const dependsOn = readDependencies(id, fields['dependsOn'] ?? fields['depends_on'] ?? []);
  const type = readType(id, fields['type']);
  return { id, title, assignee: assignee === '-' ? '' : assignee, dependsOn, ...(type === undefined ? {} : { type }) };
}

/** features.md §7.7. A kind of work that nobody knows would never count for testing or review. */
function readType(id: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const type = TASK_TYPES.find((known) => known === textOf(value));
  if (type === undefined) throw invalid(`type of task ${id} must be one of: ${TASK_TYPES.join(', ')}`);
  return type;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? inOneLine(value) : '';
}

function readDependencies(id: string, value: unknown): readonly string[] {
  let list = value;
  if (typeof value === 'string' && value.trim() !== '') {
    try {
      list = JSON.parse(value);
    } catch {
      list = undefined;
    }
  } else if (typeof value === 'string') list = [];
  if (!Array.isArray(list) || list.some((item) => typeof item !== 'string')) {
    throw invalid(`dependsOn must be a list for task ${id}`);
  }
  const names = (list as readonly string[]).map((item) => item.trim()).filter((item) => item !== '');
  return [...new Set(names)];
}

export interface Replan {
  readonly nodes: readonly PlanNode[];
  readonly dropped: readonly Readonly<Record<string, unknown>>[];
  readonly warning?: string;
}

/**
 * What the graph becomes when `planned` replaces it (protocol.md §10.11): surviving ids keep their status, new ones
 * start pending, the rest is dropped. Throws before anything is written when the graph cannot be worked.
 */
export function replan(view: WorkspaceView, project: OpenProject, planned: readonly PlannedNode[]): Replan {
  const before = new Map(project.plan.nodes.map((node) => [node.id, node]));
  for (const { id } of planned) if (!before.has(id)) requireNewId(id, 'taskId');
  validateGraph(planned);
  const nodes = planned.map((node) => survivor(before.get(node.id), node) ?? newcomer(view, project.id, node));
  const kept = new Set(planned.map(({ id }) => id));
  const gone = project.plan.nodes.filter(({ id }) => !kept.has(id));
  const notes = [
    ...gone
      .filter(isDelegated)
      .map(({ id }) => `delegated task ${id} was dropped from the plan; cancel_task stops its worker`),
    ...nodes.filter(isDelegated).flatMap((node) => {
      const was = before.get(node.id)?.assignee ?? node.assignee;
      return isSamePerson(was, node.assignee)
        ? []
        : [
            `delegated task ${node.id} was reassigned from ${was} to ${node.assignee}; delegate_task tells the new worker`,
          ];
    }),
  ];
  return {
    nodes,
    dropped: gone.map(({ id, status }) => ({ task_id: id, status })),
    ...(notes.length === 0 ? {} : { warning: notes.join('; ') }),
  };
}

/** Spelled otherwise, or just the same: neither hands the work to somebody else. */
function isSamePerson(a: string, b: string): boolean {
  return a === b || sameIdentity(a, b);
}

function isDelegated({ status }: PlanNode): boolean {
  return status === 'delegated';
}

function survivor(was: PlanNode | undefined, planned: PlannedNode): PlanNode | undefined {
  if (was === undefined) return undefined;
  const { type, cancelled, status, line } = was;
  return {
    ...(type === undefined ? {} : { type }),
    ...planned,
    status,
    line,
    ...(cancelled === undefined ? {} : { cancelled }),
  };
}

/** An id that the plan does not hold now but that was worked before comes back as it stands, or not at all. */
function newcomer(view: WorkspaceView, projectId: string, planned: PlannedNode): PlanNode {
  const meta = findTask(view, planned.id);
  if (meta === undefined) {
    refuseArchived(planned.id, view.archivedTask(planned.id));
    return { ...planned, status: 'pending', line: 0 };
  }
  const data = { projectId, taskId: planned.id };
  if (meta.project_id !== projectId) {
    throw new FlowError('already-exists', `task already exists: ${planned.id} (in project ${meta.project_id})`, {
      data,
    });
  }
  if (isTerminalTask(meta.status)) {
    throw new FlowError(
      'illegal-transition',
      `task ${planned.id} is already ${meta.status} and cannot be planned again`,
      {
        remedy: 'plan the further work as a new node with a new id',
        data,
      },
    );
  }
  return { ...planned, status: markerFor(meta.status), line: 0 };
}

/** The part of the answer that both planning actions share. */
export function presentReplan({ dropped, warning }: Replan): Record<string, unknown> {
  return { dropped: [...dropped], ...(warning === undefined ? {} : { warning }) };
}

export function presentNodes(nodes: readonly PlanNode[]): Record<string, unknown>[] {
  return nodes.map(presentNode);
}

function invalid(message: string): FlowError {
  return new FlowError('invalid-argument', message, {
    remedy: 'tasks is a list of {taskId, title, assignedTo, dependsOn?, type?}',
  });
}
