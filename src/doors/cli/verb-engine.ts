import type { Command } from 'commander';
import type { Envelope } from '../../app-types.ts';
import { archivedAnswer, createdAnswer, listAnswer, rebuiltAnswer, taskAnswer } from '../../dialects/engine.ts';
import { fieldsOf } from '../fields.ts';
import { actionOf } from '../surface.ts';
import { addFlags, payloadOf } from './flags.ts';
import { objectsOf, wordOf } from './answer.ts';
import { renderTask, renderTasks } from './engine-text.ts';
import { callAs, show, withApp, type Session } from './session.ts';
import { printable, type Palette } from './text.ts';

const TOOL = 'engine';

async function call(
  session: Session,
  action: string,
  payload: Readonly<Record<string, unknown>>,
  dryRun = false,
): Promise<Envelope> {
  return withApp(session, (app) =>
    callAs(app, session.globals, { tool: TOOL, action, payload, ...(dryRun ? { dryRun } : {}) }),
  );
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
    const { payload, dryRun } = await payloadOf(
      command.opts(),
      fields,
      { title },
      session.io,
      'see `baton create --help`',
    );
    const answer = await call(session, 'create', payload, dryRun);
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
      const answer = taskAnswer(await call(session, 'show', { id: task }));
      show(session, answer, (palette, width) => renderTask(answer, palette, width));
    });
}

/** `baton archive TASK` (S002-24) */
export function defineArchive(command: Command, session: Session): void {
  command.argument('<task>', 'a task that has ended').action(async (task: string) => {
    const answer = archivedAnswer(await call(session, 'archive', { id: task }), task);
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
