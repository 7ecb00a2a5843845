import { z } from 'zod';
import { eventsFrom } from '../../rules/lifecycle.ts';
import { presentTask } from '../present.ts';
import { ANYONE } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { plannedTask, requirePartOf } from './steps.ts';

/** What may happen to a task now; a door says so of a step whose name it does not know (features.md S002-09). */
export const nextSteps = defineOperation({
  name: 'task.next_steps',
  kind: 'query',
  roles: ANYONE,
  summary: 'Tell which steps may follow in the life of a task.',
  input: z.object({
    taskId: z.string().min(1).describe('id of the task'),
    projectId: z.string().min(1).optional().describe('id of its project; a task of another one is refused'),
  }),
  fresh: 'best-effort',
  run(context) {
    const { view, input } = context;
    requirePartOf(view, input.projectId, input.taskId);
    const meta = plannedTask(context, input.taskId, input.projectId);
    const steps = [...new Set(eventsFrom(meta.status))];
    return { changes: [], events: [], announcements: [], output: { task: presentTask(meta), steps } };
  },
});
