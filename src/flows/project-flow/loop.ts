import { z } from 'zod';
import { setLoopFields } from '../../protocol/plan/edit.ts';
import { checkIteration, recordIteration } from '../../rules/loop.ts';
import { presentLoop } from '../present.ts';
import { LEADERS, requireProject, writePlan } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { requireOpen } from './plan.ts';
import { checkBrokenLoop, noLoop } from './ready.ts';

/** protocol.md §10.14. */
export const recordLoopIteration = defineOperation({
  name: 'project.record_loop_iteration',
  kind: 'command',
  roles: LEADERS,
  summary: 'Record the decision on one loop iteration: continue, replan, ask_user, stop_success or stop_blocked.',
  input: z.object({
    projectId: z.string().min(1).describe('id of the project'),
    iteration: z.number().int().describe('number of the iteration, from 1'),
    decision: z.string().min(1).describe('continue, replan, ask_user, stop_success or stop_blocked'),
    summary: z.string().min(1).describe('what the iteration brought, one line'),
    nextAction: z.string().optional().describe('what comes next, one line'),
  }),
  fresh: 'required',
  precheck({ input }) {
    checkIteration(input);
  },
  run({ view, input }) {
    const project = requireProject(view, input.projectId);
    requireOpen(project.meta);
    const before = project.plan.loop;
    if (before === undefined) throw noLoop(project.id);
    checkBrokenLoop(project);
    const { nextAction } = input;
    const { loop, reused, warning } = recordIteration(before, {
      iteration: input.iteration,
      decision: input.decision,
      summary: input.summary,
      ...(nextAction === undefined ? {} : { nextAction }),
    });
    const { status, currentIteration, history } = loop;
    const changes = reused
      ? []
      : writePlan(project, setLoopFields(project.planText, { status, currentIteration, history }));
    return {
      changes,
      events: reused
        ? []
        : [
            {
              type: 'loop.iteration_recorded',
              action: 'record_loop_iteration',
              subject: { kind: 'project', id: project.id },
              from: before.status,
              to: status,
              note: history.at(-1) ?? '',
            },
          ],
      announcements: [],
      output: {
        loop: presentLoop(loop, project.plan.nodes),
        ...(reused ? { reused } : {}),
        ...(warning === undefined ? {} : { warning }),
      },
    };
  },
});
