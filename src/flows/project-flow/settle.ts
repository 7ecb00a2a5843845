import type { Change } from '../../protocol/changes.ts';
import { setMarker } from '../../protocol/plan/edit.ts';
import { parsePlan } from '../../protocol/plan/parse.ts';
import type { Plan, PlanNode } from '../../protocol/plan-types.ts';
import type { EventDraft, ProjectMeta, ResultStatus, TaskMeta } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { withReport } from '../../rules/reports.ts';
import { writePlan, writeProject, writeTask } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { decidedReport, decidedTask } from './decision.ts';
import type { DecidedStatus, DecisionStep } from './decision.ts';
import { advanced } from './phases.ts';

/** What one decision on a submission is about, after the checks that need no decision. */
export interface Matter {
  readonly view: WorkspaceView;
  readonly project: OpenProject;
  readonly node: PlanNode;
  readonly task: TaskMeta | undefined;
  readonly result: ResultStatus;
  readonly decision: DecidedStatus;
  /** What the requester is told. */
  readonly summary: string;
}

export interface Settled {
  readonly plan: Plan;
  readonly task: TaskMeta | undefined;
  readonly meta: ProjectMeta;
  readonly changes: readonly Change[];
  readonly events: readonly EventDraft[];
}

/**
 * Brings marker, record and report to the decision, and the project on where that lets it go on. What agrees already
 * is left alone, so a repetition (`reused`) repairs only.
 */
export function settled(matter: Matter, step: DecisionStep, reused = false): Settled {
  const { project, node, task, decision } = matter;
  const text = node.status === decision ? project.planText : setMarker(project.planText, node.id, decision);
  const plan = parsePlan(text);
  const decided = task === undefined || task.status === decision ? task : decidedTask(task, decision, step);
  const next = reused
    ? { meta: project.meta, events: [] }
    : advanced(reporting(matter), plan, { now: step.now, view: matter.view });
  const changes = [
    ...writePlan(project, text),
    ...(decided === undefined || decided === task ? [] : [writeTask(decided)]),
    ...(reused ? [] : [writeProject(next.meta)]),
  ];
  return {
    plan,
    task: decided,
    meta: next.meta,
    changes,
    events: changes.length === 0 ? [] : [decisionEvent(matter, step), ...next.events],
  };
}

function reporting({ project, node, result, decision, summary }: Matter): ProjectMeta {
  const report = decidedReport(project.meta, decision, { taskId: node.id, resultStatus: result, summary });
  return withReport(project.meta, report);
}

function decisionEvent(
  { project, node, task, decision, result, summary }: Matter,
  { action }: DecisionStep,
): EventDraft {
  return {
    type: `task.${decision}`,
    action,
    subject: { kind: 'task', id: node.id, project_id: project.id },
    from: task?.status ?? node.status,
    to: decision,
    ...(summary === '' ? {} : { note: summary }),
    data: { resultStatus: result },
  };
}
