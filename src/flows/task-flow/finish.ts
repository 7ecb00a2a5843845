import { z } from 'zod';
import { RESULT_STATUSES } from '../../protocol/records/types.ts';
import type { Role } from '../../protocol/records/types.ts';
import { isLeading } from '../../protocol/roles.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { eventsFrom } from '../../rules/lifecycle.ts';
import { isWorked } from '../../rules/project-lifecycle.ts';
import { refusedStep } from '../../rules/transition.ts';
import { beginStory, nextStep } from '../overlay.ts';
import type { Story } from '../overlay.ts';
import { submittedStatus } from '../project-flow/accept.ts';
import { decide } from '../project-flow/decision.ts';
import { settled } from '../project-flow/settle.ts';
import { presentProject, presentTask } from '../present.ts';
import { LEADERS, WORKERS, checkBrokenPlan, findTask, requireNode, requireProject, requireTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { OperationContext } from '../types.ts';
import { taken, takenEvent } from './acknowledge.ts';
import { assigned } from './assign.ts';
import { syncFields, writeMeta } from './common.ts';
import { actingFor, currentTask, requirePartOf } from './steps.ts';
import { accept, refuseInterrupted } from './submit.ts';
import { structuredResult, submissionOf } from './submission.ts';

const ROLES: readonly Role[] = [...WORKERS, ...LEADERS];

const input = z.object({
  taskId: z.string().min(1).describe('id of the task'),
  projectId: z.string().min(1).optional().describe('id of its project; a task of another one is refused'),
  text: z.string().optional().describe('what came of it, one line'),
  status: z.enum(RESULT_STATUSES).default('SUCCESS').describe('status of the result'),
  deliverables: z.array(z.string().min(1)).optional().describe('paths under shared/tasks/<taskId>/'),
  fromQueue: z
    .boolean()
    .default(false)
    .describe('a task that waits for its agent is given out and taken on first; leaders only'),
});

type Context = OperationContext<z.output<typeof input>>;

/**
 * features.md §3.1, compound events: the missing steps are taken one by one, each as it is legal, in one commit. A
 * Worker's word ends in `submitted` where the Leader accepts.
 */
export const finish = defineOperation({
  name: 'task.finish',
  kind: 'command',
  roles: ROLES,
  summary: 'Finish a task in one call: take it on, hand in its result, and accept it where that is due.',
  input,
  fresh: 'required',
  forAssignee: true,
  precheck({ input: { taskId, status }, actor }) {
    refuseInterrupted(taskId, actor.role, { status, summary: '', deliverables: [], notes: [] });
  },
  run(context) {
    const { taskId, projectId, fromQueue } = context.input;
    requirePartOf(context.view, projectId, taskId);
    const queued = fromQueue ? givenOut(beginStory(context), taskId) : beginStory(context);
    const done = decidedOn(context, handedIn(context, begun(queued, taskId)));
    const task = requireTask(done.context.view, taskId);
    const project = requireProject(done.context.view, task.project_id).meta;
    const awaiting = task.status === 'submitted' ? { awaiting: 'acceptance', message: 'awaiting acceptance' } : {};
    return {
      ...done.decision,
      output: {
        task: presentTask(task),
        project: presentProject(project),
        accepted: task.status === 'completed',
        ...awaiting,
      },
    };
  },
  settle: (output, settlement) => ({ ...output, ...syncFields(settlement) }),
});

/** The steps of a Leader that a task which waits for its agent still lacks. */
function givenOut(story: Story, taskId: string): Story {
  const { context } = story;
  const meta = findTask(context.view, taskId);
  if (meta !== undefined && meta.status !== 'pending') return story;
  if (!isLeading(context.actor)) return story;
  const projectId = meta?.project_id ?? projectOf(context.view, taskId);
  return projectId === undefined ? story : nextStep(story, assigned(context, { projectId, taskId }));
}

/** The project whose plan holds a node that has no record yet. */
function projectOf(view: WorkspaceView, taskId: string): string | undefined {
  return view.projectIds().find((id) => view.project(id)?.plan.nodes.some((node) => node.id === taskId));
}

function begun(story: Story, taskId: string): Story {
  const { context } = story;
  const meta = currentTask(context, taskId);
  const behalf = actingFor(context, meta);
  if (meta.status !== 'prepared' && meta.status !== 'assigned') return story;
  const next = taken(context, meta, behalf);
  return nextStep(story, { changes: [writeMeta(next)], events: [takenEvent(meta, next)], announcements: [] });
}

/** Throws `Invalid transition` for what neither is under way nor waits for its acceptance. */
function handedIn({ input: { taskId, text, status, deliverables } }: Context, story: Story): Story {
  const { context } = story;
  const meta = currentTask(context, taskId);
  if (meta.status === 'submitted') return story;
  if (meta.status !== 'in_progress') {
    throw refusedStep({ from: meta.status, event: 'finish', legal: eventsFrom(meta.status), data: { taskId } });
  }
  const summary = text === undefined || text.trim() === '' ? meta.task_title : text;
  const submission = submissionOf(context.view, taskId, structuredResult(taskId, { status, summary, deliverables }));
  const options = { note: actingFor(context, meta), quiet: isLeading(context.actor) };
  const whole = { ...meta, progress: 100 };
  return nextStep(story, accept(context, whole, submission, options));
}

/** The Leader's word, which is also the word of a policy; a Worker's result waits for it, and so does a pause. */
function decidedOn({ input: { taskId, text }, now, actor }: Context, story: Story): Story {
  const { context } = story;
  const task = requireTask(context.view, taskId);
  const project = requireProject(context.view, task.project_id);
  if (!isLeading(actor) || !isWorked(project.meta)) return story;
  checkBrokenPlan(project);
  const { summary = '' } = task;
  const result = submittedStatus(context.view, task);
  const node = requireNode(project.plan, taskId, 'task not found in project plan');
  const matter = { view: context.view, project, node, task, result, decision: decide(result, true), summary };
  const step = settled(matter, { now, actor, action: 'accept_task_result', note: text ?? '' });
  return nextStep(story, { ...step, announcements: [] });
}
