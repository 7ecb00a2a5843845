import type { Diagnostic } from '../protocol/diagnostic.ts';
import { FlowError } from '../protocol/errors.ts';
import { projectPaths, taskPaths } from '../protocol/paths.ts';
import type { PlanNode } from '../protocol/plan-types.ts';
import type { ProjectMeta, TaskMeta } from '../protocol/records/types.ts';
import { reportRouting } from '../protocol/report.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';
import { isTerminalNode, validateGraph } from './dag.ts';
import { disagreement } from './disagreement.ts';
import type { Finding } from './finding.ts';
import { isTerminalProject, isTerminalTask } from './lifecycle.ts';
import { resultFinding } from './result-findings.ts';

export type { Finding } from './finding.ts';

/**
 * Everything in the tree that does not fit together: broken files, broken graphs, markers against records, records
 * against results. Reads all; changes nothing; the same tree gives the same findings in the same order.
 */
export function findInconsistencies(view: WorkspaceView): readonly Finding[] {
  const entries = view.projectIds().flatMap((id) => view.project(id) ?? []);
  const planned = new Set(entries.flatMap(({ plan }) => plan.nodes.map(({ id }) => id)));
  return [
    ...treeFindings(view),
    ...entries.flatMap((entry) => [
      ...projectFindings(view, entry),
      ...entry.plan.nodes.flatMap((node) => nodeFindings(view, entry, node)),
    ]),
    ...view.taskIds().flatMap((id) => taskFindings(view, id, planned.has(id))),
  ];
}

/** Of the files that belong to no project and no task. */
export function treeFindings(view: WorkspaceView): readonly Finding[] {
  return view.treeDiagnostics().map(brokenFile);
}

/** Of a project's own files: what cannot be read, a report that reaches nobody, a graph that cannot be worked through. */
export function projectFindings(view: WorkspaceView, entry: ProjectEntry): readonly Finding[] {
  const { meta, diagnostics } = entry;
  return [
    ...diagnostics.map(brokenFile),
    ...(meta === undefined ? [] : routeFindings(view, meta)),
    ...(isOpen(entry) ? graphFindings(entry) : []),
  ];
}

/** A report that is owed and can go nowhere (protocol.md §14.1); a runtime of another channel fetches its own. */
function routeFindings(view: WorkspaceView, meta: ProjectMeta): readonly Finding[] {
  if (meta.requester_report?.pending !== true) return [];
  const routing = reportRouting({ meta, team: view.team, agents: view.agents() });
  if (routing.kind !== 'nowhere') return [];
  const { project_id: projectId } = meta;
  return [
    {
      key: `no-report-route:${projectId}`,
      kind: 'no-report-route',
      severity: 'warning',
      projectId,
      message: `a report on ${projectId} is owed and reaches nobody: ${routing.problem}`,
      remedy: `${routing.remedy} (${projectPaths(projectId).meta})`,
    },
  ];
}

/** Of a task's own record; `isPlanned` says whether any plan holds it. */
export function taskFindings(view: WorkspaceView, taskId: string, isPlanned: boolean): readonly Finding[] {
  const { meta, diagnostics = [] } = view.task(taskId) ?? {};
  const broken = diagnostics.map(brokenFile);
  return meta === undefined || isPlanned || isTerminalTask(meta.status) ? broken : [...broken, orphan(meta)];
}

/** Findings about a project's work end with it. */
const isOpen = ({ meta }: ProjectEntry): boolean => meta !== undefined && !isTerminalProject(meta.status);

/** Of a node of a plan against the record of its task. */
export function nodeFindings(view: WorkspaceView, entry: ProjectEntry, node: PlanNode): readonly Finding[] {
  if (!isOpen(entry)) return [];
  const { id: projectId } = entry;
  const task = view.task(node.id);
  const about = { projectId, taskId: node.id };
  if (task?.meta === undefined) {
    if (node.status !== 'delegated' || (task !== undefined && task.diagnostics.length > 0)) return [];
    return [
      {
        key: `missing-record:${node.id}`,
        kind: 'missing-task-record',
        severity: 'warning',
        ...about,
        message: `plan.md shows ${node.id} as delegated, but ${taskPaths(node.id).meta} is missing`,
        remedy: 'set its marker back to [ ] and delegate it again',
      },
    ];
  }
  if (task.meta.project_id !== projectId) return [foreign(about, task.meta)];
  const differ = disagreement(node, task.meta);
  if (differ === undefined) {
    const finding = isTerminalNode(node.status) ? undefined : resultFinding(view, task.meta);
    return finding === undefined ? [] : [finding];
  }
  return [
    {
      key: `disagree:${node.id}:${node.status}:${task.meta.status}`,
      kind: 'marker-and-record-disagree',
      severity: 'warning',
      ...about,
      message: differ.message,
      remedy:
        differ.repair === undefined
          ? `decide which is right and edit ${projectPaths(projectId).plan}`
          : `the node sets the ${differ.repair.side} to ${differ.repair.to}`,
      ...(differ.repair === undefined ? {} : { repair: { operation: 'state.repair', input: about } }),
    },
  ];
}

/** A hand-edited graph that planning would have refused (protocol.md §6.5). Duplicate lines are diagnostics already. */
function graphFindings({ id: projectId, plan }: ProjectEntry): readonly Finding[] {
  try {
    validateGraph(plan.nodes);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof FlowError)) throw thrown;
    return [
      {
        key: `broken-graph:${projectId}:${thrown.message}`,
        kind: 'broken-graph',
        severity: 'error',
        projectId,
        message: `${projectPaths(projectId).plan}: ${thrown.message}`,
        remedy: 'edit the plan, or send the whole graph with plan_dag',
      },
    ];
  }
}

function foreign(about: { readonly projectId: string; readonly taskId: string }, meta: TaskMeta): Finding {
  return {
    key: `foreign-record:${about.projectId}:${about.taskId}`,
    kind: 'foreign-task-record',
    severity: 'error',
    ...about,
    message: `${about.taskId} stands in the plan of ${about.projectId}, but its record belongs to project ${meta.project_id}`,
    remedy: 'give the node an id of its own',
  };
}

function orphan({ task_id: taskId, project_id: projectId, status }: TaskMeta): Finding {
  return {
    key: `orphan:${taskId}`,
    kind: 'orphan-task',
    severity: 'warning',
    projectId,
    taskId,
    message: `task ${taskId} is ${status}, but no plan holds it`,
    remedy: 'cancel it, or plan it again under its id',
  };
}

function brokenFile(diagnostic: Diagnostic): Finding {
  const { rule, severity, message, line, column, file = '<text>', expected } = diagnostic;
  const [, folder, id] = /^shared\/(projects|tasks)\/([^/]+)\//.exec(file) ?? [];
  return {
    key: `broken-file:${file}:${rule}:${line}:${column}`,
    kind: 'broken-file',
    severity,
    ...(folder === 'projects' && id !== undefined ? { projectId: id } : {}),
    ...(folder === 'tasks' && id !== undefined ? { taskId: id } : {}),
    message: `${file}:${line}:${column} [${rule}] ${message}`,
    remedy: expected === undefined ? `mend ${file} by hand` : `mend ${file} by hand: expected ${expected}`,
  };
}
