import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { markdownHtml } from '../../protocol/html.ts';
import { sameIdentity } from '../../protocol/identity.ts';
import { mentionsIn } from '../../protocol/mention.ts';
import { filterOutgoing } from '../../protocol/outgoing.ts';
import { normaliseRoom, parseTarget } from '../../protocol/rooms.ts';
import { ANYONE, LEADERS } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Facts, OperationContext, Settlement } from '../types.ts';

const input = z.object({
  channel: z.string().default('matrix').describe('only matrix'),
  target: z.string().optional().describe('room, such as !room:domain'),
  /** A text, `{type, text}`, or the JSON of that. */
  message: z.unknown().optional().describe('text, or {type, text}'),
  replyRoute: z.record(z.string(), z.unknown()).optional().describe('names the room when target is absent'),
  txn: z.string().optional().describe('key that makes a repeated call find the first message'),
});

type Context = OperationContext<z.output<typeof input>>;

interface Outgoing {
  readonly target: string;
  readonly roomId: string;
  readonly text: string;
  readonly mentions: readonly string[];
}

interface SendOutput {
  readonly channel: string;
  readonly target: string;
  readonly targetKind: 'room';
  readonly roomId: string;
  readonly mentions: readonly string[];
  readonly messageId?: string;
  readonly sessionRecorded?: boolean;
  readonly reused?: true;
  /** Not sent yet, because the homeserver takes only so many messages; the node sends it as soon as it can. */
  readonly queued?: true;
  readonly reason?: string;
}

/** protocol.md §10.20: a message to another room, past the filters that keep agents from answering each other for ever. */
export const messageSend = defineOperation({
  name: 'message.send',
  kind: 'command',
  roles: LEADERS,
  summary: 'Send a message to a room.',
  input,
  fresh: 'no',
  precheck(context) {
    outgoing(context);
  },
  dryRun(context) {
    const { text, mentions, ...rest } = outgoing(context);
    return {
      ...shown({ text, mentions, ...rest }),
      content: {
        msgtype: 'm.text',
        body: text,
        format: 'org.matrix.custom.html',
        formatted_body: markdownHtml(text, mentions),
        'm.mentions': mentions.length === 0 ? {} : { user_ids: [...mentions] },
      },
    };
  },
  run(context) {
    const message = outgoing(context);
    const { target: room, text, mentions } = message;
    const txn = context.input.txn ?? `message-${context.ids.txn}`;
    const output: SendOutput = shown(message);
    return {
      changes: [],
      events: [],
      announcements: [{ kind: 'message', txn, room, text, mentions, urgent: true }],
      output,
    };
  },
  settle(output: SendOutput, { deliveries: [delivery] }: Settlement): SendOutput {
    if (delivery?.sent === true && delivery.eventId !== undefined) {
      const reused = delivery.reused === true ? ({ reused: true } as const) : {};
      return { ...output, messageId: delivery.eventId, sessionRecorded: true, ...reused };
    }
    if (delivery?.queued === true && delivery.error !== undefined)
      return { ...output, queued: true, reason: delivery.error };
    throw new FlowError('notify-failed', delivery?.error ?? 'Matrix send failed: nothing was delivered', {
      remedy: 'call it again; a message that did arrive is found by its transaction id',
    });
  },
});

function shown({ target, roomId, mentions }: Outgoing): SendOutput {
  return { channel: 'matrix', target, targetKind: 'room', roomId, mentions: [...mentions] };
}

/** The checks of protocol.md §10.20 in their order. */
function outgoing({ view, facts, input: given }: Context): Outgoing {
  if (given.channel.toLowerCase() !== 'matrix') {
    throw new FlowError('invalid-argument', `channel must be one of: matrix (got ${given.channel})`);
  }
  const text = textOf(given.message);
  if (text.trim() === '') throw new FlowError('invalid-argument', 'message is required');
  const target = targetOf(given);
  const parsed = parseTarget(target);
  if (parsed === undefined) throw badTarget(target);
  const { lowInformationWords: extraWords } = view.team.policies;
  const filtered = filterOutgoing(text, { extraWords });
  if (!filtered.send)
    throw new FlowError('message-blocked', filtered.reason, { remedy: 'say what is new, or say nothing' });
  if (parsed.kind === 'user') {
    throw new FlowError('invalid-argument', `user targets are not supported yet: ${target}`, {
      remedy: 'send it to a room and mention the user',
    });
  }
  // Nobody wakes themselves (§13.1).
  const mentions = mentionsIn(filtered.text).filter((user) => !sameIdentity(user, facts.chat.self));
  return { target, roomId: parsed.roomId, text: filtered.text, mentions };
}

function badTarget(target: string): FlowError {
  const remedy = 'pass a room id such as !room:domain';
  const room = /^(?:matrix:)?(?:room:|!)/.test(target);
  const message = room
    ? `invalid Matrix room target: ${target}`
    : `target must be a Matrix room or user target, such as room:!room:domain: ${target === '' ? '<missing>' : target}`;
  return new FlowError('invalid-argument', message, { remedy });
}

function textOf(message: unknown): string {
  if (typeof message === 'string') {
    if (!message.trim().startsWith('{')) return message;
    try {
      return textOf(JSON.parse(message)) || message;
    } catch {
      return message;
    }
  }
  if (typeof message !== 'object' || message === null || !('text' in message)) return '';
  return typeof message.text === 'string' ? message.text : '';
}

function targetOf({ target, replyRoute = {} }: z.output<typeof input>): string {
  const named = ['target', 'roomId', 'targetRoom', 'targetSession', 'room_id', 'target_room', 'target_session']
    .map((name) => replyRoute[name])
    .find((value) => typeof value === 'string' && value.trim() !== '');
  const found = target ?? named;
  return typeof found === 'string' ? found.trim() : '';
}

const listInput = z.object({
  roomId: z.string().optional().describe('only this room'),
  limit: z.number().int().min(1).max(500).default(50).describe('at most so many, 1 to 500'),
});

/** What was said in a room, or in all of them; newest last. */
export const messageList = defineOperation({
  name: 'message.list',
  kind: 'query',
  roles: ANYONE,
  summary: 'List the newest messages of a room.',
  input: listInput,
  fresh: 'no',
  facts: ['messages'],
  precheck({ input: { roomId } }) {
    requireRoomTarget(roomId);
  },
  run({ facts, input: { limit } }) {
    const messages = newest(facts, limit);
    return { changes: [], events: [], announcements: [], output: { count: messages.length, messages } };
  },
});

/** What was said, seen from the actor: `forMe` marks the lines that mention it. */
export const nodeInbox = defineOperation({
  name: 'node.inbox',
  kind: 'query',
  roles: ANYONE,
  summary: 'Show the newest messages, marking those that mention you.',
  input: listInput.extend({ mine: z.boolean().default(false).describe('only those that mention you') }),
  fresh: 'no',
  facts: ['messages'],
  precheck({ input: { roomId } }) {
    requireRoomTarget(roomId);
  },
  run({ facts, actor, input: { limit, mine } }) {
    const self = actor.matrixUserId ?? facts.chat.self;
    const marked = newest(facts, limit).map((message) => ({
      ...message,
      forMe: message.mentions.some((id) => sameIdentity(id, self) || sameIdentity(id, actor.localpart)),
    }));
    const messages = mine ? marked.filter(({ forMe }) => forMe) : marked;
    return { changes: [], events: [], announcements: [], output: { self, count: messages.length, messages } };
  },
});

function requireRoomTarget(roomId: string | undefined): void {
  if (roomId === undefined || normaliseRoom(roomId) !== undefined) return;
  throw badTarget(roomId);
}

function newest({ messages = [] }: Facts, limit: number) {
  return messages.slice(-limit).map((message) => ({ ...message, mentions: [...message.mentions] }));
}
