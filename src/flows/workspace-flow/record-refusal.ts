import { z } from 'zod';
import { localpartOf } from '../../protocol/identity.ts';
import { classifyPath } from '../../protocol/paths.ts';
import type { EventDraft } from '../../protocol/records/types.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { LEADERS } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { AnnouncementDraft, Decision, OperationContext } from '../types.ts';
import { userIdOf } from '../task-flow/common.ts';

const input = z.object({
  lane: z.string(),
  localpart: z.string(),
  commit: z.string(),
  path: z.string(),
  reason: z.string(),
  detail: z.string(),
});

type Refusal = z.output<typeof input>;

/**
 * A part of a lane that integration did not take is recorded once and told to Worker and Leader
 * (architecture.md, "Lanes").
 */
export const recordRefusal = defineOperation({
  name: 'lane.record_refusal',
  kind: 'command',
  roles: LEADERS,
  summary: 'Record a part of a lane that was not taken, and tell its writer and the leader.',
  input,
  fresh: 'no',
  internal: true,
  run(context): Decision<Readonly<Record<string, unknown>>> {
    const { view, input: refusal, now } = context;
    if (isRecorded(view, refusal, now)) {
      return { changes: [], events: [], announcements: [], output: { reused: true } };
    }
    return { changes: [], events: [eventOf(refusal)], announcements: notice(context, refusal), output: { ...refusal } };
  },
});

function eventOf({ lane, localpart, commit, path, reason, detail }: Refusal): EventDraft {
  return {
    type: 'lane.refused',
    action: 'record_refusal',
    subject: { kind: 'lane', id: lane },
    note: `${path}: ${reason}`,
    data: { localpart, commit, path, reason, detail },
  };
}

/** Looks into this month's event files only: a refusal is recorded right after the pull that met it. */
function isRecorded(view: WorkspaceView, { commit, path }: Refusal, now: string): boolean {
  const directory = `shared/events/${now.slice(0, 7)}/`;
  return view
    .list(directory)
    .map((name) => view.text(`${directory}${name}`) ?? '')
    .flatMap((text) => (text.includes(commit) ? text.split('\n') : []))
    .some((line) => line.includes('"lane.refused"') && line.includes(commit) && line.includes(JSON.stringify(path)));
}

function notice(context: OperationContext<Refusal>, refusal: Refusal): readonly AnnouncementDraft[] {
  const { view, actor, facts } = context;
  const room = roomOf(view, refusal.path);
  if (room === undefined) return [];
  const worker = userIdOf(context, refusal.localpart);
  const leader = actor.matrixUserId ?? facts.chat.self;
  const { path, reason, detail, commit } = refusal;
  const text = `${worker} LANE_REFUSED: ${path} - ${reason}: ${detail}\n- Leader: ${localpartOf(leader)}\n- Commit: ${commit.slice(0, 12)}`;
  const txn = `lane-refused-${commit.slice(0, 12)}-${path.replaceAll(/[^A-Za-z0-9._-]/g, '-')}`;
  return [{ kind: 'notice', txn, room, text, mentions: [worker] }];
}

/** The room of the task that the path belongs to, else the Team Room. */
function roomOf(view: WorkspaceView, path: string): string | undefined {
  const place = classifyPath(path);
  const taskId = 'taskId' in place ? place.taskId : undefined;
  const room = taskId === undefined ? undefined : view.task(taskId)?.meta?.room_id;
  return [room, view.team.teamRoomId].find((id) => id !== undefined && normaliseRoom(id) !== undefined);
}
