import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { taskPaths } from '../../protocol/paths.ts';
import type { PlanNode } from '../../protocol/plan-types.ts';
import { parseResult } from '../../protocol/result/parse.ts';
import { parseTime } from '../../protocol/timestamps.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { livenessOf } from '../../rules/liveness.ts';
import { readyNodes } from '../../rules/dag.ts';
import { ANYONE, requireProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { presentNodes } from './planned-tasks.ts';

type Issue = Readonly<Record<string, unknown>>;

/** protocol.md §10.18: what upstream asks Workers over HTTP is read here from the files. Changes nothing. */
export const checkActiveTasks = defineOperation({
  name: 'project.check_active_tasks',
  kind: 'query',
  roles: ANYONE,
  summary: 'List what waits for attention in the active projects.',
  input: z.object({
    projectId: z.string().optional().describe('only this project; default all'),
    timeoutSeconds: z.number().int().optional().describe('accepted for compatibility; nothing is probed'),
  }),
  fresh: 'best-effort',
  precheck({ input }) {
    checkTimeout(input.timeoutSeconds);
  },
  run({ view, input, now }) {
    checkTimeout(input.timeoutSeconds);
    const projects = activeProjects(view, input.projectId);
    const issues = projects.flatMap((project) => projectIssues(view, project, parseTime(now) ?? 0));
    return { changes: [], events: [], announcements: [], output: { checkedProjects: projects.length, issues } };
  },
});

function checkTimeout(seconds = 3): void {
  if (seconds < 1) throw new FlowError('invalid-argument', 'payload.timeoutSeconds must be greater than zero');
}

/** One named project must be there; among all of them, a broken one is left to `doctor`. */
function activeProjects(view: WorkspaceView, named: string | undefined): readonly OpenProject[] {
  const entries =
    named === undefined
      ? view.projectIds().flatMap((id) => {
          const entry = view.project(id);
          return entry?.meta === undefined ? [] : [{ ...entry, meta: entry.meta }];
        })
      : [requireProject(view, named)];
  return entries.filter(({ meta }) => meta.status === 'active');
}

function projectIssues(view: WorkspaceView, project: OpenProject, now: number): readonly Issue[] {
  const { id, meta, plan } = project;
  const base = { projectId: id, projectTitle: meta.title, projectStatus: meta.status, planType: plan.kind };
  const open = plan.nodes
    .filter(({ status }) => status === 'delegated')
    .flatMap((node) => {
      const issue = taskIssue(view, node, now);
      return issue === undefined ? [] : [{ ...base, ...issue }];
    });
  if (open.length > 0) return open;
  const ready = readyNodes(plan, meta);
  if (ready.length > 0) {
    return [
      {
        ...base,
        issueType: 'ready_tasks_pending',
        readyTasks: presentNodes(ready),
        recommendation: 'normal_leader_schedule_ready_tasks',
      },
    ];
  }
  if (plan.nodes.length === 0 || plan.nodes.some(({ status }) => status !== 'completed')) return [];
  return endIssue(project, base);
}

function endIssue({ plan }: OpenProject, base: Issue): readonly Issue[] {
  if (plan.loop === undefined) {
    return [
      {
        ...base,
        issueType: 'project_completion_pending',
        recommendation: 'normal_leader_aggregate_and_complete_project',
      },
    ];
  }
  if (plan.loop.status !== 'running') return [];
  return [
    {
      ...base,
      issueType: 'loop_iteration_decision_pending',
      iteration: plan.loop.currentIteration,
      maxIterations: plan.loop.maxIterations,
      recommendation: 'normal_leader_record_loop_iteration',
    },
  ];
}

/** The first thing that is wrong with a delegated task, in the order of protocol.md §10.18. */
function taskIssue(view: WorkspaceView, node: PlanNode, now: number): Issue | undefined {
  const task = view.task(node.id);
  // What a sparse clone leaves out is not missing.
  if (task === undefined && view.isPartial) return undefined;
  const meta = task?.meta;
  const { dir, result: file } = taskPaths(node.id);
  const base = {
    taskId: node.id,
    taskTitle: node.title,
    assignedTo: node.assignee,
    planStatus: node.status,
    taskPath: dir,
    taskStatus: meta?.status ?? 'missing',
  };
  if (meta === undefined) {
    return { ...base, issueType: 'missing_task_meta', recommendation: 'leader_repair_or_delegate_again' };
  }
  const text = view.text(file);
  if (text !== undefined) {
    const { result, problem } = parseResult(text, { exists: (path) => view.exists(path) });
    return result === undefined
      ? {
          ...base,
          issueType: 'invalid_task_result',
          error: problem ?? 'not a valid result',
          recommendation: 'ask_worker_fix_result_protocol',
        }
      : {
          ...base,
          issueType: 'task_result_pending_check',
          resultStatus: result.status,
          recommendation: 'leader_check_submitted_result',
        };
  }
  const { state: runtime } = livenessOf(meta, view.team, now);
  if (runtime === 'running') return undefined;
  return runtime === 'idle'
    ? { ...base, issueType: 'task_not_running', recommendation: 'ask_worker_continue_task' }
    : { ...base, issueType: 'worker_runtime_unknown', recommendation: 'inspect_worker_runtime' };
}
