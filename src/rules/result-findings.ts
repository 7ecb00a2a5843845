import { checkDeliverable, taskPaths } from '../protocol/paths.ts';
import type { TaskMeta } from '../protocol/records/types.ts';
import { resultDigest } from '../protocol/result/digest.ts';
import { parseResult } from '../protocol/result/parse.ts';
import type { ParsedResult } from '../protocol/result/parse.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import type { Finding } from './finding.ts';

/**
 * What a result.md on disk says beside the task's record (architecture.md, "One task": a Worker may write it by
 * hand). Valid and not yet recorded: it is to be recorded as the submission. Not valid: the Worker hears why.
 * Changed after it was submitted: the Leader hears of it.
 */
export function resultFinding(view: WorkspaceView, meta: TaskMeta): Finding | undefined {
  const { task_id: taskId, project_id: projectId, status } = meta;
  const file = taskPaths(taskId).result;
  const text = isOpen(meta) || status === 'submitted' ? view.text(file) : undefined;
  if (text === undefined) return undefined;
  const parsed = parseResult(text, { exists: (path) => view.exists(path) });
  const found = status === 'submitted' ? changed(meta, parsed, file) : unrecorded(meta, parsed, file);
  return found === undefined ? undefined : { severity: 'warning', projectId, taskId, ...found };
}

type Found = Omit<Finding, 'severity' | 'projectId' | 'taskId'>;

function changed(meta: TaskMeta, { result }: ParsedResult, file: string): Found | undefined {
  const { task_id: taskId, result_digest: digest, submission_id: submission = '' } = meta;
  if (digest === undefined || (result !== undefined && resultDigest(result) === digest)) return undefined;
  return {
    key: `result-changed:${taskId}:${submission}`,
    kind: 'result-changed',
    message: `result.md changed after submission: ${file} is not what ${taskId} submitted`,
    remedy: 'check it before accepting; a changed result needs a new task',
  };
}

function unrecorded({ task_id: taskId, assigned_to: worker }: TaskMeta, parsed: ParsedResult, file: string): Found {
  const fault = faultOf(parsed, taskId);
  if (fault !== undefined) {
    return {
      key: `invalid-result:${taskId}:${fault}`,
      kind: 'invalid-result',
      message: `${file}:${parsed.diagnostics[0]?.line ?? 1}: ${fault}`,
      remedy: `${worker} mends ${file} or calls submit_task`,
    };
  }
  return {
    key: `unrecorded-result:${taskId}`,
    kind: 'unrecorded-result',
    message: `${file} holds a valid result that is not recorded as submitted`,
    remedy: `${worker} calls submit_task, or the node records it`,
    repair: { operation: 'task.record_submission', input: { taskId } },
  };
}

/** Why a result could not be submitted as it stands. */
function faultOf({ result, problem, diagnostics }: ParsedResult, taskId: string): string | undefined {
  if (result === undefined) return problem ?? diagnostics[0]?.message ?? 'not a valid result';
  return result.deliverables.map((path) => checkDeliverable(path, taskId)).find((reason) => reason !== undefined);
}

function isOpen({ status }: TaskMeta): boolean {
  return status === 'prepared' || status === 'assigned' || status === 'in_progress';
}
