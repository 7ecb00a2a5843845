import { subtaskOfNode } from '../../protocol/ids.ts';
import { taskPaths } from '../../protocol/paths.ts';
import { planProse } from '../../protocol/plan/prose.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import type { Waiting } from './waiting.ts';

/** S002-27: what an agent needs to know that is given this task, with nothing else at hand. */
export function dispatchContext(view: WorkspaceView, { project, node, meta }: Waiting): Record<string, unknown> {
  const { id, meta: record, planText } = project;
  const prose = planProse(planText);
  const plan = prose === '' ? (record.plan?.summary ?? record.description ?? '') : prose;
  return {
    task_id: id,
    subtask_id: subtaskOfNode(id, node.id),
    node_id: node.id,
    title: meta?.task_title ?? node.title,
    description: (view.text(taskPaths(node.id).spec) ?? '').trim(),
    plan,
    deps: node.dependsOn.map((dependency) => dependencyOf(view, id, dependency)),
    report: reportCommand(record.mode === 'composite', id, node.id),
  };
}

function dependencyOf(view: WorkspaceView, projectId: string, taskId: string): Record<string, unknown> {
  const found = view.task(taskId)?.meta;
  const { result } = taskPaths(taskId);
  return {
    subtask_id: subtaskOfNode(projectId, taskId),
    node_id: taskId,
    ...(found === undefined ? {} : { title: found.task_title, status: found.status }),
    ...(found?.summary === undefined ? {} : { summary: found.summary }),
    ...(view.exists(result) ? { result } : {}),
  };
}

/** The command with which an agent says that it is done. */
function reportCommand(isComposite: boolean, projectId: string, taskId: string): string {
  return isComposite
    ? `baton subtask ${projectId} ${subtaskOfNode(projectId, taskId)} done --note "…"`
    : `baton task submit ${taskId} --status SUCCESS --summary "…"`;
}
