import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import type { TaskMeta, TaskResult } from '../../protocol/records/types.ts';
import { resultDigest } from '../../protocol/result/digest.ts';
import { isLeading } from '../../protocol/roles.ts';
import { refusedStep } from '../../rules/transition.ts';
import { presentTask } from '../present.ts';
import { WORKERS, notificationHint, requireTask } from '../shared.ts';
import type { NotificationHint } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision, OperationContext, Settlement } from '../types.ts';
import { illegalMove, requireAssignee, requireOpen, requireRoom, syncFields, taskEvent } from './common.ts';
import { completion, completionNotice } from './completion.ts';
import {
  missingDeliverables,
  structuredResult,
  submissionChanges,
  submissionOf,
  submittedDigest,
  submittedMeta,
} from './submission.ts';
import type { Submission } from './submission.ts';

const notText = { error: 'deliverable path must be a non-empty string' };

const input = z.object({
  taskId: z.string().min(1).describe('id of the task'),
  status: z.string().optional().describe('SUCCESS, SUCCESS_WITH_NOTES, REVISION_NEEDED or BLOCKED'),
  summary: z.string().optional().describe('what came of it, one line'),
  deliverables: z.array(z.string(notText).min(1, notText)).optional().describe('paths under shared/tasks/<taskId>/'),
  notes: z.array(z.string()).optional().describe('further remarks, one line each'),
});

type Context = OperationContext<z.output<typeof input>>;

export interface SubmitOutput {
  readonly task: Readonly<Record<string, unknown>>;
  readonly result: TaskResult;
  readonly reused?: true;
  readonly format?: 'loose';
  readonly warnings?: readonly string[];
  readonly missingDeliverables?: readonly string[];
  readonly notificationNeeded?: NotificationHint;
  readonly synced?: boolean;
  readonly verified?: boolean;
  readonly notification?: Readonly<Record<string, unknown>>;
  /** Whether a completion line was handed over; taken out again when the answer is finished. */
  readonly announced?: boolean;
}

const STEP = { action: 'submit_task', event: 'submit' } as const;

/** protocol.md §10.3: the assignee hands in the result, once. */
export const submit = defineOperation({
  name: 'task.submit',
  kind: 'command',
  roles: WORKERS,
  summary: 'Hand in the result of your task: by fields, or as written in its result.md.',
  input,
  fresh: 'required',
  restsOn: 'own-work',
  whenOffline: 'persist',
  precheck({ input: given, actor }) {
    const result = structuredResult(given.taskId, given);
    if (result !== undefined) refuseInterrupted(given.taskId, actor.role, result);
  },
  dryRun({ view, input: given }) {
    const { result } = submissionOf(view, given.taskId, structuredResult(given.taskId, given));
    return { taskId: given.taskId, result };
  },
  run: decide,
  settle,
});

function decide(context: Context): Decision<SubmitOutput> {
  const { view, input: given, actor } = context;
  const structured = structuredResult(given.taskId, given);
  const meta = requireTask(view, given.taskId);
  requireOpen(view, meta, STEP);
  requireAssignee(context, meta);
  if (meta.status === 'pending') throw illegalMove(STEP, meta, 'ack_task it first');
  requireRoom(meta);
  const submission = submissionOf(view, given.taskId, structured);
  refuseInterrupted(given.taskId, actor.role, submission.result);
  return meta.status === 'submitted' ? repeat(context, meta, submission) : accept(context, meta, submission);
}

/** The commit of a first submission; also what a hand-written result.md leads to. `quiet`: the leader knows. */
export function accept(
  context: OperationContext<unknown>,
  meta: TaskMeta,
  submission: Submission,
  { note, quiet = false }: { readonly note?: string | undefined; readonly quiet?: boolean } = {},
): Decision<SubmitOutput> {
  const { result } = submission;
  const next = submittedMeta(context, meta, result, note);
  const announcements = quiet ? [] : completion(context, next, result);
  return {
    changes: submissionChanges(next, submission, isLeading(context.actor)),
    events: [
      taskEvent('task.submitted', 'submit_task', next, { from: meta.status, to: 'submitted', note: result.status }),
    ],
    announcements,
    output: outputOf(context, next, submission, announcements.length > 0),
  };
}

/** The same result again repairs what a crash or an absent remote left undone; another one is refused. */
function repeat(context: Context, meta: TaskMeta, submission: Submission): Decision<SubmitOutput> {
  if (submittedDigest(context.view, meta) !== resultDigest(submission.result)) {
    throw refusedStep({
      code: 'stale-submission',
      from: meta.status,
      event: STEP.event,
      because: 'submit_task conflicts with existing submission',
      remedy: 'a submitted result stands; ask the leader for a new task to change it',
      data: { taskId: meta.task_id },
    });
  }
  const announcements = completion(context, meta, submission.result);
  return {
    changes: [],
    events: [],
    announcements,
    output: { ...outputOf(context, meta, submission, announcements.length > 0), reused: true },
  };
}

/** INTERRUPTED is the control plane's word, never a Worker's own (features.md S003-29). */
export function refuseInterrupted(taskId: string, role: string, { status }: TaskResult): void {
  if (status !== 'INTERRUPTED' || !WORKERS.some((worker) => worker === role)) return;
  const message = 'result status INTERRUPTED is reserved for the control plane';
  throw new FlowError('invalid-result', message, {
    remedy: 'submit BLOCKED with the reason',
    data: { taskId, validationErrors: [message] },
  });
}

function outputOf(
  { view }: OperationContext<unknown>,
  meta: TaskMeta,
  { result, format, warnings }: Submission,
  announced: boolean,
): SubmitOutput {
  const missing = missingDeliverables(view, result);
  const project = view.project(meta.project_id)?.meta;
  return {
    task: presentTask(meta),
    result,
    ...(format === 'loose' ? { format } : {}),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(missing.length === 0 ? {} : { missingDeliverables: missing }),
    ...(project === undefined
      ? {}
      : { notificationNeeded: notificationHint('task_submitted', project, result.summary, meta) }),
    announced,
  };
}

/** Throws `sync-failed` when the submission is kept here but not on the remote yet (protocol.md §11.1). */
export function settle(output: SubmitOutput, settlement: Settlement): SubmitOutput {
  const { announced = false, ...rest } = output;
  if (!settlement.synced) {
    throw new FlowError('sync-failed', 'the result is saved and committed here, but is not on the remote yet', {
      remedy:
        'nothing is lost: it is pushed and announced by itself as soon as it can be; `baton sync now` tells what is in the way',
      data: {
        statePersisted: true,
        synced: false,
        durability: settlement.durability,
        task: rest.task,
        result: rest.result,
      },
    });
  }
  const { completion_event_id: recorded, room_id: room } = output.task;
  const notification = completionNotice(
    typeof room === 'string' ? room : '',
    announced,
    settlement,
    announced || typeof recorded !== 'string' ? undefined : recorded,
  );
  return { ...rest, ...syncFields(settlement), verified: true, notification };
}
