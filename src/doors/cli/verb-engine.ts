import { Option, type Command } from 'commander';
import type { Envelope } from '../../app-types.ts';
import {
  archivedAnswer,
  autoDispatchedAnswer,
  createdAnswer,
  dispatchedAnswer,
  listAnswer,
  rebuiltAnswer,
  subtaskAnswer,
  taskAnswer,
  transitionAnswer,
} from '../../dialects/engine.ts';
import { unknownStepAnswer } from '../../dialects/engine-refusal.ts';
import { nodeOfSubtask } from '../../protocol/ids.ts';
import { PRIORITIES, TASK_TYPES } from '../../protocol/records/types.ts';
import { wordsIn } from '../../protocol/words.ts';
import { fieldsOf } from '../fields.ts';
import { actionOf } from '../surface.ts';
import { addFlags, collect, payloadOf } from './flags.ts';
import { objectsOf, wordOf } from './answer.ts';
import { renderTask, renderTasks } from './engine-text.ts';
import { createOutput } from './output.ts';
import { callAs, show, UsageError, withApp, type Session } from './session.ts';
import { printable, type Palette } from './text.ts';
import { asTyped, type Names } from './typed.ts';

const TOOL = 'engine';

async function call(
  session: Session,
  action: string,
  payload: Readonly<Record<string, unknown>>,
  { names = {}, dryRun = false }: { readonly names?: Names; readonly dryRun?: boolean } = {},
): Promise<Envelope> {
  const answer = await withApp(session, (app) =>
    callAs(app, session.globals, { tool: TOOL, action, payload, ...(dryRun ? { dryRun } : {}) }),
  );
  return asTyped(answer, names);
}

/** What was done, in the words of the answer. */
function said({ message, warning }: Envelope, palette: Palette): string {
  const note = wordOf(warning);
  return [printable(wordOf(message)), ...(note === '' ? [] : [palette.yellow(`warning: ${printable(note)}`)])].join(
    '\n',
  );
}

/** `baton create TITLE` (S002-02) */
export function defineCreate(command: Command, session: Session): void {
  const fields = fieldsOf(actionOf(TOOL, 'create').inputSchema);
  command.argument('<title>', 'one line that names the task');
  addFlags(command, fields, new Set(['title']));
  command.action(async (title: string) => {
    const { given, names } = await payloadOf(
      command.opts(),
      fields,
      { title },
      session.io,
      'see `baton create --help`',
    );
    const { payload, dryRun } = given;
    const answer = await call(session, 'create', payload, { names, dryRun });
    const shown = answer['dryRun'] === true ? answer : createdAnswer(answer);
    show(session, shown, (palette) => (dryRun ? 'checked: nothing was written' : said(shown, palette)));
  });
}

/** `baton status [TASK]` (S002-03 to S002-06) */
export function defineStatus(command: Command, session: Session): void {
  command
    .argument('[task]', 'only this one, with its subtasks and its history')
    .option('--all', 'what has ended and what is archived as well')
    .action(async (task: string | undefined) => {
      if (task === undefined) {
        const { all } = command.opts<{ readonly all?: true }>();
        const answer = listAnswer(await call(session, 'list', all === undefined ? {} : { all }));
        show(session, answer, (palette, width) => renderTasks(answer, palette, width));
        return;
      }
      const answer = taskAnswer(await call(session, 'show', { id: task }, { names: { id: 'task' } }));
      show(session, answer, (palette, width) => renderTask(answer, palette, width));
    });
}

/** `baton transition TASK EVENT` (S002-07 to S002-10) */
export function defineTransition(command: Command, session: Session): void {
  const event = fieldsOf(actionOf(TOOL, 'transition_project').inputSchema).find(({ name }) => name === 'event');
  command
    .argument('<task>', 'the task')
    .argument('<event>', event?.description)
    .option('--note <text>', 'why; kept as the reason of block, fail and reject')
    .action(async (task: string, step: string) => {
      const { note } = command.opts<{ readonly note?: string }>();
      const payload = { projectId: task, event: step, ...(note === undefined ? {} : { note }) };
      const names = { projectId: 'task', event: 'event', note: '--note' };
      const answer = transitionAnswer(await call(session, 'transition_project', payload, { names }), task, step);
      show(session, answer, (palette) => said(answer, palette));
    });
}

/** `baton dispatch TASK TITLE` (S002-11 to S002-15) */
export function defineDispatch(command: Command, session: Session): void {
  command
    .argument('<task>', 'the task that it is a part of')
    .argument('<title>', 'one line that names the subtask')
    .requiredOption('--agent <name>', 'who does it')
    .addOption(new Option('--type <type>', 'what kind of work it is').choices(TASK_TYPES).default('dev'))
    .addOption(
      new Option('--deps <subtasks>', 'subtasks that must be done first, with commas between them').argParser(collect),
    )
    .option('--context <text>', 'what the agent has to know, Markdown; - reads it from standard input')
    .addOption(new Option('--priority <priority>', "default: the task's").choices(PRIORITIES))
    .option('--eta <when>', 'when it should be done: a time, or a duration such as 2h')
    .action(async (task: string, title: string) => {
      const { deps = [], context, ...given } = command.opts<DispatchOptions>();
      const dependsOn = wordsIn(deps);
      const spec = context === '-' ? await session.io.stdin() : context;
      const payload = {
        projectId: task,
        title,
        ...given,
        ...(dependsOn.length === 0 ? {} : { dependsOn: dependsOn.map((name) => nodeOfSubtask(task, name)) }),
        ...(spec === undefined ? {} : { context: spec }),
      };
      const answer = await call(session, 'dispatch_task', payload, { names: DISPATCH_NAMES });
      const shown = dispatchedAnswer(answer, task);
      show(session, shown, (palette) => said(shown, palette));
    });
}

const DISPATCH_NAMES: Names = {
  projectId: 'task',
  title: 'title',
  agent: '--agent',
  assignedTo: '--agent',
  type: '--type',
  dependsOn: '--deps',
  context: '--context',
  priority: '--priority',
  eta: '--eta',
};

interface DispatchOptions {
  readonly agent: string;
  readonly type: string;
  readonly deps?: readonly string[];
  readonly context?: string;
  readonly priority?: string;
  readonly eta?: string;
}

/** `baton auto-dispatch [TASK]` (S002-25 to S002-27): the answer is JSON, whoever asks. */
export function defineAutoDispatch(command: Command, session: Session): void {
  command
    .argument('[task]', 'the task, or any other project')
    .option('--all', 'every task and project in which work is given out')
    .option('--subtask <subtask>', 'only this one: subtask_01, or the id of the node')
    .option('--show-context', 'show what each agent is told to begin with')
    .option('--dry-run', 'show what would be given to whom, and change nothing')
    .action(async (task: string | undefined) => {
      const { dryRun = false, ...given } = command.opts<AutoDispatchOptions>();
      const payload = { ...given, ...(task === undefined ? {} : { projectId: task }) };
      const names = { projectId: 'task', subtask: '--subtask' };
      const answer = autoDispatchedAnswer(await call(session, 'auto_dispatch', payload, { names, dryRun }), task);
      session.exit = createOutput({ ...session.output, json: true }).answer(answer, () => '');
    });
}

interface AutoDispatchOptions {
  readonly all?: true;
  readonly subtask?: string;
  readonly showContext?: true;
  readonly dryRun?: boolean;
}

/** `baton subtask TASK SUBTASK EVENT` (S002-16, S002-17; hand-over and take-back are features.md §3.1's) */
export function defineSubtask(command: Command, session: Session): void {
  command
    .argument('<task>', 'the task')
    .argument('<subtask>', 'subtask_01, or the id of the node')
    .argument('<event>', `what happened: ${Object.keys(SUBTASK_EVENTS).join(', ')}`)
    .option('--progress <number>', 'with start: how far it is, 0 to 100')
    .option('--note <text>', 'what was done, or why it is blocked, has failed or is handed over')
    .option('--agent <name>', 'with assign: who does it, default: as planned; with hand-over: who takes it over')
    .addHelpText('after', '\nExample:\n  baton subtask TASK-001 subtask_02 hand-over --agent bo --note "ana is ill"')
    .action(async (task: string, subtask: string, event: string) => {
      const named = { projectId: task, taskId: nodeOfSubtask(task, subtask) };
      const make = Object.hasOwn(SUBTASK_EVENTS, event) ? SUBTASK_EVENTS[event] : undefined;
      if (make === undefined) {
        show(session, unknownStepAnswer(await call(session, 'next_steps', named), task, event));
        return;
      }
      const options = command.opts<SubtaskOptions>();
      if (event === 'hand-over' && options.agent === undefined) {
        throw new UsageError('hand-over needs --agent <name>', 'see `baton subtask --help`');
      }
      const { action, payload } = make(options);
      const fields = { ...named, ...defined(payload) };
      const answer = subtaskAnswer(await call(session, action, fields, { names: SUBTASK_NAMES }), task, event);
      show(session, answer, (palette) => said(answer, palette));
    });
}

const SUBTASK_NAMES: Names = {
  projectId: 'task',
  taskId: 'subtask',
  progress: '--progress',
  note: '--note',
  text: '--note',
  reason: '--note',
  assignedTo: '--agent',
};

interface SubtaskOptions {
  readonly progress?: string;
  readonly note?: string;
  readonly agent?: string;
}

interface Step {
  readonly action: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Which step an event is, and what it takes along. */
const SUBTASK_EVENTS: Readonly<Record<string, (options: SubtaskOptions) => Step>> = {
  assign: ({ agent }) => ({ action: 'assign_task', payload: { assignedTo: agent, refuseFull: true } }),
  start: ({ progress, note }) => ({ action: 'progress_task', payload: { progress, note } }),
  done: ({ note }) => ({ action: 'finish_task', payload: { text: note } }),
  fail: ({ note }) => ({ action: 'fail_task', payload: { reason: note } }),
  block: ({ note }) => ({ action: 'block_task', payload: { reason: note } }),
  unblock: ({ note }) => ({ action: 'unblock_task', payload: { reason: note } }),
  'hand-over': ({ agent, note }) => ({ action: 'hand_over_task', payload: { assignedTo: agent, reason: note } }),
  'take-back': () => ({ action: 'take_back_task', payload: {} }),
};

function defined(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** `baton archive TASK` (S002-24) */
export function defineArchive(command: Command, session: Session): void {
  command.argument('<task>', 'a task that has ended').action(async (task: string) => {
    const answer = archivedAnswer(await call(session, 'archive', { id: task }, { names: { id: 'task' } }), task);
    show(session, answer, (palette) => said(answer, palette));
  });
}

/** `baton rebuild-index` (S002-31) */
export function defineRebuildIndex(command: Command, session: Session): void {
  command.action(async () => {
    const answer = rebuiltAnswer(await call(session, 'rebuild_index', {}));
    show(session, answer, (palette) =>
      [
        said(answer, palette),
        ...objectsOf(answer['skipped']).map(
          ({ path, reason }) =>
            `${palette.yellow('skipped')}  ${printable(wordOf(path))}: ${printable(wordOf(reason))}`,
        ),
      ].join('\n'),
    );
  });
}
