import { z } from 'zod';
import { acceptanceOf } from '../../rules/acceptance.ts';
import { isWorked, projectState } from '../../rules/project-lifecycle.ts';
import { presentProject, presentTask } from '../present.ts';
import {
  LEADERS,
  checkBrokenPlan,
  requireNode,
  requireProject,
  requireTask,
  requireTaskOf,
  writeProject,
} from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';
import { submittedStatus } from './accept.ts';
import { decide } from './decision.ts';
import { advanced } from './phases.ts';
import { settled } from './settle.ts';

const projectId = z.string().min(1).describe('id of the project');

/**
 * features.md §3.3: where results count by themselves, each is decided by its status alone. Nothing happens when it is
 * decided already, or no longer so, and thus every node of a Leader may try.
 */
export const acceptAutomatically = defineOperation({
  name: 'project.accept_automatically',
  kind: 'command',
  roles: LEADERS,
  internal: true,
  summary: 'Decide on a submitted result by the policy of its project.',
  input: z.object({ projectId, taskId: z.string().min(1).describe('id of the submitted task') }),
  fresh: 'required',
  run({ view, input, now, actor }): Decision<Record<string, unknown>> {
    const project = requireProject(view, input.projectId);
    const task = requireTask(view, input.taskId);
    requireTaskOf(task, project.id);
    const isDue =
      task.status === 'submitted' && isWorked(project.meta) && acceptanceOf(project.meta, view.team) === 'auto';
    if (!isDue)
      return { changes: [], events: [], announcements: [], output: { task: presentTask(task), unchanged: true } };
    checkBrokenPlan(project);
    const node = requireNode(project.plan, task.task_id, 'task not found in project plan');
    const result = submittedStatus(view, task);
    const {
      changes,
      events,
      task: decided = task,
    } = settled(
      { view, project, node, task, result, decision: decide(result, true), summary: task.summary ?? '' },
      { now, actor, action: 'accept_task_result', note: 'by policy', acceptedBy: 'auto' },
    );
    return { changes, events, announcements: [], output: { task: presentTask(decided) } };
  },
});

/** features.md §3.2: the steps of a project that follow from its plan, for plans that were edited by hand. */
export const advanceProject = defineOperation({
  name: 'project.advance',
  kind: 'command',
  roles: LEADERS,
  summary: 'Take the steps that a project takes by itself.',
  input: z.object({ projectId }),
  fresh: 'required',
  run(context) {
    const project = requireProject(context.view, context.input.projectId);
    const { meta, events } = advanced(project.meta, project.plan, context);
    return {
      changes: meta === project.meta ? [] : [writeProject(meta)],
      events,
      announcements: [],
      output: {
        project: presentProject(meta),
        state: projectState(meta),
        from: projectState(project.meta),
        steps: events.map(({ action }) => action),
      },
    };
  },
});
