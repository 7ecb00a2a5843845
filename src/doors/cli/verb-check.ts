import type { Command } from 'commander';
import { digestText } from '../../dialects/engine-notify.ts';
import { checkTasks } from '../check.ts';
import { numberOf, objectsOf, textsOf, wordOf, fieldsOf, type Fields } from './answer.ts';
import { callAs, show, withApp, type Session } from './session.ts';
import { count, printable, type Palette } from './text.ts';
import { asTyped } from './typed.ts';

/** `baton check [TASK]` (features.md S002-18): exits with 0 whatever it finds, since alerts are its answer. */
export function defineCheck(command: Command, session: Session): void {
  command
    .argument('[task]', 'only this one; everything that is open otherwise')
    .option('--discord', 'print a text that is ready for Discord')
    .action(async (id: string | undefined) => {
      const { discord } = command.opts<{ readonly discord?: true }>();
      const answer = await withApp(session, (app) =>
        checkTasks((call) => callAs(app, session.globals, call), {
          role: session.globals.role ?? app.identity.role,
          id,
        }),
      );
      const { output } = session;
      show(session, asTyped(answer, { id: 'task' }), (palette) =>
        discord === true ? digestText(answer, 'discord') : renderCheck(answer, palette),
      );
      // What went wrong is all that a cron job wants to mail.
      if (answer.ok && output.quiet && !output.json && isWorthTelling(answer)) {
        output.out(`${discord === true ? digestText(answer, 'discord') : renderAlerts(answer, output.palette)}\n`);
      }
    });
}

function isWorthTelling(answer: Fields): boolean {
  return objectsOf(answer['alerts']).length + objectsOf(answer['skipped']).length > 0;
}

/** What needs somebody, what has gone on, and how much was looked at. Pure. */
function renderCheck(answer: Fields, palette: Palette): string {
  const moved = objectsOf(answer['transitions']).map(
    ({ task_id: id, from, to, events }) =>
      `${palette.green('moved')}  ${palette.bold(word(id))}  ${word(from)} → ${word(to)}  ${palette.dim(textsOf(events).join(' '))}`,
  );
  const alerts = renderAlerts(answer, palette);
  const { projects, tasks } = fieldsOf(answer['summary']);
  const found = objectsOf(answer['alerts']).length;
  const summary = `${count(found, 'alert')}; ${count(numberOf(tasks), 'task')} of ${count(numberOf(projects), 'project')} open`;
  return [
    ...moved,
    ...(alerts === '' ? [] : [alerts]),
    found === 0 ? palette.green(summary) : palette.yellow(summary),
  ].join('\n');
}

function renderAlerts(answer: Fields, palette: Palette): string {
  const alerts = objectsOf(answer['alerts']).flatMap(
    ({ type, task_id: task, subtask_id: subtask, message, command }) => [
      `${palette.red(word(type))}  ${palette.bold([word(task), word(subtask)].filter((part) => part !== '').join('/'))}  ${word(message)}`,
      `  ${palette.cyan(word(command))}`,
    ],
  );
  const skipped = objectsOf(answer['skipped']).map(
    ({ path, reason }) => `${palette.yellow('skipped')}  ${word(path)}: ${word(reason)}`,
  );
  return [...alerts, ...skipped].join('\n');
}

const word = (value: unknown): string => printable(wordOf(value));
