import type { Change } from '../../protocol/changes.ts';
import { formatDiagnostic } from '../../protocol/diagnostic.ts';
import { FlowError } from '../../protocol/errors.ts';
import { checkDeliverable, taskPaths } from '../../protocol/paths.ts';
import { appendHistory } from '../../protocol/records/task.ts';
import { RESULT_STATUSES } from '../../protocol/records/types.ts';
import type { ResultStatus, TaskMeta, TaskResult } from '../../protocol/records/types.ts';
import { deliveryId, resultDigest } from '../../protocol/result/digest.ts';
import { parseResult } from '../../protocol/result/parse.ts';
import { mergeIntoReport, renderResult } from '../../protocol/result/render.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { historyEntry } from '../shared.ts';
import { writeMeta } from './common.ts';
import type { Context } from './common.ts';
import { inOneLine } from '../../protocol/one-line.ts';

export interface StructuredFields {
  readonly status?: string | undefined;
  readonly summary?: string | undefined;
  readonly deliverables?: readonly string[] | undefined;
  readonly notes?: readonly string[] | undefined;
}

/** A result that may be submitted, and where it came from. */
export interface Submission {
  readonly result: TaskResult;
  /** What `result.md` is to say; `undefined` when the file stands as its author wrote it. */
  readonly text: string | undefined;
  readonly warnings: readonly string[];
  readonly format: 'strict' | 'loose';
}

/**
 * The result that the fields of a call describe (protocol.md §10.3), or `undefined` when there are none and result.md
 * is meant. Throws `invalid-argument` for a field that is missing, `invalid-result` for one that says nothing valid.
 */
export function structuredResult(taskId: string, fields: StructuredFields): TaskResult | undefined {
  const { status, summary, deliverables, notes } = fields;
  if (status === undefined && summary === undefined && deliverables === undefined && notes === undefined)
    return undefined;
  if (isBlank(status)) throw missing('status', taskId);
  if (isBlank(summary)) throw missing('summary', taskId);
  const token = statusToken(status);
  if (token === undefined) {
    throw invalidResult(taskId, `invalid result status: ${status.trim()}`, `use one of ${RESULT_STATUSES.join(', ')}`);
  }
  const result = {
    status: token,
    summary: inOneLine(summary),
    deliverables: [...(deliverables ?? [])],
    notes: (notes ?? []).map(inOneLine).filter((note) => note !== ''),
  };
  checkDeliverables(taskId, result);
  return result;
}

/** The submission of a call: its fields laid over result.md, or the file as it stands. */
export function submissionOf(view: WorkspaceView, taskId: string, structured: TaskResult | undefined): Submission {
  const file = taskPaths(taskId).result;
  const existing = view.text(file);
  if (structured === undefined) return writtenSubmission(view, taskId);
  const text = existing === undefined ? renderResult(structured) : mergeIntoReport(existing, structured);
  return { result: structured, text: text === existing ? undefined : text, warnings: [], format: 'strict' };
}

/** The submission that its author wrote into result.md. Throws `not-found` or `invalid-result`. */
export function writtenSubmission(view: WorkspaceView, taskId: string): Submission {
  const file = taskPaths(taskId).result;
  const text = view.text(file);
  if (text === undefined) {
    throw new FlowError('not-found', `task result not found: ${file}`, {
      remedy: 'write it, or pass status and summary',
      data: { taskId },
    });
  }
  const { result, problem, diagnostics, format } = parseResult(text, { exists: (path) => view.exists(path) });
  const lines = diagnostics.map((diagnostic) => formatDiagnostic({ ...diagnostic, file }));
  if (result === undefined) {
    throw new FlowError('invalid-result', problem ?? `result cannot be read: ${file}`, {
      remedy: `mend ${file} and submit again`,
      data: { taskId, validationErrors: lines },
    });
  }
  checkDeliverables(taskId, result);
  return { result, text: undefined, warnings: lines, format };
}

/** protocol.md §7.4. Throws `invalid-result` for the first path that is not the task's own. */
function checkDeliverables(taskId: string, { deliverables }: TaskResult): void {
  const problem = deliverables.map((path) => checkDeliverable(path, taskId)).find((text) => text !== undefined);
  if (problem === undefined) return;
  throw invalidResult(taskId, problem, `name files under ${taskPaths(taskId).dir}`);
}

/** Deliverables that are named but not there: a warning, never a refusal (protocol.md §7.4). */
export function missingDeliverables(view: WorkspaceView, { deliverables }: TaskResult): readonly string[] {
  return deliverables.filter((path) => !view.exists(path));
}

/** What a result's fingerprint was when it was submitted; older records did not keep it. */
export function submittedDigest(view: WorkspaceView, meta: TaskMeta): string | undefined {
  if (meta.result_digest !== undefined) return meta.result_digest;
  const { result_status: status, summary, deliverables } = meta;
  if (status !== undefined && summary !== undefined) {
    return resultDigest({ status, summary, deliverables: deliverables ?? [] });
  }
  const text = view.text(taskPaths(meta.task_id).result);
  const result = text === undefined ? undefined : parseResult(text, { exists: (path) => view.exists(path) }).result;
  return result === undefined ? undefined : resultDigest(result);
}

/** The record of a task after its first submission (protocol.md §10.3, "Effects"). */
export function submittedMeta(context: Context, meta: TaskMeta, result: TaskResult, note?: string): TaskMeta {
  const { ids, now, actor: by } = context;
  const submission = meta.submission_id ?? ids.submission;
  return appendHistory(
    {
      ...meta,
      status: 'submitted',
      submitted_at: meta.submitted_at ?? now,
      submitted_by_role: meta.submitted_by_role ?? by.role,
      result_path: taskPaths(meta.task_id).result,
      result_status: result.status,
      summary: result.summary,
      deliverables: [...result.deliverables],
      submission_id: submission,
      result_digest: resultDigest(result),
      continuation: meta.continuation ?? {
        status: 'pending',
        delivery_id: deliveryId(meta.project_id, meta.task_id, submission),
      },
    },
    historyEntry({
      now,
      actor: by,
      action: 'submit_task',
      from: meta.status,
      to: 'submitted',
      ...(note === undefined ? {} : { note }),
    }),
  );
}

/** The files of a submission: what the Worker left in the task's folder, the result, and last the record. */
export function submissionChanges(meta: TaskMeta, { text }: Submission, forAssignee: boolean): readonly Change[] {
  const { dir, result } = taskPaths(meta.task_id);
  return [
    // Whoever finishes for somebody else must not leave files behind that only that one could publish.
    { kind: 'adopt', path: dir, ...(forAssignee ? { whole: true } : {}) },
    ...(text === undefined ? [] : [{ kind: 'write', path: result, text } as const]),
    writeMeta(meta),
  ];
}

function statusToken(text: string): ResultStatus | undefined {
  const token = text.trim().toUpperCase();
  return RESULT_STATUSES.find((status) => status === token);
}

function isBlank(text: string | undefined): text is undefined {
  return text === undefined || text.trim() === '';
}

function missing(name: string, taskId: string): FlowError {
  return new FlowError('invalid-argument', `payload.${name} is required`, {
    remedy: 'pass status and summary together, or neither when result.md is written already',
    data: { taskId },
  });
}

function invalidResult(taskId: string, message: string, remedy: string): FlowError {
  return new FlowError('invalid-result', message, { remedy, data: { taskId, validationErrors: [message] } });
}
