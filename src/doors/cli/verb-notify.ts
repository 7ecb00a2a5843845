import { Argument, Option, type Command } from 'commander';
import type { Envelope, ToolCall } from '../../app-types.ts';
import { taskAnswer } from '../../dialects/engine.ts';
import { checkAnswer } from '../../dialects/engine-check.ts';
import {
  NOTICES,
  TOLD_ALERTS,
  alertText,
  contradiction,
  digestText,
  silencedBy,
  taskText,
  urgentPings,
  withPlace,
} from '../../dialects/engine-notify.ts';
import type { DiscordTexts, Notice, ToldAlert } from '../../dialects/engine-notify.ts';
import type { ChatStyle } from '../../dialects/notify-style.ts';
import { FlowError } from '../../protocol/errors.ts';
import { TEAM_SETTINGS } from '../node-calls.ts';
import { objectsOf, type Fields } from './answer.ts';
import { show, UsageError, workspaceOf, type Session } from './session.ts';
import { asTyped } from './typed.ts';

interface Flags {
  readonly plain?: true;
  readonly type?: ToldAlert;
  readonly subtaskId?: string;
  readonly ping?: readonly string[];
}

/**
 * `baton notify` (features.md S002-28): prints texts and sends nothing. It looks at the files of this clone, and opens no
 * socket: neither to a node nor to anybody else.
 */
export function defineNotify(command: Command, session: Session): void {
  command
    .addArgument(new Argument('<what>', '`digest`, or a task'))
    .addArgument(new Argument('[notice]', 'what to tell of the task').choices(NOTICES))
    .option('--plain', "without Discord's marks")
    .addOption(new Option('--type <type>', 'of an alert').choices(TOLD_ALERTS))
    .option('--subtask-id <id>', 'of an alert: the subtask')
    .option('--ping <name...>', 'of an alert: whom to call, as the chat names them, such as `<@1234>`')
    .action(async (what: string, notice: Notice | undefined) => {
      const flags = command.opts<Flags>();
      const rules = await lookFor(session, { ...TEAM_SETTINGS, payload: {} });
      if (!rules.ok) return show(session, rules);
      const discord = rules['discord'] as DiscordTexts;
      const style: ChatStyle = flags.plain !== true && discord.enabled ? 'discord' : 'plain';
      const isDigest = what === 'digest' && notice === undefined;
      const answer = isDigest
        ? await digest(session, style)
        : await told(session, { id: what, notice, flags, style, discord });
      if (!answer.ok) return show(session, answer);
      const silenced = silencedBy(isDigest ? 'digest' : (notice ?? 'status'), discord);
      // What the team has chosen not to tell is an empty text: whoever posts what is printed posts nothing.
      if (silenced !== undefined && !session.output.json) return;
      const text = silenced === undefined ? withPlace(String(answer['text']), discord, style) : '';
      show(session, { ...answer, text, ...(silenced === undefined ? {} : { silenced }) }, () => text);
    });
}

async function digest(session: Session, style: ChatStyle): Promise<Envelope> {
  const answer = checkAnswer(await look(session, 'check', { count: false }), []);
  return answer.ok ? { ok: true, text: digestText(answer, style) } : answer;
}

interface Wanted {
  readonly id: string;
  readonly notice: Notice | undefined;
  readonly flags: Flags;
  readonly style: ChatStyle;
  readonly discord: DiscordTexts;
}

async function told(session: Session, { id, notice, flags, style, discord }: Wanted): Promise<Envelope> {
  if (notice === undefined) throw new UsageError(`what to tell of ${id} is missing`, `one of ${NOTICES.join(', ')}`);
  const task = taskAnswer(await look(session, 'show', { id }));
  if (!task.ok) return asTyped(task, { id: 'what' });
  if (notice !== 'alert') return { ok: true, task_id: id, text: taskText(task, notice, style) };
  const { type, subtaskId, ping = [] } = flags;
  const pings = [...new Set([...ping, ...urgentPings(discord, style)])];
  if (type === undefined) throw new UsageError('--type is missing', `one of ${TOLD_ALERTS.join(', ')}`);
  const subtask = subtaskOf(task, subtaskId);
  const wrong = contradiction(task, type, subtask);
  if (wrong !== undefined) {
    throw new FlowError('invalid-argument', wrong, { remedy: `\`baton check ${id}\` shows what is wrong with it` });
  }
  const check = checkAnswer(await look(session, 'check', { id, count: false }), []);
  const alert = objectsOf(check['alerts']).find(
    (found) => found['type'] === type && (subtask === undefined || found['subtask_id'] === subtask['id']),
  );
  return { ok: true, task_id: id, text: alertText(task, { type, subtask, pings, alert }, style) };
}

/** By its short name or its id. Throws `not-found`. */
function subtaskOf(task: Fields, wanted: string | undefined): Fields | undefined {
  if (wanted === undefined) return undefined;
  const found = objectsOf(task['subtasks']).find(({ id, task_id: node }) => id === wanted || node === wanted);
  if (found === undefined) throw new FlowError('not-found', `Task ${wanted} not found`);
  return found;
}

function look(session: Session, action: string, payload: Readonly<Record<string, unknown>>): Promise<Envelope> {
  return lookFor(session, { tool: 'engine', action, payload });
}

async function lookFor(session: Session, call: ToolCall): Promise<Envelope> {
  const { lookAt } = await session.io.load.app();
  return lookAt({ root: workspaceOf(session), env: session.io.env }, call);
}
