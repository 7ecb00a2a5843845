import { projectPaths } from '../../protocol/paths.ts';
import { appendHistory } from '../../protocol/records/task.ts';
import type {
  Actor,
  Continuation,
  ProjectMeta,
  RequesterReport,
  ResultStatus,
  TaskMeta,
} from '../../protocol/records/types.ts';
import type { TaskEvent } from '../../rules/lifecycle.ts';
import { owedReport } from '../../rules/reports.ts';
import { historyEntry } from '../shared.ts';
import { statusWord } from '../task-flow/common.ts';

/** What the Leader's side may make of a submission (protocol.md §7.1). */
export type DecidedStatus = 'completed' | 'revision' | 'blocked';

/** The step of the table by which each comes about. */
export const DECISION_EVENTS = {
  completed: 'accept',
  revision: 'revise',
  blocked: 'hold',
} as const satisfies Readonly<Record<DecidedStatus, TaskEvent>>;

/** Every state that ends a task for good. */
export type EndedStatus = DecidedStatus | 'failed' | 'cancelled' | 'superseded';

/** The protocol's word for what became of a delivery (§7.7): that of the marker. */
const RESOLUTIONS = {
  completed: 'completed',
  revision: 'revision',
  blocked: 'blocked',
  failed: 'blocked',
  cancelled: 'cancelled',
  superseded: 'cancelled',
} as const satisfies Readonly<Record<EndedStatus, Continuation['resolution']>>;

/** protocol.md §7.1 and §10.16: what a result and the Leader's word make of the node. */
export function decide(result: ResultStatus, accepted: boolean): DecidedStatus {
  if (result === 'REVISION_NEEDED') return 'revision';
  if (result === 'BLOCKED' || result === 'INTERRUPTED') return 'blocked';
  return accepted ? 'completed' : 'revision';
}

export interface DecisionStep {
  readonly now: string;
  readonly actor: Actor;
  readonly action: string;
  readonly note?: string;
  /** `auto` where nobody looked; default: the actor. */
  readonly acceptedBy?: string;
}

/** The record of a decided task: ended, continuation resolved, nothing left open. */
export function decidedTask(meta: TaskMeta, status: EndedStatus, step: DecisionStep): TaskMeta {
  const { continuation, attention, completed_at: _, ...rest } = meta;
  const decided: TaskMeta = {
    ...rest,
    status,
    ...(continuation === undefined
      ? {}
      : {
          continuation: { ...continuation, status: 'resolved', resolution: RESOLUTIONS[status], resolved_at: step.now },
        }),
    ...(status === 'completed' ? { completed_at: step.now, accepted_by: step.acceptedBy ?? step.actor.localpart } : {}),
    ...(attention === undefined ? {} : { attention: attention.map((record) => ({ ...record, resolved: true })) }),
  };
  return meta.status === status
    ? decided
    : appendHistory(decided, historyEntry({ ...step, from: statusWord(meta), to: status }));
}

export interface DecidedResult {
  readonly taskId: string;
  readonly resultStatus?: ResultStatus;
  readonly summary?: string;
}

/**
 * What a decision owes the requester (protocol.md §10.16). A report that is still to be sent for this very task is
 * withdrawn when the task turns out not to be completed; otherwise every decision makes a report due (§14.1).
 */
export function decidedReport(project: ProjectMeta, status: DecidedStatus, result: DecidedResult): RequesterReport {
  const before = project.requester_report;
  // A marker that was set by hand may have been told before its record followed.
  if (before?.told?.[result.taskId] === status) return before;
  if (status !== 'completed' && before?.pending === true && before.task_id === result.taskId) {
    return { ...before, pending: false, reason: `task_result_${status}` };
  }
  return owedReport(before, {
    reason: status === 'completed' ? 'task_result_accepted' : `task_result_${status}`,
    task_id: result.taskId,
    ...(result.resultStatus === undefined ? {} : { result_status: result.resultStatus }),
    ...(result.summary === undefined || result.summary === '' ? {} : { summary: result.summary }),
    report_path: projectPaths(project.project_id).result,
  });
}
