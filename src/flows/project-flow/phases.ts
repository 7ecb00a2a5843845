import type { Plan } from '../../protocol/plan-types.ts';
import type { EventDraft, ProjectMeta } from '../../protocol/records/types.ts';
import { acceptedNodes, automaticSteps, inState, projectState, projectStep } from '../../rules/project-lifecycle.ts';
import type { ProjectEvent } from '../../rules/project-lifecycle.ts';
import type { OperationContext } from '../types.ts';

export interface Stepped {
  readonly meta: ProjectMeta;
  readonly events: readonly EventDraft[];
}

export interface ProjectStepping {
  readonly now: string;
  /** How the step is called in the log of events. */
  readonly action: string;
  readonly note?: string | undefined;
}

/** How events and hints call what has happened. */
export const PAST: Readonly<Record<ProjectEvent, string>> = {
  create: 'created',
  create_project: 'created',
  approve: 'approved',
  reject: 'rejected',
  start: 'started',
  test: 'testing',
  review: 'in_review',
  reopen: 'reopened',
  block: 'blocked',
  unblock: 'unblocked',
  pause: 'paused',
  resume: 'resumed',
  complete: 'completed',
  complete_project: 'completed',
  fail: 'failed',
};

/** One step of the table with its line in the log (features.md S002-10). Throws `illegal-transition`. */
export function stepped(meta: ProjectMeta, event: ProjectEvent, { now, action, note = '' }: ProjectStepping): Stepped {
  const to = projectStep(meta, event);
  const next = inState(meta, to);
  return {
    meta: event === 'start' ? { ...next, started_at: meta.started_at ?? now } : next,
    events: [
      {
        type: `project.${PAST[event]}`,
        action,
        subject: { kind: 'project', id: meta.project_id },
        from: projectState(meta),
        to,
        ...(note === '' ? {} : { note }),
      },
    ],
  };
}

/** The project with every step that its plan now makes it take by itself (features.md §3.2). */
export function advanced(
  meta: ProjectMeta,
  plan: Pick<Plan, 'nodes'>,
  { now, view }: Pick<OperationContext<unknown>, 'now' | 'view'>,
): Stepped {
  let next = meta;
  const events: EventDraft[] = [];
  for (const event of automaticSteps(meta, plan, view.team.policies)) {
    const step = stepped(next, event, { now, action: event, note: 'by itself' });
    next = step.meta;
    events.push(...step.events);
  }
  if (events.length === 0 || next.reopened === undefined) return { meta: next, events };
  const { reopened: _, ...rest } = next;
  return { meta: rest, events };
}

/** The project opened again: it stays so until more is accepted than was then. */
export function reopened(meta: ProjectMeta, plan: Pick<Plan, 'nodes'>): ProjectMeta {
  return { ...meta, reopened: acceptedNodes(plan) };
}
