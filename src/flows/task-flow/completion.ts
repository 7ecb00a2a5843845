import { sameIdentity } from '../../protocol/identity.ts';
import { completionText } from '../../protocol/mention.ts';
import { taskPaths } from '../../protocol/paths.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import type { TaskMeta, TaskResult } from '../../protocol/records/types.ts';
import { isEffective } from '../../protocol/result/digest.ts';
import type { AnnouncementDraft, Settlement } from '../types.ts';
import { humans, leaderOf, userIdOf } from './common.ts';
import type { Context } from './common.ts';

/**
 * The line that tells the Leader of a result (protocol.md §13.3). Its transaction id comes from the fact, so a
 * repeated submit finds the first message. None when nobody or no room is known, or the Leader
 * has been told already.
 */
export function completion(context: Context, meta: TaskMeta, result: TaskResult): readonly AnnouncementDraft[] {
  const leader = leaderOf(context, meta);
  const { room_id: room = '' } = meta;
  if (leader === undefined || room === '' || meta.completion_event_id !== undefined) return [];
  const txn = completionTxn(meta, result);
  const draft: AnnouncementDraft = {
    kind: 'completion',
    txn,
    room,
    text: completionText({
      leader,
      worker: meta.assigned_to_mxid ?? userIdOf(context, meta.assigned_to),
      taskId: meta.task_id,
      status: result.status,
      summary: result.summary,
      resultPath: taskPaths(meta.task_id).result,
    }),
    mentions: [leader, ...humans(context).filter((id) => !sameIdentity(id, leader))],
    // Success only has to be looked at; with everything else somebody must decide before work goes on.
    ...(isEffective(result.status) ? {} : { urgent: true }),
  };
  if (context.facts.chat.kind === 'local') return [draft];
  const { task_id: taskId } = meta;
  const input = { taskId, submissionId: meta.submission_id ?? '', resultStatus: result.status };
  return [{ ...draft, followUp: { operation: 'task.confirm_completion', input, actor: context.actor } }];
}

function completionTxn(meta: TaskMeta, result: TaskResult): string {
  return `submit-${meta.task_id}-${result.status}`;
}

/** What became of the line. Trouble with it never fails a submission (protocol.md §13.3). */
export function completionNotice(
  room: string,
  announced: boolean,
  { deliveries }: Settlement,
  recorded: string | undefined,
): Readonly<Record<string, unknown>> {
  const roomId = normaliseRoom(room) ?? room;
  if (recorded !== undefined) return { sent: true, eventId: recorded, roomId, reused: true };
  if (!announced) return { sent: false, skipped: true, reason: 'the leader or the room of this task is not known' };
  const [delivery] = deliveries;
  if (delivery?.queued === true) return { sent: false, queued: true, reason: delivery.error, roomId };
  if (delivery?.sent !== true) {
    return { sent: false, skipped: true, error: delivery?.error ?? 'Matrix send failed: nothing was delivered' };
  }
  const { eventId, reused } = delivery;
  return { sent: true, eventId, roomId, ...(reused === true ? { reused: true } : {}) };
}
