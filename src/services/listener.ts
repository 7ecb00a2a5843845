import type { Execute } from '../flows/operation.ts';
import type { Chat, Log, RoomMessage, Sync, WorkTree } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import { sameIdentity } from '../protocol/identity.ts';
import { mentionsIn, parseLine } from '../protocol/mention.ts';
import { filterOutgoing } from '../protocol/outgoing.ts';
import type { Actor } from '../protocol/records/types.ts';
import { sameRoom } from '../protocol/rooms.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import type { Reconciler } from './reconciler.ts';

export interface ListenerDependencies {
  readonly chat: Chat;
  readonly sync: Sync;
  readonly workTree: WorkTree;
  readonly reconciler: Reconciler;
  readonly execute: Execute;
  readonly identity: Actor;
  readonly log: Log;
}

/**
 * Lets messages wake the node (protocol.md §13.7). A message is a hint to look at the files and changes nothing by
 * itself: whoever it names takes up the remote and reconciles, so a spoofed or repeated one has no effect.
 */
export function startListener(dependencies: ListenerDependencies): AsyncDisposable | undefined {
  const { chat, workTree, identity, log } = dependencies;
  const listening = chat.listen?.({
    hear: (messages) => hear(dependencies, messages),
    mayInvite: (user) => {
      const view = workTree.view();
      return sameIdentity(user, view.team.admin.matrixUserId) || roleOf(view, user) === 'leader';
    },
    problem: (error) => log.warn({ reason: error.message, actor: identity.localpart }, 'the rooms'),
  });
  return listening === undefined ? undefined : { [Symbol.asyncDispose]: () => listening.close() };
}

async function hear(dependencies: ListenerDependencies, messages: readonly RoomMessage[]): Promise<void> {
  const { sync, workTree, reconciler, log } = dependencies;
  const view = workTree.view();
  for (const message of messages.filter(({ text }) => isReadinessCheck(text))) await answerReady(dependencies, message);
  const waking = messages.filter((message) => wakes(dependencies, view, message));
  if (waking.length === 0) return;
  try {
    await sync.pull();
  } catch (error) {
    // The poll brings it once the remote is back.
    if (!(error instanceof FlowError)) throw error;
    log.warn({ reason: error.message }, 'mentioned, but the remote cannot be reached');
  }
  reconciler.wake();
  for (const message of waking) await confirm(dependencies, message);
}

/** Protocol.md §13.7 and §13.5: from somebody of the team, to this node, and saying something. */
function wakes({ identity, log }: ListenerDependencies, view: WorkspaceView, message: RoomMessage): boolean {
  const { sender, text, room, eventId } = message;
  const isAdmin = sameIdentity(sender, view.team.admin.matrixUserId);
  const isDirect = isAdmin && leads(identity) && sameRoom(room, view.team.leaderDmRoomId);
  if (!isDirect && !names(message, identity.matrixUserId)) return false;
  if (!isAdmin && roleOf(view, sender) === undefined && !isAssignee(view, sender)) {
    log.warn({ sender, room, eventId }, 'a mention by somebody who is not of the team was ignored');
    return false;
  }
  return (
    text.trim() !== 'NO_REPLY' && filterOutgoing(text, { extraWords: view.team.policies.lowInformationWords }).send
  );
}

/** Mentioned in the metadata, or by full id in the text; what only the HTML says is what nobody reads. */
function names({ mentions, text }: RoomMessage, self: string | undefined): boolean {
  return (
    self !== undefined && [...mentions, ...mentionsIn(text)].some((id) => sameIdentity(id, self) && id.includes(':'))
  );
}

const leads = ({ role }: Actor): boolean => role === 'leader' || role === 'admin';

/** Who may be heard: those whose record names this very id. */
function roleOf(view: WorkspaceView, user: string): string | undefined {
  return view.agents().find(({ matrix_user_id: id, enabled }) => enabled && id !== undefined && sameIdentity(id, user))
    ?.role;
}

/** A team may work without records of its Workers; then those are known who were given something. */
function isAssignee(view: WorkspaceView, user: string): boolean {
  return view.taskIds().some((id) => {
    const assignee = view.task(id)?.meta?.assigned_to_mxid;
    return assignee !== undefined && assignee.includes(':') && sameIdentity(assignee, user);
  });
}

const RESULT_KINDS: ReadonlySet<string> = new Set([
  'completed',
  'blocked',
  'revision',
  'interrupted',
  'failed',
  'partial',
]);

/** A completion line is confirmed by looking (protocol.md §13.3); what the files do not say is told to the log. */
async function confirm({ execute, identity, log }: ListenerDependencies, message: RoomMessage): Promise<void> {
  const line = parseLine(message.text);
  if (line?.taskId === undefined || !RESULT_KINDS.has(line.kind) || !leads(identity)) return;
  const { taskId } = line;
  const { sender, eventId } = message;
  try {
    const { submitted } = await execute('task.check', { taskId }, { actor: identity, label: 'check_task' });
    if (submitted !== true)
      log.warn({ taskId, sender, eventId }, 'a message claims a result that the files do not show');
  } catch (error) {
    log.warn({ taskId, sender, eventId, reason: String(error) }, 'a message claims a result that cannot be checked');
  }
}

function isReadinessCheck(text: string): boolean {
  return /readiness check/i.test(text) && /reply with the exact text READY/.test(text);
}

/** Protocol.md §13.7: whoever asks, and whatever the roster says. */
async function answerReady({ chat, identity, log }: ListenerDependencies, message: RoomMessage): Promise<void> {
  if (!names(message, identity.matrixUserId)) return;
  const { eventId, room } = message;
  try {
    await chat.send({ txn: `ready-${eventId}`, room, text: 'READY', mentions: [] });
  } catch (error) {
    log.warn({ room, eventId, reason: String(error) }, 'a readiness check could not be answered');
  }
}
