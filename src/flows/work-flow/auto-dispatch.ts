import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { nodeOfSubtask } from '../../protocol/ids.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { planDispatches } from '../../rules/auto-dispatch.ts';
import type { DispatchPlan, PlannedDispatch, SkippedNode } from '../../rules/auto-dispatch.ts';
import { poolOf } from '../agent-flow/roster.ts';
import { reportAudience } from '../report-reach.ts';
import { LEADERS } from '../shared.ts';
import { syncFields } from '../task-flow/common.ts';
import { requireWorked } from '../task-flow/dispatch.ts';
import { defineOperation } from '../types.ts';
import type { OperationContext, Settlement } from '../types.ts';
import { dispatchContext } from './dispatch-context.ts';
import { guardOf } from './dispatch-guards.ts';
import { giveOut } from './give-out.ts';
import { waitingAnywhere, waitingIn } from './waiting.ts';
import type { Waiting, WaitingIn } from './waiting.ts';

const input = z.object({
  projectId: z.string().min(1).optional().describe('id of the project, or of a task of the inbox'),
  all: z.boolean().optional().describe('every project in which work is given out'),
  subtask: z.string().min(1).optional().describe('only this node: its id, or subtask_01'),
  showContext: z.boolean().optional().describe('show what each agent is told to begin with'),
});

type Context = OperationContext<z.output<typeof input>>;
type Fields = Readonly<Record<string, unknown>>;

interface AutoDispatchOutput {
  readonly dispatches: readonly Fields[];
  readonly skipped: readonly Fields[];
  readonly warnings?: readonly string[];
}

/** S002-25 to S002-27: gives every ready node to whoever can do it and is free, in one commit, and says why others wait. */
export const autoDispatch = defineOperation({
  name: 'work.auto_dispatch',
  kind: 'command',
  roles: LEADERS,
  summary: 'Give every task that is ready to an agent that can do it and is free.',
  input,
  fresh: 'required',
  audience({ view, input: { projectId } }) {
    const meta = projectId === undefined ? undefined : view.project(projectId)?.meta;
    return meta === undefined ? undefined : reportAudience(view, meta);
  },
  precheck: ({ input: { projectId, all, subtask } }) => {
    if ((projectId === undefined) === (all !== true)) {
      throw new FlowError('invalid-argument', 'auto-dispatch needs a task, or --all', {
        remedy: 'name one project, or ask for all of them',
      });
    }
    if (subtask !== undefined && projectId === undefined) {
      throw new FlowError('invalid-argument', 'a subtask is named with its task', { remedy: 'name the task as well' });
    }
  },
  dryRun: (context) => ({ ...planned(context).output }),
  run(context) {
    const { plan, output } = planned(context);
    return { ...giveOut(context, plan.dispatches), output };
  },
  settle,
});

function planned(context: Context): { readonly plan: DispatchPlan<Waiting>; readonly output: AutoDispatchOutput } {
  const { view, input: given } = context;
  const { nodes, unread } = scopeOf(view, given);
  const plan = planDispatches(nodes, poolOf(view), [guardOf(context)]);
  const shown = (waiting: Waiting): Fields =>
    given.showContext === true ? { context: dispatchContext(view, waiting) } : {};
  return {
    plan,
    output: {
      dispatches: plan.dispatches.map((dispatch) => ({ ...dispatched(dispatch), ...shown(dispatch.node) })),
      skipped: [
        ...plan.skipped.map((skip) => ({
          ...skipped(skip),
          ...(given.subtask === undefined ? {} : shown(skip.node)),
        })),
        ...unread.map(({ projectId, taskId, detail }) => ({
          project_id: projectId,
          ...(taskId === undefined ? {} : { task_id: taskId }),
          reason: 'guard',
          detail,
        })),
      ],
    },
  };
}

/** What is looked through. A task of the inbox may be named as if it were a project of its own. */
function scopeOf(view: WorkspaceView, { projectId, subtask }: Context['input']): WaitingIn {
  if (projectId === undefined) return waitingAnywhere(view);
  const home = view.project(projectId) === undefined ? view.task(projectId)?.meta?.project_id : undefined;
  const [project, only] = home === undefined ? [projectId, subtask] : [home, projectId];
  requireWorked(view, project);
  return waitingIn(view, project, only === undefined ? undefined : nodeOfSubtask(project, only));
}

function dispatched({ node, agent, by, candidate }: PlannedDispatch<Waiting>): Fields {
  const { score, tier } = candidate ?? {};
  return {
    ...named(node),
    agent,
    by,
    ...(score === undefined ? {} : { score, tier }),
  };
}

function skipped({ node, reason, detail }: SkippedNode<Waiting>): Fields {
  return { ...named(node), reason, detail };
}

function named({ projectId, taskId, node: { title }, type, priority, meta }: Waiting): Fields {
  return {
    project_id: projectId,
    task_id: taskId,
    title: meta?.task_title ?? title,
    ...(type === undefined ? {} : { type }),
    priority,
  };
}

/** A message that did not arrive leaves its claim as it is: the reconciler and `delegate_task` send it again. */
function settle(output: AutoDispatchOutput, settlement: Settlement): AutoDispatchOutput {
  const { dispatches, skipped: left } = output;
  const warnings = settlement.deliveries.flatMap(({ txn, sent, error = '' }) =>
    sent || error === ''
      ? []
      : [`${txn.replace(/^delegate-(.+)-[0-9a-f]+$/, '$1')} is claimed, but not told: ${error}`],
  );
  const told = warnings.length === 0 ? {} : { warnings };
  return { dispatches, skipped: left, ...told, ...syncFields(settlement) };
}
