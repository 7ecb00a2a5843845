import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { taskPaths } from '../../protocol/paths.ts';
import { RESULT_STATUSES } from '../../protocol/records/types.ts';
import type { ResultStatus, TaskMeta } from '../../protocol/records/types.ts';
import { parseResult } from '../../protocol/result/parse.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { isTerminalNode, readyNodes } from '../../rules/dag.ts';
import { isTerminalTask, isWithdrawn } from '../../rules/lifecycle.ts';
import { refusedStep } from '../../rules/transition.ts';
import { presentProject, presentTask } from '../present.ts';
import {
  checkBrokenPlan,
  findTask,
  LEADERS,
  notificationHint,
  requireActive,
  requireNode,
  requireProject,
  requireSubmission,
  requireTaskOf,
} from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { hasResult } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import type { Decision, OperationContext } from '../types.ts';
import { DECISION_EVENTS, decide } from './decision.ts';
import { presentNodes } from './planned-tasks.ts';
import { settled } from './settle.ts';
import type { Matter } from './settle.ts';

const acceptInput = z.object({
  projectId: z.string().min(1).describe('id of the project'),
  taskId: z.string().min(1).describe('id of the submitted task'),
  submissionId: z.string().optional().describe('the submission that was checked'),
  resultStatus: z.string().optional().describe('status of the checked result, default SUCCESS'),
  accepted: z.boolean().optional().describe('false asks for a revision of a successful result; default true'),
  summary: z.string().optional().describe('what to tell the requester; default: the summary of the result'),
  publishArtifacts: z.unknown().optional().describe('accepted for compatibility; deliverables are in git already'),
});

type Context = OperationContext<z.output<typeof acceptInput>>;

/** protocol.md §10.16: the Leader decides on a submitted result; the only tool that makes a node `[x]`. */
export const acceptTaskResult = defineOperation({
  name: 'project.accept_task_result',
  kind: 'command',
  roles: LEADERS,
  summary: 'Decide on a submitted result: completed, revision or blocked.',
  input: acceptInput,
  fresh: 'required',
  precheck({ input }) {
    resultStatus(input.resultStatus);
  },
  run(context) {
    const { view, input } = context;
    const project = requireProject(view, input.projectId);
    const task = findTask(view, input.taskId);
    if (task !== undefined) requireTaskOf(task, project.id);
    const decided = decidedAs(project, input.taskId, task);
    const decision = decide(resultStatus(input.resultStatus), input.accepted ?? true);
    const step = { taskId: input.taskId, event: DECISION_EVENTS[decision] };
    if (decided !== undefined && (decided !== decision || !isSubmitted(view, task))) {
      throw refusedStep({
        from: decided,
        event: step.event,
        because: `task result already decided as ${decided}`,
        remedy: 'plan further work as a new node',
        data: { taskId: input.taskId },
      });
    }
    if (task !== undefined) requireSubmission(task, input.submissionId);
    if (task !== undefined && decided === undefined && task.status !== 'submitted') {
      throw refusedStep({
        from: task.status,
        event: step.event,
        because: `accept_task_result requires submitted task state, got ${task.status}`,
        remedy: 'wait for submit_task, then check_task',
        data: { taskId: input.taskId },
      });
    }
    const result = matchResult(view, task, resultStatus(input.resultStatus));
    if (decided === undefined) requireActive(project.meta, { ...step, from: task?.status ?? 'none' });
    checkBrokenPlan(project);
    const node = requireNode(project.plan, input.taskId, 'task not found in project plan');
    const summary = input.summary ?? task?.summary ?? '';
    return answer(context, { view, project, node, task, result, decision, summary }, decided !== undefined);
  },
});

/** The decision that stands, by marker first unless the task was withdrawn; `undefined` while it is open. */
function decidedAs({ plan }: OpenProject, taskId: string, task: TaskMeta | undefined): string | undefined {
  if (task !== undefined && isWithdrawn(task.status)) return task.status;
  const node = plan.nodes.find(({ id }) => id === taskId);
  if (node !== undefined && isTerminalNode(node.status)) return node.status;
  return task !== undefined && isTerminalTask(task.status) ? task.status : undefined;
}

function resultStatus(word = 'SUCCESS'): ResultStatus {
  const status = RESULT_STATUSES.find((known) => known === word.toUpperCase());
  if (status !== undefined) return status;
  throw new FlowError('invalid-argument', `invalid result status: ${word}`, {
    remedy: `use one of ${RESULT_STATUSES.join(', ')}`,
  });
}

/** What was halted, or marked by hand, without a result is no decision that could be taken again. */
function isSubmitted(view: WorkspaceView, task: TaskMeta | undefined): boolean {
  return task === undefined || hasResult(task) || view.exists(taskPaths(task.task_id).result);
}

/** What the Leader names must be what was submitted. */
function matchResult(view: WorkspaceView, task: TaskMeta | undefined, named: ResultStatus): ResultStatus {
  if (task === undefined) return named;
  const persisted = submittedStatus(view, task);
  if (persisted === named) return named;
  throw new FlowError('invalid-argument', 'resultStatus does not match the submitted task result', {
    remedy: `the submitted result is ${persisted}: call check_task and pass what it shows`,
    data: { taskId: task.task_id },
  });
}

/** What was submitted; a record without a copy of it is read from result.md. Throws `invalid-result`. */
export function submittedStatus(view: WorkspaceView, task: TaskMeta): ResultStatus {
  return task.result_status ?? readResult(view, task.task_id);
}

function readResult(view: WorkspaceView, taskId: string): ResultStatus {
  const file = taskPaths(taskId).result;
  const text = view.text(file);
  if (text === undefined) throw new FlowError('invalid-result', `task result not found: ${file}`, { data: { taskId } });
  const { result, problem } = parseResult(text, { exists: (path) => view.exists(path) });
  if (result !== undefined) return result.status;
  throw new FlowError('invalid-result', problem ?? `${file} is not a valid result`, { data: { taskId } });
}

function answer({ input, actor, now }: Context, matter: Matter, reused: boolean): Decision<Record<string, unknown>> {
  const { node, task, decision, summary } = matter;
  const step = { now, actor, action: 'accept_task_result', note: input.summary ?? '' };
  const { plan, meta, changes, events, task: decided } = settled(matter, step, reused);
  return {
    changes,
    events,
    announcements: [],
    output: {
      project: presentProject(meta),
      task: decided === undefined ? null : presentTask(decided),
      taskId: node.id,
      submissionId: task?.submission_id ?? null,
      nodeStatus: decision,
      accepted: input.accepted ?? true,
      publishedArtifacts: [],
      readyNodes: presentNodes(readyNodes(plan, meta)),
      ...(reused ? { reused } : {}),
      notificationNeeded: notificationHint(`task_result_${decision}`, meta, summary, task),
    },
  };
}
