import { createHash } from 'node:crypto';
import { labelsFor } from '../../protocol/labels/languages.ts';
import { assignmentText } from '../../protocol/mention.ts';
import { taskPaths } from '../../protocol/paths.ts';
import { markdownText } from '../../protocol/report-facts.ts';
import type { Climb, Told } from '../../rules/lateness/ladder.ts';
import type { AnnouncementDraft, OperationContext } from '../types.ts';
import { userIdOf } from '../task-flow/common.ts';

type Context = OperationContext<unknown>;

/** As much of a name or title as a notice repeats. */
const MOST_WORDS = 500;

/**
 * Who is told of what has just been raised: a Worker by its assignment once more, the Leader in the Team Room, the admin in
 * the Leader DM. All that is new to one of them is one message.
 */
export function tellings(context: Context, raised: readonly Climb[]): readonly AnnouncementDraft[] {
  const { team } = context.view;
  const of = (told: Told): readonly Climb[] => raised.filter(({ tells }) => tells.includes(told));
  const admin = team.admin.matrixUserId;
  return [
    ...of('assignee').flatMap((climb) => assignmentAgain(context, climb) ?? []),
    ...notice(context, of('leader'), team.teamRoomId, leadersOf(context)),
    ...notice(context, of('admin'), team.leaderDmRoomId, admin === '' ? [] : [admin]),
  ];
}

function leadersOf(context: Context): readonly string[] {
  const leaders = context.view.agents().filter(({ role, enabled }) => role === 'leader' && enabled);
  return leaders.map((leader) => leader.matrix_user_id ?? userIdOf(context, leader.agent_id));
}

/** Nothing where the first message has not left yet, or never was one. */
function assignmentAgain(context: Context, { late }: Climb): AnnouncementDraft | undefined {
  const { view } = context;
  const meta = view.task(late.subject.id)?.meta;
  if (meta?.room_id === undefined || meta.notify_txn === undefined || meta.status !== 'assigned') return undefined;
  const assignee = meta.assigned_to_mxid ?? userIdOf(context, meta.assigned_to);
  return {
    kind: 'assignment',
    txn: `${meta.notify_txn}-again-${digestOf([late])}`,
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
  climbs: readonly Climb[],
  room: string,
  addressees: readonly string[],
): readonly AnnouncementDraft[] {
  if (climbs.length === 0 || room === '') return [];
  const { noticeFinding } = labelsFor(view.team.policies.language);
  const lines = climbs.map(({ late: { message, command } }) =>
    noticeFinding(`${quoted(message)}.`, shownCommand(command)),
  );
  // The node's own account does not call itself (protocol.md §13.1).
  const mentions = addressees.filter((id) => id !== facts.chat.self);
  const text = [
    mentions.join(' '),
    lines.length === 1 ? (lines[0] ?? '') : lines.map((line) => `- ${line}`).join('\n'),
  ];
  return [
    {
      kind: 'notice',
      txn: `late-${digestOf(climbs.map(({ late }) => late))}-${room}`,
      room,
      text: text.filter((part) => part !== '').join(lines.length === 1 ? ' ' : '\n'),
      mentions,
      urgent: true,
    },
  ];
}

const shownCommand = (command: string): string => (command.includes('`') ? quoted(command) : `\`${command}\``);

const quoted = (text: string): string => markdownText(text, MOST_WORDS);

function digestOf(findings: readonly { readonly key: string; readonly level: number }[]): string {
  const text = findings.map(({ key, level }) => `${key} ${level}`).join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
