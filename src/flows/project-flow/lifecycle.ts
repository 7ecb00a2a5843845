import { z } from 'zod';
import { projectPaths } from '../../protocol/paths.ts';
import { setLoopFields } from '../../protocol/plan/edit.ts';
import type { ProjectMeta } from '../../protocol/records/types.ts';
import { isTerminalNode } from '../../rules/dag.ts';
import { inState, nextProjectState, projectState } from '../../rules/project-lifecycle.ts';
import type { ProjectEvent } from '../../rules/project-lifecycle.ts';
import {
  owedReport,
  PROJECT_COMPLETED,
  WAITING_WHILE_PAUSED,
  waitingResults,
  waitingSummary,
  withReport,
} from '../../rules/reports.ts';
import { refusedStep } from '../../rules/transition.ts';
import { presentProject } from '../present.ts';
import { LEADERS, notificationHint, requireProject, writePlan, writeProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision, OperationContext } from '../types.ts';
import { completionAnnouncement } from './announce.ts';
import { PAST, advanced, stepped } from './phases.ts';
import type { ProjectStepping } from './phases.ts';

const projectId = z.string().min(1).describe('id of the project');

type ProjectDecision = Decision<Record<string, unknown>>;

/** protocol.md §10.10, §15: nothing new starts; work under way goes on and its results wait. */
export const pauseProject = defineOperation({
  name: 'project.pause',
  kind: 'command',
  roles: LEADERS,
  summary: 'Pause a project: nothing new is delegated or accepted.',
  input: z.object({ projectId, reason: z.string().optional().describe('why, one line') }),
  fresh: 'required',
  run(context) {
    const { view, input, now } = context;
    const project = requireProject(view, input.projectId);
    if (isSo(project, 'pause')) return unchanged(project);
    const waiting = waitingResults(view, project);
    const paused: ProjectMeta = {
      ...project.meta,
      ...(input.reason === undefined ? {} : { pause_reason: input.reason }),
    };
    const report = owedReport(project.meta.requester_report, {
      reason: WAITING_WHILE_PAUSED,
      summary: waitingSummary(waiting),
      report_path: projectPaths(project.id).result,
    });
    const meta = waiting.length === 0 ? paused : withReport(paused, report);
    return changed(context, project, meta, { event: 'pause', now, action: 'pause_project', note: input.reason });
  },
});

/** protocol.md §10.10. */
export const resumeProject = defineOperation({
  name: 'project.resume',
  kind: 'command',
  roles: LEADERS,
  summary: 'Resume a paused project.',
  input: z.object({ projectId }),
  fresh: 'required',
  run(context) {
    const { view, input, now } = context;
    const project = requireProject(view, input.projectId);
    // The status of the legacy Manager is a planning whose approval the protocol's actions know no other word for.
    if (project.meta.status === 'planning') {
      return changed(context, project, project.meta, { event: 'approve', now, action: 'resume_project' });
    }
    if (isSo(project, 'resume')) return unchanged(project);
    return changed(context, project, withoutReason(project.meta), { event: 'resume', now, action: 'resume_project' });
  },
});

/** protocol.md §10.10: a project ends once every node has; `force` ends it with work left open. */
export const completeProject = defineOperation({
  name: 'project.complete',
  kind: 'command',
  roles: LEADERS,
  summary: 'Complete a project whose tasks have all ended.',
  input: z.object({
    projectId,
    force: z.boolean().optional().describe('complete although tasks are open'),
    publishArtifacts: z.unknown().optional().describe('accepted for compatibility; deliverables are in git already'),
  }),
  fresh: 'required',
  run(context) {
    const { view, input, now } = context;
    const project = requireProject(view, input.projectId);
    const isEnded = isSo(project, 'complete_project');
    const announcements = completionAnnouncement(context, project.meta);
    if (isEnded) return { ...unchanged(project), announcements };
    if (input.force !== true) requireAllEnded(project);
    const decision = changed(context, project, completed(project.meta, now), {
      event: 'complete_project',
      now,
      action: 'complete_project',
    });
    const loop = project.plan.loop;
    const plan =
      loop === undefined || loop.status === 'completed' || project.planText === ''
        ? []
        : writePlan(project, setLoopFields(project.planText, { status: 'completed' }));
    return { ...decision, changes: [...decision.changes, ...plan], announcements };
  },
});

/** Follow-up of the announcement: it was made, and is not made again. */
export const confirmCompleted = defineOperation({
  name: 'project.confirm_completed',
  kind: 'command',
  roles: LEADERS,
  internal: true,
  summary: 'Record that the end of a project was announced.',
  input: z.object({ projectId, eventId: z.string().min(1).describe('event id of the announcement') }),
  fresh: 'no',
  run({ view, input }) {
    const project = requireProject(view, input.projectId);
    if (project.meta.project_completion_event_id !== undefined) return unchanged(project, false);
    const meta: ProjectMeta = { ...project.meta, project_completion_event_id: input.eventId };
    return { changes: [writeProject(meta)], events: [], announcements: [], output: { project: presentProject(meta) } };
  },
});

/** The record of a project that ends well: a report is due. */
export function completed(meta: ProjectMeta, now: string): ProjectMeta {
  const report = owedReport(meta.requester_report, {
    reason: PROJECT_COMPLETED,
    report_path: projectPaths(meta.project_id).result,
  });
  return withReport({ ...meta, completed_at: now }, report);
}

/** The record once nothing holds the project up any more. */
export function withoutReason(meta: ProjectMeta): ProjectMeta {
  const { pause_reason: _, blocked_reason: __, ...free } = meta;
  return free;
}

/** Whether an action of the protocol only repeats what is so. Throws for one that cannot follow (protocol.md §10.10). */
function isSo({ id, meta }: OpenProject, event: 'pause' | 'resume' | 'complete_project'): boolean {
  const [word] = event.split('_');
  const state = projectState(meta);
  const next = nextProjectState(state, event, meta.phase);
  if (next !== undefined) return next === state && inState(meta, next).status === meta.status;
  throw refusedStep({
    from: state,
    event,
    because: `cannot ${word} a ${state} project`,
    remedy:
      state === 'completed'
        ? 'create a new project for further work'
        : state === 'planning'
          ? 'approve its plan first'
          : 'see the project with resolve_project',
    data: { projectId: id },
  });
}

/** The guard of `complete_project`. Throws `illegal-transition`. */
function requireAllEnded({ id, meta, plan }: OpenProject): void {
  const open = plan.nodes.filter(({ status }) => !isTerminalNode(status));
  if (open.length === 0) return;
  const named = open.slice(0, 5).map((node) => `${node.id} ${node.status}`);
  const more = open.length > named.length ? `, and ${open.length - named.length} more` : '';
  throw refusedStep({
    from: projectState(meta),
    event: 'complete_project',
    because: `project has non-terminal tasks (status: ${named.join(', ')}${more})`,
    remedy: 'accept, cancel or drop them first, or pass force:true',
    data: { projectId: id, openTasks: open.map((node) => node.id) },
  });
}

function unchanged({ meta }: OpenProject, tell = true): ProjectDecision {
  return {
    changes: [],
    events: [],
    announcements: [],
    output: { project: presentProject(meta), ...(tell ? { unchanged: true } : {}) },
  };
}

interface Change extends ProjectStepping {
  readonly event: ProjectEvent;
}

/** `meta` is the record as the step leaves it, but for the state. */
function changed(
  context: Pick<OperationContext<unknown>, 'now' | 'view'>,
  project: OpenProject,
  meta: ProjectMeta,
  { event, ...step }: Change,
): ProjectDecision {
  const { meta: next, events } = stepped(meta, event, step);
  const later = advanced(next, project.plan, context);
  const { note } = step;
  return {
    changes: [writeProject(later.meta)],
    events: [...events, ...later.events],
    announcements: [],
    output: {
      project: presentProject(later.meta),
      notificationNeeded: notificationHint(`project_${PAST[event]}`, later.meta, note ?? later.meta.title),
    },
  };
}
