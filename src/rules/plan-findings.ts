import { FlowError } from '../protocol/errors.ts';
import { localpartOf, resolveUserId, sameLocalpart, serverOf } from '../protocol/identity.ts';
import { projectPaths, taskPaths } from '../protocol/paths.ts';
import type { PlanNode } from '../protocol/plan-types.ts';
import type { TaskMeta } from '../protocol/records/types.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';
import { isTerminalNode, validateGraph } from './dag.ts';
import { disagreement } from './disagreement.ts';
import type { Disagreement } from './disagreement.ts';
import type { Finding } from './finding.ts';
import { isTerminalTask } from './lifecycle.ts';
import { isTerminalProject } from './project-lifecycle.ts';
import { resultFinding } from './result-findings.ts';
import { bringBack } from './shell.ts';

/** Findings about a project's work end with it. */
export const isOpen = ({ meta }: ProjectEntry): boolean => meta !== undefined && !isTerminalProject(meta.status);

/** Of a node of a plan against the record of its task. */
export function nodeFindings(view: WorkspaceView, entry: ProjectEntry, node: PlanNode): readonly Finding[] {
  if (!isOpen(entry) || isDisputed(entry, node)) return [];
  const { id: projectId } = entry;
  const task = view.task(node.id);
  const about = { projectId, taskId: node.id, file: projectPaths(projectId).plan, line: node.line };
  // What a sparse clone leaves out is not missing.
  if (task === undefined && view.isPartial) return [];
  if (task?.meta === undefined) {
    if (node.status !== 'delegated' || (task !== undefined && task.diagnostics.length > 0)) return [];
    return [
      {
        key: `missing-record:${node.id}`,
        kind: 'missing-task-record',
        severity: 'warning',
        ...about,
        message: `plan.md shows ${node.id} as delegated, but ${taskPaths(node.id).meta} is missing`,
        remedy: `bring the folder back: ${bringBack(taskPaths(node.id).dir)}; or the id if it was another one; or set the marker to [ ] and run \`baton task delegate ${projectId} ${node.id} --spec …\``,
        byHand: true,
      },
    ];
  }
  if (task.meta.project_id !== projectId) return [foreign(about, task.meta)];
  const differ = disagreement(node, task.meta);
  if (differ !== undefined) return [disagreeing(about, node, task.meta, differ)];
  const handedOn = otherAssignee(view, about, node, task.meta);
  const result = isTerminalNode(node.status) ? undefined : resultFinding(view, task.meta);
  return [handedOn, result].filter((finding) => finding !== undefined);
}

/** The lines of a plan of which it is not clear what they say, after a merge as text; `''` for a plan without any. */
export function disputes({ plan }: ProjectEntry): string {
  const found = plan.diagnostics.filter(({ rule }) => DISPUTES.has(rule));
  return found.map(({ rule, line }) => `${rule}:${line}`).join();
}

const DISPUTES: ReadonlySet<string> = new Set(['plan-conflict-marker', 'plan-duplicate-id']);

/** Whether a node stands there in two ways: nothing is decided on either before a person has chosen. */
function isDisputed(entry: ProjectEntry, { id }: PlanNode): boolean {
  const disputed = disputedIds(entry);
  return disputed === 'all' || disputed.has(id);
}

/** Found once for a plan, since it is asked for each of its nodes. */
const DISPUTED = new WeakMap<ProjectEntry, ReadonlySet<string> | 'all'>();

function disputedIds(entry: ProjectEntry): ReadonlySet<string> | 'all' {
  const known = DISPUTED.get(entry);
  if (known !== undefined) return known;
  const found = entry.plan.diagnostics.filter(({ rule }) => DISPUTES.has(rule));
  const disputed = found.some(({ rule }) => rule === 'plan-conflict-marker') ? 'all' : wordsInLines(entry, found);
  DISPUTED.set(entry, disputed);
  return disputed;
}

/** The words of the lines in which diagnostics stand. */
function wordsInLines({ planText }: ProjectEntry, found: readonly { readonly line: number }[]): ReadonlySet<string> {
  if (found.length === 0) return new Set();
  const lines = planText.split('\n');
  return new Set(found.flatMap(({ line }) => wordsOf(lines[line - 1])));
}

const wordsOf = (line = ''): readonly string[] => line.match(/[A-Za-z0-9._-]+/g) ?? [];

type About = Required<Pick<Finding, 'projectId' | 'taskId' | 'file' | 'line'>>;

function disagreeing({ file, line, ...about }: About, node: PlanNode, meta: TaskMeta, differ: Disagreement): Finding {
  const finding = {
    key: `disagree:${node.id}:${node.status}:${meta.status}`,
    kind: 'marker-and-record-disagree',
    severity: 'warning',
    ...about,
    message: differ.message,
  } as const;
  if (differ.repair !== undefined) {
    const input = { projectId: about.projectId, taskId: about.taskId };
    const remedy = `the node sets the ${differ.repair.side} to ${differ.repair.to}`;
    return { ...finding, remedy, repair: { operation: 'state.repair', input } };
  }
  return {
    ...finding,
    file,
    line,
    remedy: isTerminalTask(meta.status)
      ? `set the marker to [!], and plan a new node for further work: this task is ${meta.status} for good`
      : 'set the marker to [~], and to [x] once a result is submitted',
  };
}

/** A plan that gives work in progress to somebody else: the one does not know, and the other goes on. */
function otherAssignee(view: WorkspaceView, about: About, node: PlanNode, meta: TaskMeta): Finding | undefined {
  const { status, assigned_to: assignee, assigned_to_mxid: full } = meta;
  if (node.status !== 'delegated' || status === 'submitted' || sameLocalpart(node.assignee, assignee)) return undefined;
  const roster = view.agents().filter(({ role }) => role === 'worker');
  const resolved = resolveUserId(node.assignee, roster, serverOf(full ?? '') ?? 'local');
  const planned = localpartOf(resolved ?? node.assignee);
  if (planned === '' || sameLocalpart(planned, assignee)) return undefined;
  const begun = status === 'in_progress';
  return {
    key: `other-assignee:${node.id}:${planned}`,
    kind: 'other-assignee',
    severity: 'warning',
    ...about,
    message: `plan.md gives ${node.id} to ${planned}, but ${assignee} has it (${status})`,
    remedy: begun
      ? `give it back to ${assignee} in plan.md, or end it with \`baton task cancel ${node.id} --reason …\` and plan a new node`
      : `run \`baton task delegate ${about.projectId} ${node.id} --spec …\` to tell ${planned}, or give it back to ${assignee} in plan.md`,
  };
}

/** Lines that look like tasks and cannot be read. */
const UNREAD: ReadonlySet<string> = new Set(['plan-marker', 'plan-bullet', 'plan-separator']);

/** What may be an id on a line that cannot be read: a task that is missed there is told of by its line already. */
export function unreadIds(entry: ProjectEntry): ReadonlySet<string> {
  return wordsInLines(
    entry,
    entry.plan.diagnostics.filter(({ rule }) => UNREAD.has(rule)),
  );
}

/** A hand-edited graph that planning would have refused (protocol.md §6.5). Duplicate lines are diagnostics already. */
export function graphFindings(entry: ProjectEntry): readonly Finding[] {
  const { id: projectId, plan } = entry;
  const unread = unreadIds(entry);
  try {
    validateGraph(
      plan.nodes.map(({ id, dependsOn }) => ({ id, dependsOn: dependsOn.filter((it) => !unread.has(it)) })),
    );
    return [];
  } catch (thrown) {
    if (!(thrown instanceof FlowError)) throw thrown;
    const file = projectPaths(projectId).plan;
    const at = plan.nodes.find(({ id }) => id === thrown.data['taskId']);
    return [
      {
        key: `broken-graph:${projectId}:${thrown.message}`,
        kind: 'broken-graph',
        severity: 'error',
        projectId,
        file,
        ...(at === undefined ? {} : { line: at.line }),
        message: thrown.message,
        remedy: `mend depends: in that line, or send the whole graph with \`baton project plan ${projectId} --tasks …\``,
      },
    ];
  }
}

/** A project without a plan has nothing to do, which nobody means who created it. */
export function missingPlan(view: WorkspaceView, { id: projectId, plan }: ProjectEntry): readonly Finding[] {
  const file = projectPaths(projectId).plan;
  if (plan.nodes.length > 0 || plan.diagnostics.length > 0 || view.exists(file)) return [];
  return [
    {
      key: `missing-plan:${projectId}`,
      kind: 'missing-plan',
      severity: 'warning',
      projectId,
      file,
      message: `project ${projectId} has no plan.md`,
      remedy: `bring it back: ${bringBack(file)}; or send a graph with \`baton project plan ${projectId} --tasks …\``,
    },
  ];
}

function foreign(about: About, meta: TaskMeta): Finding {
  return {
    key: `foreign-record:${about.projectId}:${about.taskId}`,
    kind: 'foreign-task-record',
    severity: 'error',
    ...about,
    message: `${about.taskId} stands in the plan of ${about.projectId}, but its record belongs to project ${meta.project_id}`,
    remedy: 'give the node an id of its own',
  };
}

/** Work that goes on and stands in no plan. */
export function orphan(view: WorkspaceView, meta: TaskMeta): readonly Finding[] {
  const { task_id: taskId, project_id: projectId, status, submission_id: submission } = meta;
  const home = view.project(projectId);
  if (home !== undefined && unreadIds(home).has(taskId)) return [];
  const fence = submission === undefined ? '' : ` --submission-id ${submission}`;
  return [
    {
      key: `orphan:${taskId}`,
      kind: 'orphan-task',
      severity: 'warning',
      projectId,
      taskId,
      file: taskPaths(taskId).meta,
      message: `task ${taskId} is ${status}, but no plan holds it`,
      remedy: `bring its line back into ${projectPaths(projectId).plan} under this id, or end it with \`baton task cancel ${taskId} --reason …${fence}\``,
    },
  ];
}
