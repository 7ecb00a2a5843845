import type { RoomMessage } from '../../ports-chat.ts';
import { stampOf } from '../../protocol/timestamps.ts';

/** The parts of an event that a message is read from; nothing in `content` is as it should be until it was looked at. */
interface MessageEvent {
  readonly event_id: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: object;
}

/** A message as it was said; `undefined` for an event without a text, such as one that was redacted. */
export function readMessage(
  { event_id: eventId, sender, origin_server_ts: ts, content }: MessageEvent,
  room: string,
): RoomMessage | undefined {
  const { body, msgtype, 'm.mentions': mentioned, 'm.relates_to': relation } = content as Untrusted;
  if (typeof body !== 'string') return undefined;
  const { user_ids: ids, room: toAll } = (mentioned ?? {}) as Untrusted;
  const { rel_type: relates } = (relation ?? {}) as Untrusted;
  const users: readonly unknown[] = Array.isArray(ids) ? ids : [];
  const mentions = users.filter((user) => typeof user === 'string');
  const form = formOf(msgtype, relates);
  return {
    eventId,
    room,
    sender,
    text: body,
    mentions,
    at: stampOf(ts),
    ...(form === undefined ? {} : { form }),
    ...(toAll === true ? { toAll } : {}),
    ...(relates === 'm.thread' ? { inThread: true } : {}),
  };
}

type Untrusted = Readonly<Record<string, unknown>>;

function formOf(msgtype: unknown, relates: unknown): RoomMessage['form'] {
  if (msgtype === 'm.notice') return 'notice';
  if (relates === 'm.replace') return 'edit';
  return msgtype === 'm.text' ? undefined : 'other';
}
