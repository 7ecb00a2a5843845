import { z } from 'zod';
import { HAND_EVENTS } from '../../protocol/pair.ts';
import { planProse } from '../../protocol/plan/prose.ts';
import type { ProjectMeta } from '../../protocol/records/types.ts';
import { legalProjectEvents, openNodes, projectState } from '../../rules/project-lifecycle.ts';
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

type Event = (typeof HAND_EVENTS)[number];

const input = z.object({
  projectId: z.string().min(1).describe('id of the project'),
  // A word that is no event is refused with the state and what may follow, as one that does not follow (S002-09).
  event: z
    .string()
    .min(1)
    .describe(`the step to take: ${HAND_EVENTS.join(', ')}`),
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
    const event = eventOf(project, given.event);
    const step = stepped(project.meta, event, { now, action: 'transition_project', note });
    requireGuard(project, event);
    const left = marked(context, project, step.meta, { event, note });
    // A step back is not taken forward again by itself.
    const next = event === 'reopen' ? { meta: left, events: [] } : advanced(left, project.plan, context);
    const warning = warningOf(project, event);
    return {
      changes: [writeProject(next.meta)],
      events: [...step.events, ...next.events],
      announcements: event === 'complete' ? completionAnnouncement(context, project.meta) : [],
      output: {
        project: presentProject(next.meta),
        state: projectState(next.meta),
        from: projectState(project.meta),
        steps: [event, ...next.events.map(({ action }) => action)],
        ...(warning === undefined ? {} : { warning }),
        notificationNeeded: notificationHint(`project_${event}`, next.meta, note === '' ? next.meta.title : note),
      },
    };
  },
});

/** Throws `illegal-transition` for a word that is none of them. */
function eventOf({ id, meta }: OpenProject, word: string): Event {
  const event = HAND_EVENTS.find((known) => known === word);
  if (event !== undefined) return event;
  const from = projectState(meta);
  throw refusedStep({ from, event: word, legal: legalProjectEvents(from), data: { projectId: id } });
}

/** What must hold besides the state. Throws `illegal-transition`. */
function requireGuard({ id, meta, plan }: OpenProject, event: Event): void {
  const failed = (because: string, remedy?: string) =>
    refusedStep({ from: projectState(meta), event, because, remedy, data: { projectId: id } });
  // Who approves nothing has approved whatever is planned afterwards. Subtasks are dispatched after the approval only (S002-12).
  if (event === 'approve' && meta.mode !== 'composite' && plan.nodes.length === 0 && plan.loop === undefined) {
    const remedy = `plan it first: \`baton project plan ${id}\`, or \`baton project loop ${id}\``;
    throw failed('its plan has no tasks yet', remedy);
  }
  if (event === 'start' && plan.nodes.every(({ status }) => status === 'pending')) {
    throw failed('no task is given out yet');
  }
  const kind = event === 'test' ? 'dev' : event === 'review' ? 'test' : undefined;
  const open = kind === undefined ? [] : openNodes(plan, kind);
  if (open.length > 0)
    throw failed(`not all ${kind} tasks are done`, `still open: ${open.map((node) => node.id).join(', ')}`);
}

/** What a step leaves in the record besides the state. */
function marked(
  { actor, now }: Context,
  project: OpenProject,
  meta: ProjectMeta,
  { event, note }: { readonly event: Event; readonly note: string },
): ProjectMeta {
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
