import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { sameLocalpart } from '../../protocol/identity.ts';
import { attentionText } from '../../protocol/mention.ts';
import { ATTENTION_KINDS } from '../../protocol/records/types.ts';
import type { Attention, AttentionKind, Role, TaskMeta } from '../../protocol/records/types.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import { presentTask } from '../present.ts';
import { LEADERS, WORKERS, findTask, requireTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { AnnouncementDraft, Decision, OperationContext, Settlement } from '../types.ts';
import {
  asItStands,
  humans,
  leaderOf,
  requireAssignee,
  requireOpen,
  requireRoom,
  syncFields,
  taskEvent,
  userIdOf,
  writeMeta,
} from './common.ts';
import { inOneLine } from '../../protocol/one-line.ts';

const QUESTION_LIMIT = 500;
const ROLES: readonly Role[] = [...WORKERS, ...LEADERS];

const input = z.object({
  taskId: z.string().min(1).describe('id of the task'),
  kind: z.enum(ATTENTION_KINDS).default('other').describe(ATTENTION_KINDS.join(', ')),
  question: z.string().optional().describe('up to 500 characters; not needed with resolved'),
  resolved: z.boolean().default(false).describe('true closes the open question of this kind'),
});

type Input = z.output<typeof input>;
type Context = OperationContext<Input>;

interface AttentionOutput {
  readonly task: Readonly<Record<string, unknown>>;
  readonly attention: Attention | undefined;
  readonly reused?: true;
  readonly synced?: boolean;
  readonly notification?: Readonly<Record<string, unknown>>;
}

/** protocol.md §10.7: asks the Leader and the people of the team, once per open matter. */
export const requestAttention = defineOperation({
  name: 'task.request_attention',
  kind: 'command',
  roles: ROLES,
  summary: 'Ask the leader and the people of the team about a task, or close the question again.',
  input,
  fresh: 'required',
  precheck({ input: { question = '', resolved, taskId } }) {
    if (resolved) return;
    if (question.trim() === '') {
      throw new FlowError('invalid-argument', 'payload.question is required', { data: { taskId } });
    }
    if (question.length > QUESTION_LIMIT) {
      throw new FlowError('invalid-argument', `payload.question must have at most ${QUESTION_LIMIT} characters`, {
        remedy: 'put the details into a file of the task and name it',
        data: { taskId },
      });
    }
  },
  run(context) {
    const { view, input: given, actor } = context;
    const meta = requireTask(view, given.taskId);
    requireOpen(view, meta, { action: 'request_attention' });
    if (WORKERS.includes(actor.role)) requireAssignee(context, meta);
    return given.resolved ? close(context, meta) : ask(context, meta);
  },
  settle,
});

function openOf(meta: TaskMeta, kind: AttentionKind): Attention | undefined {
  return meta.attention?.findLast((record) => record.kind === kind && !record.resolved);
}

function ask(context: Context, meta: TaskMeta): Decision<AttentionOutput> {
  const { input: given, now, facts } = context;
  const room = requireRoom(meta);
  const open = openOf(meta, given.kind);
  if (open !== undefined) {
    const owed = facts.chat.kind === 'remote' && open.eventId === undefined;
    return {
      changes: [],
      events: [],
      announcements: owed ? announcements(context, meta, room, open) : [],
      output: { task: presentTask(meta), attention: open, reused: true },
    };
  }
  const earlier = meta.attention ?? [];
  const attention: Attention = {
    kind: given.kind,
    question: inOneLine(given.question ?? ''),
    attempt: earlier.filter(({ kind }) => kind === given.kind).length + 1,
    requestedAt: now,
    resolved: false,
  };
  const next: TaskMeta = { ...meta, attention: [...earlier, attention] };
  return {
    changes: [writeMeta(next)],
    events: [
      taskEvent('task.attention', 'request_attention', next, { note: `${attention.kind}: ${attention.question}` }),
    ],
    announcements: announcements(context, next, room, attention),
    output: { task: presentTask(next), attention },
  };
}

function close({ input: { kind } }: Context, meta: TaskMeta): Decision<AttentionOutput> {
  const open = openOf(meta, kind);
  if (open === undefined) {
    const last = meta.attention?.findLast((record) => record.kind === kind);
    const output: AttentionOutput = { task: presentTask(meta), attention: last, reused: true };
    return { changes: [], events: [], announcements: [], output };
  }
  const closed = { ...open, resolved: true };
  const next: TaskMeta = {
    ...meta,
    attention: meta.attention?.map((record) => (record === open ? closed : record)) ?? [],
  };
  return {
    changes: [writeMeta(next)],
    events: [taskEvent('task.attention_resolved', 'request_attention', next, { note: kind })],
    announcements: [],
    output: { task: presentTask(next), attention: closed },
  };
}

function announcements(
  context: Context,
  meta: TaskMeta,
  room: string,
  attention: Attention,
): readonly AnnouncementDraft[] {
  const { actor, facts } = context;
  const leader = leaderOf(context, meta);
  const self = actor.matrixUserId ?? userIdOf(context, actor.localpart);
  const mentions = [...new Set([...(leader === undefined ? [] : [leader]), ...people(context)])].filter(
    (id) => !sameLocalpart(id, self),
  );
  // A Leader who asks does not call itself (protocol.md §13.1).
  const [addressee] = mentions;
  if (addressee === undefined) return [];
  const txn = `attention-${meta.task_id}-${attention.kind}-${attention.attempt}`;
  const draft: AnnouncementDraft = {
    kind: 'attention',
    txn,
    room,
    text: attentionText({
      leader: addressee,
      worker: meta.assigned_to_mxid ?? userIdOf(context, meta.assigned_to),
      taskId: meta.task_id,
      kind: attention.kind,
      question: attention.question,
    }),
    mentions,
    urgent: true,
  };
  if (facts.chat.kind === 'local') return [draft];
  const { kind, attempt } = attention;
  return [
    {
      ...draft,
      followUp: { operation: 'task.confirm_attention', input: { taskId: meta.task_id, kind, attempt }, actor },
    },
  ];
}

/** The humans of the roster, and the team's admin. */
function people(context: Context): readonly string[] {
  const { matrixUserId: admin } = context.view.team.admin;
  return admin === '' ? humans(context) : [...humans(context), admin];
}

/** A question that could not be sent stays on record; the repeated call sends it. */
function settle(output: AttentionOutput, settlement: Settlement): AttentionOutput {
  const sync = syncFields(settlement);
  const { attention, task } = output;
  if (attention === undefined || attention.resolved) return { ...output, ...sync };
  const [delivery] = settlement.deliveries;
  const { room_id: room } = task;
  const roomId = typeof room === 'string' ? (normaliseRoom(room) ?? room) : undefined;
  if (delivery?.sent === true) {
    return { ...output, ...sync, notification: { sent: true, eventId: delivery.eventId, roomId } };
  }
  if (delivery === undefined) {
    const { eventId } = attention;
    const told = eventId === undefined ? { sent: false, skipped: true } : { sent: true, eventId, roomId };
    return { ...output, ...sync, notification: output.reused === true ? { ...told, reused: true } : told };
  }
  if (delivery.queued === true) {
    return { ...output, ...sync, notification: { sent: false, queued: true, reason: delivery.error, roomId } };
  }
  const error = delivery.error ?? 'Matrix send failed';
  throw new FlowError('notify-failed', error, {
    remedy: 'the question is recorded; call request_attention again to send it',
    data: { notification: { sent: false, error }, task, attention, ...sync },
  });
}

/** Second commit of a request: the message has reached its room. */
export const confirmAttention = defineOperation({
  name: 'task.confirm_attention',
  kind: 'command',
  roles: ROLES,
  summary: 'Record that a request for attention has reached its room.',
  input: z.object({
    taskId: z.string().min(1).describe('id of the task'),
    kind: z.enum(ATTENTION_KINDS),
    attempt: z.number().int(),
    eventId: z.string().min(1),
  }),
  fresh: 'best-effort',
  internal: true,
  run({ view, input: { taskId, kind, attempt, eventId } }): Decision<Partial<AttentionOutput>> {
    const meta = findTask(view, taskId);
    const record = meta?.attention?.find((entry) => entry.kind === kind && entry.attempt === attempt);
    if (meta === undefined || record === undefined || record.eventId === eventId) return asItStands(meta);
    const told = { ...record, eventId };
    const next: TaskMeta = {
      ...meta,
      attention: meta.attention?.map((entry) => (entry === record ? told : entry)) ?? [],
    };
    return {
      changes: [writeMeta(next)],
      events: [],
      announcements: [],
      output: { task: presentTask(next), attention: told },
    };
  },
});
