import type { Change } from '../../protocol/changes.ts';
import { FlowError } from '../../protocol/errors.ts';
import { requireNewId } from '../../protocol/ids.ts';
import { projectPaths, taskPaths } from '../../protocol/paths.ts';
import { appendNode } from '../../protocol/plan/edit.ts';
import { parsePlan } from '../../protocol/plan/parse.ts';
import type { PlannedNode } from '../../protocol/plan-types.ts';
import { appendHistory } from '../../protocol/records/task.ts';
import type { EventDraft, ProjectMeta, TaskMeta } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { validateGraph } from '../../rules/dag.ts';
import { isTerminalProject } from '../../rules/project-lifecycle.ts';
import { checkBrokenPlan, historyEntry, notActive, refuseArchived } from '../shared.ts';
import type { AskedStep, OpenProject } from '../shared.ts';
import type { OperationContext } from '../types.ts';
import { localpartOf } from '../../protocol/identity.ts';
import { optional } from '../work-fields.ts';
import { taskEvent, writeMeta } from './common.ts';

/** A task that does not exist yet: its node, and what its record says beside that. */
export interface NewTask {
  readonly node: PlannedNode;
  readonly more: Partial<Omit<TaskMeta, 'task_id' | 'project_id' | 'task_title' | 'status'>>;
  /** Text of spec.md. */
  readonly spec?: string | undefined;
}

export interface PlannedTask {
  readonly meta: TaskMeta;
  /** The project with the new node in its plan. */
  readonly project: OpenProject;
  readonly changes: readonly Change[];
  readonly event: EventDraft;
}

/**
 * A task as a pending node of a project that is open, with a record of its own (features.md §2.3, §3.1 "create").
 * Throws `already-exists`, `illegal-transition`, `broken-file`, and `invalid-argument` for dependencies that are unknown.
 */
export function planTask(
  { view, now, actor }: Pick<OperationContext<unknown>, 'view' | 'now' | 'actor'>,
  project: OpenProject,
  { node, more, spec }: NewTask,
): PlannedTask {
  const { id, plan, meta: projectMeta } = project;
  requireUnended(projectMeta, { taskId: node.id, from: 'none', event: 'create' });
  checkBrokenPlan(project);
  requireFreeTaskId(view, node.id);
  requireKnown(plan.nodes, node);
  validateGraph([...plan.nodes, node]);
  const planText = appendNode(project.planText, node);
  const paths = taskPaths(node.id);
  const text = spec?.trim() ?? '';
  const meta = appendHistory(
    {
      task_id: node.id,
      project_id: id,
      task_title: node.title,
      assigned_to: localpartOf(node.assignee),
      status: 'pending',
      depends_on: [...node.dependsOn],
      ...optional('type', node.type),
      created_at: now,
      created_by: actor.localpart,
      ...(text === '' ? {} : { spec_path: paths.spec }),
      ...more,
    },
    historyEntry({ now, actor, action: 'create_task', from: 'none', to: 'planned' }),
  );
  return {
    meta,
    project: { ...project, planText, plan: parsePlan(planText) },
    changes: [
      { kind: 'write', path: projectPaths(id).plan, text: planText },
      writeMeta(meta),
      ...(text === '' ? [] : [{ kind: 'write', path: paths.spec, text: `${text}\n` } as const]),
    ],
    event: taskEvent('task.created', 'create_task', meta, { to: 'pending', note: node.title }),
  };
}

/** Nothing is added to a project that has ended. Throws `illegal-transition`. */
export function requireUnended(meta: ProjectMeta, step: AskedStep): void {
  if (isTerminalProject(meta.status)) throw notActive(meta, step, 'name a project that has not ended');
}

/** Of a single task, whose own id may be one that nobody has typed. Throws `invalid-argument`. */
function requireKnown(nodes: readonly Pick<PlannedNode, 'id'>[], { id, dependsOn }: PlannedNode): void {
  const known = new Set([...nodes.map((node) => node.id), id]);
  const missing = dependsOn.filter((dependency) => !known.has(dependency));
  if (missing.length === 0) return;
  throw new FlowError('invalid-argument', `payload.dependsOn names unknown tasks: ${missing.join(', ')}`, {
    remedy: 'name tasks of the same project',
  });
}

/** One namespace for projects and tasks (features.md C6). Throws `already-exists`, or `invalid-argument`. */
function requireFreeTaskId(view: WorkspaceView, wanted: string): void {
  const taskId = requireNewId(wanted, 'taskId');
  const folded = taskId.toLowerCase();
  const kind = view.taskIds().some((other) => other.toLowerCase() === folded)
    ? 'task'
    : view.projectIds().some((other) => other.toLowerCase() === folded)
      ? 'project'
      : undefined;
  if (kind !== undefined) {
    throw new FlowError('already-exists', `${kind} already exists: ${taskId}`, {
      remedy: 'choose another taskId, or leave it out to have one made',
      data: { taskId },
    });
  }
  refuseArchived(taskId, view.archivedTask(taskId));
  refuseArchived(taskId, view.archivedProject(taskId));
}
