import type { RoomMessage } from '../ports-chat.ts';
import { sameIdentity, sameLocalpart } from '../protocol/identity.ts';
import { mentionsIn, parseLines } from '../protocol/mention.ts';
import type { ProtocolLine } from '../protocol/mention.ts';
import { filterOutgoing } from '../protocol/outgoing.ts';
import type { Actor, AgentRecord, TaskMeta } from '../protocol/records/types.ts';
import { sameRoom } from '../protocol/rooms.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { leads } from '../protocol/roles.ts';

/** Who says something, as far as the files know. */
export type Speaker = 'admin' | AgentRecord['role'] | 'assignee' | 'stranger';

/** Those whose record names this very id; a team may work without records, then who was given a task is known. */
export function speakerOf(view: WorkspaceView, user: string): Speaker {
  if (sameIdentity(user, view.team.admin.matrixUserId)) return 'admin';
  return rosterRole(view, user) ?? (isAssignee(view, user) ? 'assignee' : 'stranger');
}

export function rosterRole(view: WorkspaceView, user: string): AgentRecord['role'] | undefined {
  return view.agents().find(({ matrix_user_id: id, enabled }) => enabled && id !== undefined && sameIdentity(id, user))
    ?.role;
}

function isAssignee(view: WorkspaceView, user: string): boolean {
  return view.taskIds().some((id) => {
    const assignee = view.task(id)?.meta?.assigned_to_mxid;
    return assignee !== undefined && assignee.includes(':') && sameIdentity(assignee, user);
  });
}

/** People are never held back: they do not answer each other for ever. */
export function isPerson(speaker: Speaker): boolean {
  return speaker === 'admin' || speaker === 'human';
}

/** Mentioned in the metadata, with the whole room, or by full id in the text; what only the HTML says nobody reads. */
export function names({ mentions, text, toAll }: RoomMessage, self: string | undefined): boolean {
  if (toAll === true) return true;
  return (
    self !== undefined && [...mentions, ...mentionsIn(text)].some((id) => id.includes(':') && sameIdentity(id, self))
  );
}

/** Protocol.md §13.7: in a group whoever is named; in the Leader DM the admin needs to name nobody, outside of threads. */
export function isForNode(view: WorkspaceView, identity: Actor, message: RoomMessage): boolean {
  const { sender, room, inThread } = message;
  const isDirect = sameRoom(room, view.team.leaderDmRoomId) && sameIdentity(sender, view.team.admin.matrixUserId);
  return (isDirect && leads(identity) && inThread !== true) || names(message, identity.matrixUserId);
}

/** Protocol.md §13.4, §13.5: says something, and is not what bots say, to which no bot may answer. */
export function saysSomething(view: WorkspaceView, { text, form }: RoomMessage): boolean {
  const { lowInformationWords: extraWords } = view.team.policies;
  return form !== 'notice' && text.trim() !== 'NO_REPLY' && filterOutgoing(text, { extraWords }).send;
}

const RESULT_KINDS: ReadonlySet<string> = new Set([
  'completed',
  'blocked',
  'revision',
  'interrupted',
  'failed',
  'partial',
]);

/** Every claim is a look at the remote; whoever makes more in one message is found by the files alone. */
const MOST_CLAIMS = 20;

/** The tasks of which a message claims a result (protocol.md §13.3), the first few of them. */
export function claimedResults(text: string): readonly string[] {
  const ids = parseLines(text).flatMap(({ kind, taskId }) =>
    RESULT_KINDS.has(kind) && taskId !== undefined ? [taskId] : [],
  );
  return [...new Set(ids)].slice(0, MOST_CLAIMS);
}

/** Whether the sender is the one who may say something about a task's result; the Leader and people may look as well. */
export function speaksFor(view: WorkspaceView, sender: string, taskId: string): boolean {
  const meta = view.task(taskId)?.meta;
  const speaker = speakerOf(view, sender);
  if (meta === undefined || isPerson(speaker) || speaker === 'leader') return true;
  return isAssigneeOf(view, sender, meta);
}

function isAssigneeOf(view: WorkspaceView, sender: string, meta: TaskMeta): boolean {
  const { assigned_to: localpart, assigned_to_mxid: full } = meta;
  const id = full?.includes(':') === true ? full : view.agent(localpart)?.matrix_user_id;
  return id === undefined ? sameLocalpart(sender, localpart) : sameIdentity(sender, id);
}

/** Whether the files say what a line of the protocol says, and it still calls for something. */
export function isConfirmed(view: WorkspaceView, self: Actor, sender: string, line: ProtocolLine): boolean {
  const meta = line.taskId === undefined ? undefined : view.task(line.taskId)?.meta;
  if (meta === undefined) return false;
  const isOwn = sameLocalpart(meta.assigned_to, self.localpart);
  if (line.kind === 'assigned') return isOwn && (meta.status === 'prepared' || meta.status === 'assigned');
  if (line.kind === 'answered') return isOwn && meta.attention?.some(({ answer }) => answer !== undefined) === true;
  if (!isAssigneeOf(view, sender, meta)) return false;
  if (line.kind === 'attention')
    return meta.attention?.some(({ kind, resolved }) => kind === line.attention && !resolved) === true;
  return RESULT_KINDS.has(line.kind) && meta.status === 'submitted';
}
