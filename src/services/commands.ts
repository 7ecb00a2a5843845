import type { Execute } from '../flows/operation.ts';
import type { Clock, Log, Sync, WorkTree } from '../ports.ts';
import type { Announcer, RoomMessage } from '../ports-chat.ts';
import type { Command, CommandName, UnknownCommand } from '../protocol/command.ts';
import { COMMAND_FORMS, commandTextsFor, helpText } from '../protocol/command-texts.ts';
import type { CommandTexts } from '../protocol/command-texts.ts';
import { FlowError, withoutRemedy, toFlowError } from '../protocol/errors.ts';
import { localpartOf } from '../protocol/identity.ts';
import { pairOf, pairText } from '../protocol/pair.ts';
import { parseEventLines } from '../protocol/records/event.ts';
import type { Actor, EventRecord, ProjectStatus, TaskMeta, TaskStatus } from '../protocol/records/types.ts';
import { markdownText } from '../protocol/report-facts.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { isTerminalTask } from '../rules/lifecycle.ts';
import { reportText } from '../rules/reports.ts';
import type { CommandJournal } from './command-journal.ts';
import { code, findProject, findTask, isOpenProject, listed, statusOf } from './command-look.ts';
import { recentEvents } from './deliveries.ts';

export interface CommandDependencies {
  readonly sync: Sync;
  readonly workTree: WorkTree;
  readonly execute: Execute;
  readonly outbox: Pick<Announcer, 'deliver'>;
  readonly journal: CommandJournal;
  readonly identity: Actor;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a command is carried out with. */
interface Desk extends CommandDependencies {
  readonly texts: CommandTexts;
  readonly admin: Actor;
  /** Stands in the commit of what the command changes. */
  readonly cause: string;
}

/**
 * Carries out a command of the team's admin and answers it in the room in which it was given (docs/protocol.md,
 * "Commands"). Once per message, whenever the node ends: the commit names the message that caused it, the journal keeps
 * the reply, and the reply's transaction id is the message's. Never throws for what a person got wrong.
 */
export async function answerCommand(
  dependencies: CommandDependencies,
  { eventId, room }: RoomMessage,
  command: Command | UnknownCommand,
): Promise<void> {
  const { journal, outbox, workTree } = dependencies;
  const { team } = workTree.view();
  const { matrixUserId } = team.admin;
  const desk: Desk = {
    ...dependencies,
    texts: commandTextsFor(team.policies.language),
    admin: { localpart: localpartOf(matrixUserId), role: 'admin', matrixUserId },
    cause: eventId,
  };
  let text = journal.find(eventId);
  if (text === undefined) {
    text =
      carriedOutBefore(desk) ??
      (await carryOut(desk, command).catch((error: unknown) => refusal(desk, command, error)));
    journal.keep(eventId, text);
  }
  await outbox.deliver([{ kind: 'message', txn: `reply-${eventId}`, room, text, mentions: [], urgent: true }]);
}

/** The reply to what an earlier process has committed and not come to answer. */
function carriedOutBefore(desk: Desk): string | undefined {
  const { cause, texts } = desk;
  const quoted = JSON.stringify(cause);
  for (const log of recentEvents(desk)) {
    if (!log.includes(quoted)) continue;
    const event = parseEventLines(log, 'events').events.find(({ data }) => data?.['cause'] === cause);
    if (event !== undefined) return outcome(texts, event);
  }
  return undefined;
}

function outcome(texts: CommandTexts, { type, subject, note = '' }: EventRecord): string {
  const id = code(subject?.id ?? '');
  if (type === 'project.paused') return texts.paused(id, markdownText(note, 200));
  if (type === 'project.resumed') return texts.resumed(id);
  if (type === 'task.attention_answered') return texts.answered(id);
  return texts.decided[type === 'task.completed' ? 'completed' : type === 'task.revision' ? 'revision' : 'blocked'](id);
}

async function carryOut(desk: Desk, command: Command | UnknownCommand): Promise<string> {
  const { texts } = desk;
  if (command.name !== 'unknown') return HANDLERS[command.name](desk, command);
  return `${texts.unknownCommand(code(command.word))}\n\n${helpText(texts)}`;
}

type Handler = (desk: Desk, command: Command) => Promise<string>;

const HANDLERS: Readonly<Record<CommandName, Handler>> = {
  status: showStatus,
  report: showReport,
  pause,
  resume,
  accept: decide,
  reject: decide,
  answer,
  approve: answer,
  deny: answer,
  help: ({ texts }) => Promise.resolve(helpText(texts)),
};

/** Looks at what is there now; without the remote, at what was there last. */
async function freshView({ sync, workTree }: Desk): Promise<WorkspaceView> {
  try {
    await sync.pull();
  } catch (error) {
    if (!(error instanceof FlowError) || error.code !== 'sync-failed') throw error;
  }
  return workTree.view();
}

async function showStatus(desk: Desk, { target }: Command): Promise<string> {
  const view = await freshView(desk);
  if (target === undefined) {
    const open = view.projectIds().filter((id) => isOpenProject(view, id));
    return open.length === 0 ? desk.texts.noProjects : statusOf(view, open, desk.texts);
  }
  const project = findProject(view, target);
  return project === undefined ? unknownProject(desk, view, target) : statusOf(view, [project], desk.texts);
}

async function showReport(desk: Desk, command: Command): Promise<string> {
  const view = await freshView(desk);
  const project = choose(desk, view, command, ['active', 'paused']);
  if ('refused' in project) return project.refused;
  const entry = view.project(project.id);
  if (entry?.meta === undefined) return unknownProject(desk, view, project.id);
  return reportText(view, entry, entry.meta);
}

async function pause(desk: Desk, command: Command): Promise<string> {
  const project = choose(desk, desk.workTree.view(), command, ['active']);
  if ('refused' in project) return project.refused;
  const reason = project.named ? command.rest : command.said;
  const input = { projectId: project.id, ...(reason === '' ? {} : { reason }) };
  const output = await run(desk, 'project.pause', 'pause_project', input);
  const { pause_reason: kept = '' } = output['project'] as { readonly pause_reason?: string };
  return desk.texts.paused(code(project.id), markdownText(kept, 200));
}

async function resume(desk: Desk, command: Command): Promise<string> {
  const project = choose(desk, desk.workTree.view(), command, ['paused']);
  if ('refused' in project) return project.refused;
  await run(desk, 'project.resume', 'resume_project', { projectId: project.id });
  return desk.texts.resumed(code(project.id));
}

type Chosen = { readonly id: string; readonly named: boolean } | { readonly refused: string };

/**
 * The project that a command names, or the only one that it can be about. The first word behind `pause` may belong to the
 * reason, unless it looks like an id.
 */
function choose(desk: Desk, view: WorkspaceView, command: Command, among: readonly ProjectStatus[]): Chosen {
  const { name, target } = command;
  const { texts } = desk;
  const named = target === undefined ? undefined : findProject(view, target);
  if (named !== undefined) return { id: named, named: true };
  if (target !== undefined && (name !== 'pause' || command.rest === '' || /[\d_-]/.test(target)))
    return { refused: unknownProject(desk, view, target) };
  const ids = view.projectIds().filter((id) => among.some((known) => known === view.project(id)?.meta?.status));
  const [only] = ids;
  if (only === undefined) return { refused: name === 'resume' ? texts.nonePaused : texts.noneActive };
  if (ids.length > 1) return { refused: texts.whichProject(COMMAND_FORMS[name], listed(ids, texts)) };
  return { id: only, named: false };
}

function unknownProject({ texts }: Desk, view: WorkspaceView, target: string): string {
  const open = view.projectIds().filter((id) => isOpenProject(view, id));
  return texts.unknownProject(code(target), open.length === 0 ? '–' : listed(open, texts));
}

/** Decides on what `check_task` shows, and names the submission that it showed (protocol.md §10.16). */
async function decide(desk: Desk, { name, target, rest }: Command): Promise<string> {
  const { texts, workTree } = desk;
  if (target === undefined || (name === 'reject' && rest === '')) return texts.usage(COMMAND_FORMS[name]);
  const taskId = findTask(workTree.view(), target) ?? target;
  const { task, submitted, result, warnings = [] } = await look(desk, taskId);
  if (!submitted) {
    const status = task?.status ?? 'pending';
    const pair = pairText(status, name === 'accept' ? 'accept' : 'revise');
    return refusedAs(pair, texts.nothingSubmitted(code(taskId), status));
  }
  const input = {
    projectId: task?.project_id,
    taskId,
    submissionId: task?.submission_id,
    resultStatus: task?.result_status ?? result?.status,
    accepted: name === 'accept',
    ...(rest === '' ? {} : { summary: rest }),
  };
  const output = await run(desk, 'project.accept_task_result', 'accept_task_result', input);
  const decided = texts.decided[output['nodeStatus'] as keyof CommandTexts['decided']](code(taskId));
  return [decided, ...warnings.map((warning) => `- ${markdownText(warning, 300)}`)].join('\n');
}

interface Look {
  readonly task: TaskMeta | undefined;
  readonly submitted: boolean;
  readonly result?: { readonly status: string };
  readonly warnings?: readonly string[];
}

/** What `check_task` shows. It refuses a task without a result; here that is an answer. */
async function look({ execute, admin, workTree }: Desk, taskId: string): Promise<Look> {
  try {
    return (await execute('task.check', { taskId }, { actor: admin, label: 'check_task' })) as unknown as Look;
  } catch (error) {
    if (!(error instanceof FlowError)) throw error;
    if (error.data['submitted'] === false) return { task: error.data['task'] as TaskMeta, submitted: false };
    const isPlanned = error.code === 'not-found' && findTask(workTree.view(), taskId) !== undefined;
    if (isPlanned) return { task: undefined, submitted: false };
    throw error;
  }
}

async function answer(desk: Desk, { name, target, rest, attention }: Command): Promise<string> {
  const { texts, workTree } = desk;
  if (target === undefined || (name === 'answer' && rest === '')) return texts.usage(COMMAND_FORMS[name]);
  const taskId = findTask(workTree.view(), target) ?? target;
  await run(desk, 'task.answer_attention', 'answer_attention', {
    taskId,
    ...(attention === undefined ? {} : { kind: attention }),
    ...(name === 'answer' ? {} : { decision: name === 'approve' ? 'approved' : 'denied' }),
    ...(rest === '' ? {} : { answer: rest }),
  });
  return texts.answered(code(taskId));
}

function run({ execute, admin, cause }: Desk, operation: string, label: string, input: unknown) {
  return execute(operation, input, { actor: admin, label, cause });
}

/** What was wrong, and what to do, in the team's words where there are any. */
function refusal(desk: Desk, { name }: Command | UnknownCommand, thrown: unknown): string {
  const { texts, workTree, log, cause } = desk;
  const error = toFlowError(thrown, name);
  const { code: kind, data, message, remedy = '' } = error;
  const pair = pairOf(message, data);
  const illegal = (sentence: string): string =>
    pair === undefined ? sentence : refusedAs(pairText(pair.state, pair.event), sentence);
  const [task, project] = [data['taskId'], data['projectId']].map((id) => (typeof id === 'string' ? id : undefined));
  log.info({ command: name, eventId: cause, code: kind, reason: message }, 'a command was refused');
  if (kind === 'sync-failed') return texts.remoteAway;
  if (kind === 'paused' && project !== undefined) return texts.projectPaused(code(project));
  if (task !== undefined) {
    const known = findTask(workTree.view(), task);
    if (kind === 'not-found') return known === undefined ? texts.unknownTask(code(task)) : texts.noQuestion(code(task));
    if (kind === 'invalid-argument' && Array.isArray(data['kinds']))
      return texts.whichQuestion('`answer <task> <kind>: <text>`', data['kinds'].join(', '));
    const decided = decidedStatus(workTree.view(), task);
    if (kind === 'illegal-transition' && decided !== undefined)
      return illegal(texts.alreadyDecided(code(task), decided));
  }
  const plain = (text: string): string => markdownText(text.replaceAll(`${workTree.root}/`, ''), 500);
  return illegal(texts.refused(plain(withoutRemedy(pair?.because ?? message, remedy)), plain(remedy)));
}

/** The pair in the protocol's words, as at every door (decision 0030), then the sentence in the team's. */
function refusedAs(pair: string, sentence: string): string {
  return `${pair}. ${sentence}`;
}

function decidedStatus(view: WorkspaceView, taskId: string): TaskStatus | undefined {
  const status = view.task(taskId)?.meta?.status;
  return status !== undefined && isTerminalTask(status) ? status : undefined;
}
