import { z } from 'zod';
import type { WorkspaceView } from '../../protocol/view.ts';
import { TASK_TYPES } from '../../protocol/records/types.ts';
import { blockers } from '../../rules/dag.ts';
import { nextNodeId } from '../../rules/next-id.ts';
import { isWorked, legalProjectEvents, projectState } from '../../rules/project-lifecycle.ts';
import { refusedStep } from '../../rules/transition.ts';
import { requireCapacity, requireKnownAgent, warned } from '../agent-flow/roster.ts';
import { beginStory, nextStep } from '../overlay.ts';
import { presentTask } from '../present.ts';
import { LEADERS, requireProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';
import { etaOf, optional, titleOf, words, workFields } from '../work-fields.ts';
import { assignedAndTold, settledTold } from './assign.ts';
import { checkPlannedName, findAssignee, isTold, requireAssigneeId } from './assignee.ts';
import type { DelegateOutput } from './claim.ts';
import { planTask } from './new-task.ts';

const input = z.object({
  projectId: z.string().min(1).describe('id of the task that it is a part of'),
  title: workFields.title,
  agent: z.string().min(1).describe('who does it: worker name or Matrix id'),
  type: z.enum(TASK_TYPES).default('dev').describe('what kind of work it is'),
  dependsOn: words('ids of tasks of the same project'),
  context: z.string().optional().describe('what the agent has to know, Markdown'),
  priority: workFields.priority,
  eta: workFields.eta,
});

/**
 * S002-11 to S002-15: a new node of a project, given to its agent at once; where it depends on others it waits for them
 * with its owner. All or nothing: what cannot be given out is not planned either.
 */
export const dispatch = defineOperation({
  name: 'task.dispatch',
  kind: 'command',
  roles: LEADERS,
  summary: 'Plan a subtask of a project and give it to an agent at once.',
  input,
  fresh: 'required',
  precheck: ({ input: { title, agent, eta }, now }) => {
    titleOf(title);
    checkPlannedName(agent);
    etaOf(eta, now);
  },
  run(context): Decision<DelegateOutput> {
    const { view, input: given, now } = context;
    const project = requireProject(view, given.projectId);
    requireWorked(view, given.projectId);
    requireKnownAgent(view, given.agent);
    const id = nextNodeId(view, project);
    requireAssigneeId(id, findAssignee(context, given.agent, isTold(context, given.agent, view.team.teamRoomId)));
    const planned = planTask(context, project, {
      node: {
        id,
        title: titleOf(given.title),
        assignee: given.agent,
        dependsOn: [...new Set(given.dependsOn)],
        type: given.type,
      },
      more: {
        ...optional('priority', given.priority ?? project.meta.priority),
        ...optional('eta', etaOf(given.eta, now)),
      },
      spec: given.context,
    });
    const story = nextStep(beginStory(context), { ...planned, events: [planned.event], announcements: [] });
    const isWaiting = blockers(planned.project.plan, id).length > 0;
    if (isWaiting) {
      const notification = { sent: false, skipped: true, reason: 'it waits for what it depends on' };
      const waiting = { ...story.decision, output: { task: presentTask(planned.meta), notification } };
      return warned(context, waiting, planned.meta.assigned_to);
    }
    requireCapacity(view, given.agent);
    const step = assignedAndTold(story.context, { projectId: given.projectId, taskId: id });
    return { ...nextStep(story, step).decision, output: step.output };
  },
  settle: (output, settlement) => settledTold(output, settlement),
});

/** What the task engine calls a dispatch is legal wherever work is given out. Throws `illegal-transition`. */
export function requireWorked(view: WorkspaceView, projectId: string): void {
  const { meta } = requireProject(view, projectId);
  if (isWorked(meta)) return;
  const from = projectState(meta);
  throw refusedStep({ from, event: 'dispatch', legal: legalProjectEvents(from), data: { projectId } });
}
