import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { answerText } from '../../protocol/mention.ts';
import { ATTENTION_KINDS } from '../../protocol/records/types.ts';
import type { Attention, AttentionKind, TaskMeta } from '../../protocol/records/types.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import { presentTask } from '../present.ts';
import { LEADERS, requireTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { AnnouncementDraft, Decision, DeliveryFact, OperationContext, Settlement } from '../types.ts';
import { requireOpen, requireRoom, syncFields, taskEvent, userIdOf, writeMeta } from './common.ts';

/** Longer answers belong into a file. */
const ANSWER_LIMIT = 2_000;

const input = z.object({
  taskId: z.string().min(1).describe('id of the task'),
  kind: z.enum(ATTENTION_KINDS).optional().describe('which question, when several are open'),
  decision: z.enum(['approved', 'denied']).optional().describe('for an approval: approved or denied'),
  answer: z.string().optional().describe(`up to ${ANSWER_LIMIT} characters; not needed with decision`),
});

type Context = OperationContext<z.output<typeof input>>;

interface AnswerOutput {
  readonly task: Readonly<Record<string, unknown>>;
  readonly attention: Attention;
  readonly reused?: true;
  readonly synced?: boolean;
  readonly notification?: Readonly<Record<string, unknown>>;
}

/**
 * The other half of protocol.md §10.7: the answer stands in the task's record, where the Worker's agent finds it, and
 * closes the question; the Worker is told in the room of its assignment. Same answer again: nothing more happens.
 */
export const answerAttention = defineOperation({
  name: 'task.answer_attention',
  kind: 'command',
  roles: LEADERS,
  summary: 'Answer what a worker has asked with request_attention.',
  input,
  fresh: 'required',
  precheck({ input: given }) {
    const { taskId } = given;
    const text = wording(given);
    if (text === '') {
      throw new FlowError('invalid-argument', 'payload.answer is required', {
        remedy: 'pass an answer, or for an approval decision: approved or denied',
        data: { taskId },
      });
    }
    if (text.length > ANSWER_LIMIT) {
      throw new FlowError('invalid-argument', `payload.answer must have at most ${ANSWER_LIMIT} characters`, {
        remedy: 'put the details into a file and name it',
        data: { taskId },
      });
    }
  },
  run(context) {
    const { view, input: given, actor, now } = context;
    const meta = requireTask(view, given.taskId);
    requireOpen(view, meta, { action: 'answer_attention' });
    const kind = given.kind ?? (given.decision === undefined ? undefined : 'approval');
    const text = wording(given);
    const open = openQuestion(meta, kind);
    if (open === undefined) return repeated(meta, kind, text);
    const answered: Attention = {
      ...open,
      resolved: true,
      answer: text,
      answeredBy: actor.localpart,
      answeredAt: now,
    };
    const next: TaskMeta = {
      ...meta,
      attention: meta.attention?.map((record) => (record === open ? answered : record)) ?? [],
    };
    return {
      changes: [writeMeta(next)],
      events: [taskEvent('task.attention_answered', 'answer_attention', next, { note: `${answered.kind}: ${text}` })],
      announcements: [announcement(context, next, answered)],
      output: { task: presentTask(next), attention: answered },
    };
  },
  settle,
});

/** The answer as it is kept: the decision's word first, which agents look for. */
function wording({ decision, answer = '' }: z.output<typeof input>): string {
  const text = answer.trim();
  if (decision === undefined) return text;
  return text === '' ? decision : `${decision}: ${text}`;
}

function openQuestion(meta: TaskMeta, kind: AttentionKind | undefined): Attention | undefined {
  const open = (meta.attention ?? []).filter((record) => !record.resolved && (kind ?? record.kind) === record.kind);
  const kinds = [...new Set(open.map((record) => record.kind))];
  if (kinds.length > 1) {
    throw new FlowError('invalid-argument', `task ${meta.task_id} has several open questions: ${kinds.join(', ')}`, {
      remedy: 'pass kind to say which one is answered',
      data: { taskId: meta.task_id, kinds },
    });
  }
  return open.at(-1);
}

/** Nothing is open: the answer that stands is given back to whoever gives it again. */
function repeated(meta: TaskMeta, kind: AttentionKind | undefined, text: string): Decision<AnswerOutput> {
  const last = meta.attention?.findLast((record) => (kind ?? record.kind) === record.kind);
  if (last?.answer === text) {
    const output: AnswerOutput = { task: presentTask(meta), attention: last, reused: true };
    return { changes: [], events: [], announcements: [], output };
  }
  const data = { taskId: meta.task_id };
  if (last?.answer !== undefined) {
    throw new FlowError('illegal-transition', `the question was already answered by ${last.answeredBy ?? 'somebody'}`, {
      remedy: 'see it with check_task; the worker may ask again',
      data,
    });
  }
  const which = kind === undefined ? '' : ` of kind ${kind}`;
  throw new FlowError('not-found', `no open question${which} on task ${meta.task_id}`, {
    remedy: 'see with check_task what was asked',
    data,
  });
}

function announcement(context: Context, meta: TaskMeta, { kind, attempt, answer = '' }: Attention): AnnouncementDraft {
  const assignee = meta.assigned_to_mxid ?? userIdOf(context, meta.assigned_to);
  return {
    kind: 'attention',
    txn: `answer-${meta.task_id}-${kind}-${attempt}`,
    room: requireRoom(meta),
    text: answerText({ assignee, taskId: meta.task_id, kind, answer, by: context.actor.localpart }),
    mentions: [assignee],
    urgent: true,
  };
}

/** The record is the answer; what the room does not take now, the outbox says later. */
function settle(output: AnswerOutput, settlement: Settlement): AnswerOutput {
  const sync = syncFields(settlement);
  const [delivery] = settlement.deliveries;
  if (delivery === undefined) return { ...output, ...sync };
  const { room_id: room } = output.task;
  const roomId = typeof room === 'string' ? (normaliseRoom(room) ?? room) : undefined;
  return { ...output, ...sync, notification: told(delivery, roomId) };
}

function told(
  { sent, queued, eventId, error = 'Matrix send failed' }: DeliveryFact,
  roomId: string | undefined,
): Readonly<Record<string, unknown>> {
  if (sent) return { sent, eventId, roomId };
  return queued === true ? { sent, queued, reason: error, roomId } : { sent, error };
}
