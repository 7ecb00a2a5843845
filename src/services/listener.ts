import { join } from 'node:path';
import type { EventBus } from '../events.ts';
import type { Execute } from '../flows/operation.ts';
import type { Clock, Log, Sync, WorkTree } from '../ports.ts';
import type { Announcer, Chat, RoomMessage } from '../ports-chat.ts';
import { parseCommand } from '../protocol/command.ts';
import type { Command, UnknownCommand } from '../protocol/command.ts';
import { FlowError } from '../protocol/errors.ts';
import { sameIdentity } from '../protocol/identity.ts';
import { parseLines } from '../protocol/mention.ts';
import { oneLine } from '../protocol/plain-text.ts';
import type { Actor } from '../protocol/records/types.ts';
import { sameRoom } from '../protocol/rooms.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { leads } from '../protocol/roles.ts';
import { openCommandJournal } from './command-journal.ts';
import { findProject, findTask } from './command-look.ts';
import { answerCommand } from './commands.ts';
import type { CommandDependencies } from './commands.ts';
import {
  claimedResults,
  isConfirmed,
  isForNode,
  isPerson,
  names,
  rosterRole,
  saysSomething,
  speakerOf,
  speaksFor,
} from './hearing.ts';
import type { Reconciler } from './reconciler.ts';
import { createMentionRounds } from './rounds.ts';
import type { MentionRounds } from './rounds.ts';

export interface ListenerDependencies {
  readonly chat: Chat;
  readonly sync: Sync;
  readonly workTree: WorkTree;
  readonly reconciler: Reconciler;
  readonly execute: Execute;
  readonly outbox: Pick<Announcer, 'deliver'>;
  readonly identity: Actor;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Log;
}

interface Listening extends ListenerDependencies, CommandDependencies {
  readonly rounds: MentionRounds;
}

/**
 * Lets messages wake the node (protocol.md §13.7). A message is a hint to look at the files and changes nothing by
 * itself: whoever it names takes up the remote and reconciles, so a spoofed or repeated one has no effect. Only the
 * admin's commands in the Leader DM do something, and they are carried out by operations that check for themselves.
 */
export function startListener(dependencies: ListenerDependencies): AsyncDisposable | undefined {
  const { chat, workTree, identity, events, log } = dependencies;
  if (chat.listen === undefined) return undefined;
  const rounds = createMentionRounds();
  const journal = openCommandJournal(join(workTree.root, '.baton'), log);
  const listening: Listening = { ...dependencies, rounds, journal };
  const forget = [
    events.on('operation:done', ({ commit }) => commit !== undefined && rounds.reset()),
    events.on('sync:changed', ({ changed }) => changed.length > 0 && rounds.reset()),
  ];
  const ear = chat.listen({
    hear: (messages) => hear(listening, messages),
    mayInvite() {
      const view = workTree.view();
      return (user) => sameIdentity(user, view.team.admin.matrixUserId) || rosterRole(view, user) === 'leader';
    },
    problem: (error) => log.warn({ reason: oneLine(error.message, 500), actor: identity.localpart }, 'the rooms'),
  });
  return {
    async [Symbol.asyncDispose]() {
      await ear.close();
      for (const stop of forget) stop();
    },
  };
}

async function hear(listening: Listening, heard: readonly RoomMessage[]): Promise<void> {
  const { sync, workTree, reconciler, identity, log } = listening;
  const { matrixUserId: self } = identity;
  const messages = heard.filter(({ sender }) => self === undefined || !sameIdentity(sender, self));
  const calls: { readonly message: RoomMessage; readonly isHeldBack: boolean }[] = [];
  for (const message of messages) {
    const command = commandIn(listening, message);
    if (isReadinessCheck(message) && names(message, self)) await answerReady(listening, message);
    else if (command !== undefined) await answerCommand(listening, message, command);
    else calls.push(...callOf(listening, workTree.view(), message));
  }
  if (calls.length === 0) return;
  try {
    await sync.pull();
  } catch (error) {
    // The poll brings it once the remote is back.
    if (!(error instanceof FlowError)) throw error;
    log.warn({ reason: error.message }, 'mentioned, but the remote cannot be reached');
  }
  const view = workTree.view();
  const waking = calls.filter(({ message: { text, sender }, isHeldBack }) =>
    isHeldBack ? parseLines(text).some((line) => isConfirmed(view, identity, sender, line)) : true,
  );
  for (const call of calls) if (!waking.includes(call)) noteIgnored(listening, call.message);
  if (waking.length > 0) reconciler.wake([]);
  for (const { message } of waking) await confirm(listening, message);
}

/**
 * The command that a message gives, if it is one of the admin's in the Leader DM: said there for the first time, and in
 * plain words. Elsewhere, and by others, the same words are talk; that somebody tried is logged.
 */
function commandIn(listening: Listening, message: RoomMessage): Command | UnknownCommand | undefined {
  const { identity, workTree } = listening;
  const view = workTree.view();
  const { team } = view;
  const { sender, room, text, form, inThread } = message;
  if (!leads(identity) || form !== undefined) return undefined;
  const inDm = sameRoom(room, team.leaderDmRoomId);
  // Byte for byte: unlike a hint, a command does something.
  const isAdmin = sender === team.admin.matrixUserId;
  if (inThread === true || !(inDm || isAdmin || names(message, identity.matrixUserId))) return undefined;
  const command = parseCommand(text, {
    addressees: [identity.matrixUserId, identity.localpart, view.agent(identity.localpart)?.name].filter(
      (name) => name !== undefined,
    ),
    isKnown: (word) => findProject(view, word) !== undefined || findTask(view, word) !== undefined,
  });
  if (command === undefined || (inDm && isAdmin)) return command;
  if (command.name !== 'unknown')
    note(listening, message, 'a command was ignored: only the admin gives them, in the Leader DM');
  return undefined;
}

/** Protocol.md §13.7 and §13.5: from somebody of the team, to this node, saying something, and not for ever. */
function callOf(listening: Listening, view: WorkspaceView, message: RoomMessage) {
  const { identity, rounds } = listening;
  const { sender, room, text } = message;
  if (!isForNode(view, identity, message)) return [];
  const speaker = speakerOf(view, sender);
  if (speaker === 'stranger') {
    note(listening, message, 'a mention by somebody who is not of the team was ignored');
    return [];
  }
  if (!saysSomething(view, message)) return [];
  const isHeldBack = !isPerson(speaker) && !rounds.count(room, sender, view.team.policies.mentionRounds);
  // A line of the protocol is looked up before it is held back: what the files confirm always wakes.
  if (!isHeldBack || parseLines(text).length > 0) return [{ message, isHeldBack }];
  noteIgnored(listening, message);
  return [];
}

function noteIgnored(listening: Listening, message: RoomMessage): void {
  if (listening.rounds.isFirstIgnored(message.room, message.sender))
    note(listening, message, 'mentioned again and again while nothing changes; not woken by it');
}

/** A completion line is confirmed by looking (protocol.md §13.3); what the files do not say is told to the log. */
async function confirm(listening: Listening, message: RoomMessage): Promise<void> {
  const { execute, identity, workTree } = listening;
  if (!leads(identity)) return;
  for (const taskId of claimedResults(message.text)) {
    if (!speaksFor(workTree.view(), message.sender, taskId)) {
      note(listening, message, 'a message claims a result for a task of somebody else', { taskId });
      continue;
    }
    try {
      const { submitted } = await execute('task.check', { taskId }, { actor: identity, label: 'check_task' });
      if (submitted !== true)
        note(listening, message, 'a message claims a result that the files do not show', { taskId });
    } catch (error) {
      const reason = String(error);
      note(listening, message, 'a message claims a result that cannot be checked', { taskId, reason });
    }
  }
}

/** What comes from outside is one line in the log, and cannot turn it around. */
function note(
  { log }: Listening,
  { sender, room, eventId }: RoomMessage,
  what: string,
  more: Record<string, string> = {},
) {
  const fields = Object.entries({ ...more, sender, room, eventId }).map(([key, value]) => [key, oneLine(value, 300)]);
  log.warn(Object.fromEntries(fields) as Record<string, string>, what);
}

function isReadinessCheck({ text, form }: RoomMessage): boolean {
  return form === undefined && /readiness check/i.test(text) && /reply with the exact text READY/.test(text);
}

/** Protocol.md §13.7: whoever asks, and whatever the roster says. Once per question, now or when the homeserver takes it. */
async function answerReady({ outbox }: Listening, { eventId, room }: RoomMessage): Promise<void> {
  await outbox.deliver([{ kind: 'message', txn: `ready-${eventId}`, room, text: 'READY', mentions: [], urgent: true }]);
}
