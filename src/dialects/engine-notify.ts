import { recordsIn } from '../protocol/json.ts';
import { progressBar } from '../protocol/progress-bar.ts';
import { ALERT_EMOJI, bold, code, fitting, quotedText, stateText } from './notify-style.ts';
import type { ChatStyle } from './notify-style.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What is told of one task (features.md S002-28). */
export const NOTICES = ['created', 'status', 'transition', 'completed', 'alert'] as const;
export type Notice = (typeof NOTICES)[number];

/** Alerts that are told by themselves. */
export const TOLD_ALERTS = ['stuck', 'slow', 'overdue', 'failed'] as const;
export type ToldAlert = (typeof TOLD_ALERTS)[number];

/** `discord` of `shared/team.json` (features.md S002-34). */
export interface DiscordTexts {
  readonly enabled: boolean;
  readonly guild?: string;
  readonly category?: string;
  readonly humanIds: readonly string[];
  readonly notifications: Readonly<
    Record<'heartbeatUpdates' | 'transitions' | 'urgentPing' | 'completionSummary', boolean>
  >;
}

/** The setting that keeps a text from being told, by its key in `shared/team.json`; `undefined` where none does. */
export function silencedBy(what: Notice | 'digest', { notifications }: DiscordTexts): string | undefined {
  const setting = SETTINGS[what];
  return setting === undefined || notifications[setting] ? undefined : `discord.notifications.${setting}`;
}

const SETTINGS: Readonly<Partial<Record<Notice | 'digest', keyof DiscordTexts['notifications']>>> = {
  digest: 'heartbeatUpdates',
  transition: 'transitions',
  completed: 'completionSummary',
};

/** Whom an alert calls besides those that are named with it: the people of the team, in a text for Discord. */
export function urgentPings({ humanIds, notifications }: DiscordTexts, style: ChatStyle): readonly string[] {
  return style === 'discord' && notifications.urgentPing ? humanIds.map((id) => `<@${id}>`) : [];
}

/** A text with the place on Discord that it belongs to, where the team has named one. */
export function withPlace(body: string, { guild, category }: DiscordTexts, style: ChatStyle): string {
  if (guild === undefined) return body;
  const url = ['https://discord.com/channels', guild, ...(category === undefined ? [] : [category])].join('/');
  // In angle brackets Discord shows the link alone, without a preview.
  return `${body}\n🔗 ${style === 'discord' ? `<${url}>` : url}`;
}

/** `baton notify digest`, and `baton check --discord`: of the answer of a check. */
export function digestText(check: Fields, style: ChatStyle): string {
  const alerts = recordsIn(check['alerts']);
  const tasks = recordsIn(check['tasks']);
  const skipped = recordsIn(check['skipped']);
  return fitting(
    [
      `📋 ${bold('Heartbeat digest', style)}: ${counted(tasks.length, 'open task')}, ${counted(alerts.length, 'alert')}`,
      ...recordsIn(check['transitions']).map(
        ({ task_id: id, from, to }) => `➡️ ${name(id, style)}: ${text(from)} → ${stateText(text(to))}`,
      ),
      ...alerts.map((alert) => alertLine(alert, style)),
      ...tasks.map((task) => taskLine(task, style)),
      ...skipped.map(
        ({ path, reason }) => `⚠️ skipped ${quotedText(text(path), style)}: ${quotedText(text(reason), style)}`,
      ),
    ],
    style,
  );
}

/** `baton notify TASK created|status|transition|completed`: of the answer of `baton status TASK`. */
export function taskText(task: Fields, notice: Exclude<Notice, 'alert'>, style: ChatStyle): string {
  const id = name(task['task_id'], style);
  const title = quotedText(text(task['title']), style);
  if (notice === 'created') {
    return [`🆕 ${id} created: ${title}`, `${state(task)} · ${text(task['priority'])}${expected(task)}`].join('\n');
  }
  if (notice === 'transition') return `${transition(task, style)} · ${title}`;
  const subtasks = recordsIn(task['subtasks']);
  if (notice === 'completed') {
    const done = subtasks.filter(({ status }) => status === 'DONE').length;
    const isDone = task['status'] === 'COMPLETED';
    const head = isDone ? `🎉 ${id} completed: ${title}` : `${id} is not completed: ${title}`;
    return [
      head,
      bar(task),
      ...(subtasks.length === 0 ? [] : [`${done} of ${counted(subtasks.length, 'subtask')} done`]),
    ].join('\n');
  }
  const reason = text(task['blocked_reason']);
  return fitting(
    [
      `${id} ${title}`,
      `${state(task)} · ${text(task['priority'])} · ${bar(task)}${expected(task)}`,
      ...(reason === '' ? [] : [`reason: ${quotedText(reason, style)}`]),
      ...subtasks.map(
        (subtask) =>
          `- ${name(subtask['id'], style)} ${stateText(text(subtask['status']))} ${bar(subtask)} ${quotedText(text(subtask['title']), style)}${agent(subtask, style)}`,
      ),
    ],
    style,
  );
}

/**
 * Why an alert of this kind would contradict what it is about, as a refusal says it; `undefined` where it would not: what has ended
 * is not late any more, and only what has failed has failed, or what has a part that has.
 */
export function contradiction(task: Fields, type: ToldAlert, subtask: Fields | undefined): string | undefined {
  const what = subtask ?? task;
  const status = text(what['status']);
  const parts = subtask === undefined ? recordsIn(task['subtasks']) : [];
  const holds = type === 'failed' ? [what, ...parts].some((part) => part['status'] === 'FAILED') : !ENDED.has(status);
  if (holds) return undefined;
  const who = [text(task['task_id']), ...(subtask === undefined ? [] : [text(subtask['id'])])].join('/');
  return `${who} is ${status}, and not ${type}`;
}

const ENDED: ReadonlySet<string> = new Set(['DONE', 'COMPLETED', 'FAILED', 'REJECTED']);

/** `baton notify TASK alert --type …`: `subtask` names a part of it; `pings` are people, as the chat names them. */
export function alertText(
  task: Fields,
  about: {
    readonly type: ToldAlert;
    readonly subtask?: Fields | undefined;
    readonly pings: readonly string[];
    /** What the check says of it, where it says so as well. */
    readonly alert?: Fields | undefined;
  },
  style: ChatStyle,
): string {
  const { type, subtask, pings, alert } = about;
  const who =
    subtask === undefined
      ? name(task['task_id'], style)
      : `${name(task['task_id'], style)}/${name(subtask['id'], style)}`;
  const what = subtask ?? task;
  const message = text(alert?.['message']);
  const command = text(alert?.['command']);
  return [
    `${ALERT_EMOJI} ${[...pings, `${who} ${type.toUpperCase()}`].join(' ')}: ${quotedText(text(what['title']), style)}`,
    `${state(what)} · ${bar(what)}${agent(what, style)}${expected(what)}`,
    ...(message === '' ? [] : [quotedText(message, style)]),
    ...(command === '' ? [] : [code(command, style)]),
  ].join('\n');
}

function alertLine(alert: Fields, style: ChatStyle): string {
  const { task_id: task, subtask_id: subtask, type, message, command } = alert;
  const who = subtask === undefined ? name(task, style) : `${name(task, style)}/${name(subtask, style)}`;
  return `${ALERT_EMOJI} ${who} ${text(type).toUpperCase()}: ${quotedText(text(message), style)} ${code(text(command), style)}`;
}

function taskLine(task: Fields, style: ChatStyle): string {
  return `${name(task['task_id'], style)} ${state(task)} ${bar(task)} ${quotedText(text(task['title']), style)}${agent(task, style)}`;
}

/** The last step that has led from one state to another. */
function transition(task: Fields, style: ChatStyle): string {
  const last = recordsIn(task['history']).findLast(({ from, to }) => text(to) !== '' && from !== to);
  const id = name(task['task_id'], style);
  if (last === undefined) return `${id}: ${state(task)}`;
  const note = text(last['note']);
  const from = text(last['from']);
  return `${id}: ${from === '' ? '' : `${from} → `}${stateText(text(last['to']))}${note === '' ? '' : ` (${quotedText(note, style)})`}`;
}

const state = (fields: Fields): string => stateText(text(fields['status']));

const bar = ({ progress }: Fields): string => progressBar(typeof progress === 'number' ? progress : 0);

const name = (id: unknown, style: ChatStyle): string => bold(quotedText(text(id), style), style);

const agent = ({ agent: who }: Fields, style: ChatStyle): string =>
  text(who) === '' ? '' : ` · ${quotedText(text(who), style)}`;

const expected = ({ eta }: Fields): string => (text(eta) === '' ? '' : ` · eta ${text(eta)}`);

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
