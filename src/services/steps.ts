import { createHash } from 'node:crypto';
import { sameLocalpart } from '../protocol/identity.ts';
import { taskPaths } from '../protocol/paths.ts';
import type { Actor } from '../protocol/records/types.ts';
import { leads } from '../protocol/roles.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { automaticWork } from '../rules/acceptance.ts';
import type { Finding } from '../rules/consistency.ts';
import { reportDue, reportMessage } from '../rules/reports.ts';
import type { DeliveryDependencies } from './deliveries.ts';
import type { Scope } from './findings.ts';

/** What one look at the tree has shown. */
export interface Look {
  readonly view: WorkspaceView;
  readonly findings: readonly Finding[];
  readonly scope: Scope;
}

export interface StepDependencies extends Pick<DeliveryDependencies, 'identity' | 'outbox'> {
  readonly mode: 'solo' | 'team';
}

/** An operation that the tree calls for. */
export interface Step {
  readonly key: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly actor: Actor;
}

/** What findings, projects and owed reports call for; what stands in one list may be done at the same time. */
export function stepsFor(
  dependencies: StepDependencies,
  { view, findings, scope }: Look,
): readonly (readonly Step[])[] {
  const { identity } = dependencies;
  const mending = findings.flatMap((finding) => repairStep(dependencies, view, finding) ?? []);
  return leads(identity)
    ? [mending, automaticSteps(view, scope, identity), reportSteps(view, scope, dependencies)]
    : [mending];
}

function repairStep(
  { identity, mode }: StepDependencies,
  view: WorkspaceView,
  { key: finding, taskId, repair: mend }: Finding,
): Step | undefined {
  if (mend === undefined) return undefined;
  const key = `${finding}:${stateOf(view, taskId)}`;
  if (mend.operation !== 'task.record_submission') {
    return leads(identity) ? { key, ...mend, actor: identity } : undefined;
  }
  // A result is handed in by its Worker: by its own node, or by one that acts for it.
  const assignee = taskId === undefined ? undefined : view.task(taskId)?.meta?.assigned_to;
  if (assignee === undefined || !(sameLocalpart(assignee, identity.localpart) || leads(identity) || mode === 'solo')) {
    return undefined;
  }
  return { key, ...mend, actor: { localpart: assignee, role: 'worker' } };
}

/** What projects do by their own rules; keyed by what it rests on, so that a refusal is tried again once that changes. */
function automaticSteps(view: WorkspaceView, scope: Scope, actor: Actor): readonly Step[] {
  return automaticWork(view, projectsIn(view, scope)).map(({ operation, ...input }) => {
    const taskId = 'taskId' in input ? input.taskId : undefined;
    const { phase = '', reopened = '' } = view.project(input.projectId)?.meta ?? {};
    const key = `${operation}:${input.projectId}:${phase}:${reopened}:${taskId ?? ''}:${stateOf(view, taskId)}`;
    return { key, operation, input, actor };
  });
}

/** One that the outbox holds already is tried there, with all else that a room could not take. */
function reportSteps(
  view: WorkspaceView,
  scope: Scope,
  { outbox, identity: actor }: StepDependencies,
): readonly Step[] {
  const held = new Set(outbox.pending().map(({ announcement: { txn } }) => txn));
  return reportDue(view, projectsIn(view, scope)).flatMap(({ projectId }) => {
    const project = view.project(projectId);
    if (project?.meta === undefined) return [];
    const { txn } = reportMessage(view, project, project.meta);
    if (held.has(txn)) return [];
    return [{ key: `report:${projectId}:${txn}`, operation: 'project.report', input: { projectId }, actor }];
  });
}

function projectsIn(view: WorkspaceView, scope: Scope): readonly string[] {
  if (scope === 'all') return view.projectIds();
  const owners = [...scope.tasks].flatMap((id) => view.task(id)?.meta?.project_id ?? []);
  return [...new Set([...scope.projects, ...owners])];
}

/** A refused step is tried again once the facts it rests on have changed. */
function stateOf(view: WorkspaceView, taskId: string | undefined): string {
  const meta = taskId === undefined ? undefined : view.task(taskId)?.meta;
  const result = taskId === undefined ? '' : (view.text(taskPaths(taskId).result) ?? '');
  const written = createHash('sha256').update(result).digest('hex').slice(0, 12);
  return `${meta?.status ?? ''}:${meta?.submission_id ?? ''}:${meta?.history?.length ?? 0}:${written}`;
}
