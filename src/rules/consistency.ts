import type { Diagnostic } from '../protocol/diagnostic.ts';
import { projectPaths } from '../protocol/paths.ts';
import type { ProjectMeta } from '../protocol/records/types.ts';
import { reportRouting } from '../protocol/report.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';
import type { Finding } from './finding.ts';
import { isTerminalTask } from './lifecycle.ts';
import { missingPlan, nodeFindings, graphFindings, isOpen, orphan } from './plan-findings.ts';

export type { Finding } from './finding.ts';
export { nodeFindings } from './plan-findings.ts';

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
    ...(isOpen(entry) ? [...missingPlan(view, entry), ...graphFindings(entry)] : []),
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
      file: projectPaths(projectId).meta,
      message: `a report on ${projectId} is owed and reaches nobody: ${routing.problem}`,
      remedy: routing.remedy,
    },
  ];
}

/** Of a task's own record; `isPlanned` says whether any plan holds it. */
export function taskFindings(view: WorkspaceView, taskId: string, isPlanned: boolean): readonly Finding[] {
  const { meta, diagnostics = [] } = view.task(taskId) ?? {};
  const broken = diagnostics.map(brokenFile);
  return meta === undefined || isPlanned || isTerminalTask(meta.status) ? broken : [...broken, ...orphan(view, meta)];
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
