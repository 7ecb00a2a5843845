import { createHash } from 'node:crypto';
import { labelsFor } from '../../protocol/labels/languages.ts';
import { assignmentText } from '../../protocol/mention.ts';
import { taskPaths } from '../../protocol/paths.ts';
import { markdownText } from '../../protocol/report-facts.ts';
import type { Climb, Told } from '../../rules/lateness/ladder.ts';
import type { AnnouncementDraft, OperationContext } from '../types.ts';
import { userIdOf } from '../task-flow/common.ts';

type Context = OperationContext<unknown>;

/** What is told: the same `fact` is told once. */
interface Said {
  readonly fact: string;
  readonly message: string;
  readonly command: string;
}

/** As much of a name or title as a notice repeats. */
const MOST_WORDS = 500;

/** Findings that one notice tells one by one: a room shows no more of a message than some thousand characters. */
const MOST_LINES = 20;

/**
 * Who is told of what has just been raised: a Worker by its assignment once more, the Leader in the Team Room, the admin in
 * the Leader DM. All that is new to one of them is one message.
 */
export function tellings(context: Context, raised: readonly Climb[]): readonly AnnouncementDraft[] {
  const { team } = context.view;
  const of = (told: Told): readonly Climb[] => raised.filter(({ tells }) => tells.includes(told));
  const said = (told: Told): readonly Said[] =>
    of(told).map((climb) => ({
      fact: factOf(context, climb),
      message: climb.late.message,
      command: climb.late.command,
    }));
  const admin = team.admin.matrixUserId;
  return [
    ...of('assignee').flatMap((climb) => assignmentAgain(context, climb) ?? []),
    ...toLeader(context, said('leader')),
    ...notice(context, said('admin'), team.leaderDmRoomId, admin === '' ? [] : [admin]),
  ];
}

/**
 * One level of a finding, from one time that it stands to the next: what was cleared and is raised again is told again, though
 * it is late for the same reason.
 */
function factOf({ now }: Context, { late: { key, level }, before = now }: Climb): string {
  return `${key} ${level} ${before}`;
}

/** What the Leader is told in the Team Room, as one message; nothing where there is nothing to say, or no room. */
export function toLeader(context: Context, said: readonly Said[]): readonly AnnouncementDraft[] {
  return notice(context, said, context.view.team.teamRoomId, leadersOf(context));
}

function leadersOf(context: Context): readonly string[] {
  const leaders = context.view.agents().filter(({ role, enabled }) => role === 'leader' && enabled);
  return leaders.map((leader) => leader.matrix_user_id ?? userIdOf(context, leader.agent_id));
}

/** Nothing where the first message has not left yet, or never was one. */
function assignmentAgain(context: Context, climb: Climb): AnnouncementDraft | undefined {
  const { view } = context;
  const meta = view.task(climb.late.subject.id)?.meta;
  if (meta?.room_id === undefined || meta.notify_txn === undefined || meta.status !== 'assigned') return undefined;
  const assignee = meta.assigned_to_mxid ?? userIdOf(context, meta.assigned_to);
  return {
    kind: 'assignment',
    txn: `${meta.notify_txn}-again-${digestOf([factOf(context, climb)])}`,
    room: meta.room_id,
    text: assignmentText({
      assignee,
      taskId: meta.task_id,
      title: meta.task_title,
      spec: view.text(taskPaths(meta.task_id).spec) ?? '',
      specPreviewChars: view.team.policies.specPreviewChars,
    }),
    mentions: [assignee],
  };
}

function notice(
  { view, facts }: Context,
  said: readonly Said[],
  room: string,
  addressees: readonly string[],
): readonly AnnouncementDraft[] {
  if (said.length === 0 || room === '') return [];
  const { noticeFinding, more } = labelsFor(view.team.policies.language);
  const lines = said
    .slice(0, MOST_LINES)
    .map(({ message, command }) => noticeFinding(`${quoted(message)}.`, shownCommand(command)));
  if (said.length > MOST_LINES) lines.push(`${more(said.length - MOST_LINES)}: \`baton check\``);
  // The node's own account does not call itself (protocol.md §13.1).
  const mentions = addressees.filter((id) => id !== facts.chat.self);
  const text = [
    mentions.join(' '),
    lines.length === 1 ? (lines[0] ?? '') : lines.map((line) => `- ${line}`).join('\n'),
  ];
  return [
    {
      kind: 'notice',
      txn: `late-${digestOf(said.map(({ fact }) => fact))}-${room}`,
      room,
      text: text.filter((part) => part !== '').join(lines.length === 1 ? ' ' : '\n'),
      mentions,
      urgent: true,
    },
  ];
}

const shownCommand = (command: string): string => (command.includes('`') ? quoted(command) : `\`${command}\``);

const quoted = (text: string): string => markdownText(text, MOST_WORDS);

function digestOf(facts: readonly string[]): string {
  return createHash('sha256').update(facts.join('\n')).digest('hex').slice(0, 16);
}
