import type { Command } from 'commander';
import type { App } from '../../app-types.ts';
import { teamRoom } from '../actor.ts';
import { actionOf } from '../surface.ts';
import { fieldsOf } from '../fields.ts';
import type { Fields } from './answer.ts';
import { addFlags, payloadOf, placeName, type Given } from './flags.ts';
import type { Draw } from './output.ts';
import { callAs, show, UsageError, withApp, type Session } from './session.ts';
import { asTyped } from './typed.ts';
import { showBoard, showTask, showTasks } from './verb-look.ts';

/** The same operation under a name for people: a verb, and the fields that are given by place instead of by flag. */
export interface Friendly {
  readonly name: string;
  readonly tool: string;
  readonly action: string;
  /** Field names in order; the ones in `optional` may be left out. */
  readonly places: readonly string[];
  readonly optional?: readonly string[];
  /** The team's room stands in for a `roomId` that was not given. */
  readonly inTeamRoom?: true;
  /** `--role` says what role somebody gets, as with `baton init`, and not in which role the caller acts. */
  readonly givesRole?: true;
  readonly summary?: string;
  /** A call as it is typed, shown below the help. */
  readonly example?: string;
  /** Flags that say how the answer is drawn, each with what it does. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly draw?: (answer: Fields, options: Readonly<Record<string, unknown>>) => Draw;
}

const projectflow = (name: string, action: string, ...places: readonly string[]): Friendly => ({
  name,
  tool: 'projectflow',
  action,
  places,
});
const taskflow = (name: string, action: string, ...places: readonly string[]): Friendly => ({
  name,
  tool: 'taskflow',
  action,
  places,
});

const engine = (name: string, action: string, ...places: readonly string[]): Friendly => ({
  name,
  tool: 'engine',
  action,
  places,
});

const PROJECT: readonly Friendly[] = [
  projectflow('create', 'create_project', 'title'),
  { ...projectflow('quick', 'create_quick_project', 'title'), inTeamRoom: true },
  projectflow('plan', 'plan_dag', 'projectId'),
  projectflow('loop', 'plan_loop', 'projectId'),
  projectflow('ready', 'ready_nodes', 'projectId'),
  projectflow('ready-loop', 'ready_loop_nodes', 'projectId'),
  projectflow('accept', 'accept_task_result', 'projectId', 'taskId'),
  projectflow('pause', 'pause_project', 'projectId'),
  projectflow('resume', 'resume_project', 'projectId'),
  projectflow('complete', 'complete_project', 'projectId'),
  projectflow('iterate', 'record_loop_iteration', 'projectId'),
  { ...projectflow('resolve', 'resolve_project', 'projectId'), optional: ['projectId'] },
  { ...projectflow('check', 'check_active_tasks', 'projectId'), optional: ['projectId'] },
  projectflow('reported', 'mark_requester_report_sent', 'projectId'),
];

const TASK: readonly Friendly[] = [
  { name: 'create', tool: 'engine', action: 'create_task', places: ['title'] },
  { ...taskflow('delegate', 'delegate_task', 'projectId', 'taskId'), inTeamRoom: true },
  taskflow('ack', 'ack_task', 'taskId'),
  taskflow('submit', 'submit_task', 'taskId'),
  taskflow('check', 'check_task', 'taskId'),
  taskflow('cancel', 'cancel_task', 'taskId'),
  {
    ...taskflow('hand-over', 'hand_over_task', 'taskId', 'assignedTo'),
    example: 'baton task hand-over api-02 bo --reason "ana is ill"',
  },
  { ...taskflow('take-back', 'take_back_task', 'taskId'), example: 'baton task take-back api-02' },
  engine('block', 'block_task', 'taskId'),
  engine('unblock', 'unblock_task', 'taskId'),
  taskflow('progress', 'report_progress', 'taskId', 'note'),
  taskflow('attention', 'request_attention', 'taskId', 'question'),
  { ...taskflow('answer', 'answer_attention', 'taskId', 'answer'), optional: ['answer'] },
];

/** `baton project …` */
export function defineProject(command: Command, session: Session): void {
  command
    .command('list')
    .description('the projects and how far they are')
    .action(() => showBoard(session, undefined, 'list'));
  command
    .command('show')
    .description('one project, drawn')
    .argument('<project>')
    .action((project: string) => showBoard(session, project, 'board'));
  for (const entry of PROJECT) defineFriendly(command, session, entry);
}

/** `baton task …` */
export function defineTask(command: Command, session: Session): void {
  command
    .command('list')
    .description('the tasks of all projects, or of one')
    .argument('[project]')
    .action((project: string | undefined) => showTasks(session, project));
  command
    .command('show')
    .description('one task: its record, specification and result')
    .argument('<task>')
    .action((task: string) => showTask(session, task));
  for (const entry of TASK) defineFriendly(command, session, entry);
}

/** Adds one of them to its verb. */
export function defineFriendly(parent: Command, session: Session, entry: Friendly): void {
  const { tool, action, name, places, optional = [] } = entry;
  const known = actionOf(tool, action);
  const fields = fieldsOf(known.inputSchema).map((field) =>
    entry.inTeamRoom === true && field.name === 'roomId'
      ? { ...field, required: false, description: "room of the assignment (default: the team's)" }
      : field,
  );
  const seeAlso = `see \`baton ${parent.name()} ${name} --help\``;
  const command = parent.command(name).description(entry.summary ?? known.summary);
  // All places may be missing on the line, because `--payload` may hold them; what is really missing is said below.
  for (const place of places)
    command.argument(`[${placeName(place)}]`, fields.find((field) => field.name === place)?.description ?? '');
  addFlags(command, fields, new Set(places));
  if (entry.example !== undefined) command.addHelpText('after', `\nExample:\n  ${entry.example}`);
  for (const [flag, meaning] of Object.entries(entry.flags ?? {})) command.option(flag, meaning);
  command.action(async (...words: readonly unknown[]) => {
    const placed = Object.fromEntries(
      places.map((place, index) => [place, typeof words[index] === 'string' ? words[index] : undefined]),
    );
    const { role, ...acting } = session.globals;
    const roleGiven = entry.givesRole === true && role !== undefined;
    const { given, names } = await payloadOf(
      command.opts(),
      fields,
      { ...placed, ...(roleGiven ? { role } : {}) },
      session.io,
      seeAlso,
    );
    const missing = places.find((place) => !optional.includes(place) && given.payload[place] === undefined);
    if (missing !== undefined) throw new UsageError(`missing argument: ${placeName(missing)}`, seeAlso);
    const envelope = await withApp(session, async (app) =>
      callAs(app, entry.givesRole === true ? acting : session.globals, {
        tool,
        action,
        ...(entry.inTeamRoom === true ? await inTeamRoom(app, given) : given),
      }),
    );
    show(session, asTyped(envelope, names), entry.draw?.(envelope, command.opts()));
  });
}

async function inTeamRoom(app: App, given: Given): Promise<Given> {
  if (given.payload['roomId'] !== undefined || given.payload['room_id'] !== undefined) return given;
  const room = await teamRoom(app);
  return room === undefined ? given : { ...given, payload: { ...given.payload, roomId: room } };
}
