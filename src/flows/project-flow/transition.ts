import { z } from 'zod';
import { planProse } from '../../protocol/plan/prose.ts';
import type { ProjectMeta } from '../../protocol/records/types.ts';
import { allAccepted, projectState } from '../../rules/project-lifecycle.ts';
import { isTerminalNode } from '../../rules/dag.ts';
import { refusedStep } from '../../rules/transition.ts';
import { presentProject } from '../present.ts';
import { LEADERS, notificationHint, requireProject, writeProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision, OperationContext } from '../types.ts';
import { completionAnnouncement } from './announce.ts';
import { completed, withoutReason } from './lifecycle.ts';
import { advanced, reopened, stepped } from './phases.ts';

const EVENTS = [
  'approve',
  'reject',
  'start',
  'test',
  'review',
  'reopen',
  'complete',
  'block',
  'unblock',
  'fail',
] as const;
type Event = (typeof EVENTS)[number];

const input = z.object({
  projectId: z.string().min(1).describe('id of the project'),
  event: z.enum(EVENTS).describe('the step to take'),
  note: z.string().optional().describe('why, one line; of block, fail and reject it is kept as the reason'),
});

type Context = OperationContext<z.output<typeof input>>;

/** features.md §3.2: one step of a project's life, by hand. The steps that follow by themselves follow at once. */
export const transitionProject = defineOperation({
  name: 'project.transition',
  kind: 'command',
  roles: LEADERS,
  summary: 'Take one step in the life of a project: approve, start, test, review, complete, block and others.',
  input,
  fresh: 'required',
  run(context): Decision<Record<string, unknown>> {
    const { view, input: given, now } = context;
    const project = requireProject(view, given.projectId);
    const note = given.note?.trim() ?? '';
    const step = stepped(project.meta, given.event, { now, action: 'transition_project', note });
    requireGuard(project, given.event);
    const left = marked(context, project, step.meta, note);
    // A step back is not taken forward again by itself.
    const next = given.event === 'reopen' ? { meta: left, events: [] } : advanced(left, project.plan, context);
    const warning = warningOf(project, given.event);
    return {
      changes: [writeProject(next.meta)],
      events: [...step.events, ...next.events],
      announcements: given.event === 'complete' ? completionAnnouncement(context, project.meta) : [],
      output: {
        project: presentProject(next.meta),
        state: projectState(next.meta),
        from: projectState(project.meta),
        steps: [given.event, ...next.events.map(({ action }) => action)],
        ...(warning === undefined ? {} : { warning }),
        notificationNeeded: notificationHint(`project_${given.event}`, next.meta, note === '' ? next.meta.title : note),
      },
    };
  },
});

/** What must hold besides the state. Throws `illegal-transition`. */
function requireGuard({ id, meta, plan }: OpenProject, event: Event): void {
  const failed = (because: string) =>
    refusedStep({ from: projectState(meta), event, because, data: { projectId: id } });
  if (event === 'start' && plan.nodes.every(({ status }) => status === 'pending')) {
    throw failed('no task is given out yet');
  }
  if (event === 'test' && !allAccepted(plan, 'dev')) throw failed('not all dev tasks are done');
  if (event === 'review' && !allAccepted(plan, 'test')) throw failed('not all test tasks are done');
}

/** What a step leaves in the record besides the state. */
function marked(context: Context, project: OpenProject, meta: ProjectMeta, note: string): ProjectMeta {
  const { actor, now, input: given } = context;
  const { event } = given;
  if (event === 'approve') {
    return { ...meta, plan: { ...meta.plan, approved_by: actor.localpart, approved_at: now } };
  }
  if (event === 'reopen') return reopened(meta, project.plan);
  if (event === 'complete') return completed(meta, now);
  if (event === 'unblock') return withoutReason(meta);
  if (note === '' || (event !== 'block' && event !== 'fail' && event !== 'reject')) return meta;
  return { ...meta, [event === 'block' ? 'blocked_reason' : 'failure_reason']: note };
}

/** Said once it is done: it may be meant so (features.md §7.3). */
function warningOf({ meta, plan, planText }: OpenProject, event: Event): string | undefined {
  if (event === 'approve') {
    return (meta.plan?.summary ?? planProse(planText)) === '' ? 'approved without a plan text' : undefined;
  }
  const open = event === 'complete' ? plan.nodes.filter(({ status }) => !isTerminalNode(status)) : [];
  return open.length === 0 ? undefined : `completed with open tasks: ${open.map(({ id }) => id).join(', ')}`;
}
