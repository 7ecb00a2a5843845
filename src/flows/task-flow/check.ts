import { z } from 'zod';
import { formatDiagnostic } from '../../protocol/diagnostic.ts';
import { FlowError } from '../../protocol/errors.ts';
import { checkDeliverable, taskPaths } from '../../protocol/paths.ts';
import type { TaskMeta, TaskResult } from '../../protocol/records/types.ts';
import { isEffective, resultDigest } from '../../protocol/result/digest.ts';
import { parseResult } from '../../protocol/result/parse.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { withArchive } from '../../protocol/with-archive.ts';
import { presentTask } from '../present.ts';
import { ANYONE, LEADERS, archivedAs, requireTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { missingDeliverables, submittedDigest } from './submission.ts';

/**
 * protocol.md §10.4: shows a task with its result and says whether the result could complete the node. It changes
 * nothing; only the Leader's side is told `effective`.
 */
export const check = defineOperation({
  name: 'task.check',
  kind: 'query',
  roles: ANYONE,
  summary: 'Read a task and its result, and tell the leader whether the result is effective.',
  input: z.object({
    taskId: z.string().min(1).describe('id of the task'),
    allowStale: z.boolean().default(false).describe('answer from here when the remote is away'),
  }),
  fresh: ({ allowStale }) => (allowStale ? 'best-effort' : 'required'),
  run({ view: live, input, actor }) {
    const view = withArchive(live);
    const meta = requireTask(view, input.taskId);
    const projectStatus = view.project(meta.project_id)?.meta?.status;
    const base = {
      task: presentTask(meta),
      submitted: meta.submission_id !== undefined || meta.submitted_at !== undefined || meta.status === 'submitted',
      ...(projectStatus === undefined ? {} : { projectStatus }),
      ...archivedAs(live.task(meta.task_id) === undefined ? live.archivedTask(meta.task_id) : undefined),
    };
    const read = readResult(view, meta.task_id);
    const advises = LEADERS.includes(actor.role);
    if (read.result === undefined || read.errors.length > 0) {
      throw new FlowError('invalid-result', read.errors[0]?.message ?? 'result cannot be read', {
        remedy: 'ask the worker to mend result.md, or cancel the task and plan it anew',
        data: {
          ...base,
          taskId: meta.task_id,
          ...(advises ? { effective: false } : {}),
          validationErrors: read.errors.map(({ shown }) => shown),
        },
      });
    }
    const warnings = [...read.warnings, ...changedAfter(view, meta, read.result)];
    const missing = missingDeliverables(view, read.result);
    const output = {
      ...base,
      result: read.result,
      ...(advises ? { effective: isEffective(read.result.status) } : {}),
      validationErrors: [],
      ...(read.format === 'loose' ? { format: 'loose' } : {}),
      ...(warnings.length === 0 ? {} : { warnings }),
      ...(missing.length === 0 ? {} : { missingDeliverables: missing }),
    };
    return { changes: [], events: [], announcements: [], output };
  },
});

interface ReadResult {
  readonly result: TaskResult | undefined;
  readonly format: 'strict' | 'loose';
  /** `message` is the protocol's phrase, `shown` has the place in front. */
  readonly errors: readonly { readonly message: string; readonly shown: string }[];
  readonly warnings: readonly string[];
}

function readResult(view: WorkspaceView, taskId: string): ReadResult {
  const file = taskPaths(taskId).result;
  const text = view.text(file);
  if (text === undefined) {
    const message = `task result not found: ${file}`;
    return { result: undefined, format: 'strict', errors: [{ message, shown: message }], warnings: [] };
  }
  const { result, format, diagnostics, problem } = parseResult(text, { exists: (path) => view.exists(path) });
  const show = (severity: 'error' | 'warning') =>
    diagnostics
      .filter((diagnostic) => diagnostic.severity === severity)
      .map((diagnostic) => ({ message: diagnostic.message, shown: formatDiagnostic({ ...diagnostic, file }) }));
  const paths = (result?.deliverables ?? [])
    .map((path) => checkDeliverable(path, taskId))
    .filter((message) => message !== undefined)
    .map((message) => ({ message, shown: message }));
  const errors = [...show('error'), ...paths];
  const known = errors.length === 0 && problem !== undefined ? [{ message: problem, shown: problem }] : errors;
  return { result, format, errors: known, warnings: show('warning').map(({ shown }) => shown) };
}

/** The record keeps the fingerprint of what was submitted; a file that says something else was edited since. */
function changedAfter(view: WorkspaceView, meta: TaskMeta, result: TaskResult): readonly string[] {
  const digest = submittedDigest(view, meta);
  return digest === undefined || digest === resultDigest(result) ? [] : ['result.md changed after submission'];
}
