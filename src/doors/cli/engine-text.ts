import { progressBar } from '../../protocol/progress-bar.ts';
import { numberOf, objectsOf, textsOf, wordOf, type Fields } from './answer.ts';
import { clip, paintOf, printable, printableLines, table, type Paints, type Palette } from './text.ts';

/** The task engine's states, as they are painted. */
const PAINTS: Paints = {
  PLANNING: 'magenta',
  APPROVED: 'blue',
  PENDING: 'dim',
  ASSIGNED: 'cyan',
  IN_PROGRESS: 'yellow',
  TESTING: 'cyan',
  REVIEW: 'cyan',
  BLOCKED: 'red',
  FAILED: 'red',
  REJECTED: 'red',
  COMPLETED: 'green',
  DONE: 'green',
};

function state(fields: Fields, palette: Palette): string {
  const status = printable(wordOf(fields['status']));
  return paintOf(PAINTS, status, palette)(status);
}

function bar(fields: Fields, palette: Palette): string {
  return paintOf(PAINTS, wordOf(fields['status']), palette)(progressBar(numberOf(fields['progress'])));
}

const word = (value: unknown, none = '-'): string => printable(wordOf(value)) || none;

/** `baton status`: one line for each piece of work. Pure. */
export function renderTasks(answer: Fields, palette: Palette, width: number): string {
  const rows = objectsOf(answer['tasks']).map((task) => {
    const count = task['subtask_count'];
    return [
      palette.bold(word(task['task_id'])),
      state(task, palette),
      word(task['priority']),
      bar(task, palette),
      typeof count === 'number' ? `${numberOf(task['subtasks_done'])}/${count}` : '-',
      palette.cyan(word(task['agent'])),
      word(task['eta']),
      clip(word(task['title']), Math.max(24, width - 90)) +
        (task['archived'] === true ? palette.dim('  archived') : ''),
    ];
  });
  const head = ['task', 'status', 'prio', 'progress', 'done', 'agent', 'eta', 'title'].map(palette.dim);
  const skipped = objectsOf(answer['skipped']).map(
    ({ path, reason }) => `${palette.yellow('skipped')}  ${word(path)}: ${word(reason)}`,
  );
  const shown = rows.length === 0 ? 'no tasks: `baton create TITLE` makes one' : table([head, ...rows]);
  return [shown, ...skipped].join('\n');
}

/** `baton status TASK`: where it stands, its subtasks as a tree, and what has happened to it. Pure. */
export function renderTask(answer: Fields, palette: Palette, width: number): string {
  const row = (name: string, value: unknown): readonly (readonly string[])[] =>
    wordOf(value) === '' ? [] : [[palette.dim(name), word(value)]];
  const tags = textsOf(answer['tags']).map(printable).join(', ');
  const head = [
    `${palette.bold(word(answer['task_id']))}  ${clip(word(answer['title']), Math.max(24, width - 20))}`,
    `${state(answer, palette)}  ${word(answer['priority'])}  ${bar(answer, palette)}`,
  ];
  const facts = table([
    ...row('eta', answer['eta']),
    ...row('agent', answer['agent']),
    ...row('last activity', answer['last_activity']),
    ...row('blocked', answer['blocked_reason']),
    ...row('tags', tags),
    ...row('archived', answer['archived']),
  ]);
  return [
    ...head,
    ...(facts === '' ? [] : [facts]),
    ...block('description', answer['description'], palette),
    ...block('plan', answer['plan'], palette),
    ...subtaskTree(objectsOf(answer['subtasks']), palette, width),
    ...history(objectsOf(answer['history']), palette, width),
  ].join('\n');
}

function block(name: string, value: unknown, palette: Palette): readonly string[] {
  const text = printableLines(wordOf(value));
  return text === '' ? [] : ['', palette.dim(name), ...text.split('\n').map((line) => `  ${line}`.trimEnd())];
}

function subtaskTree(subtasks: readonly Fields[], palette: Palette, width: number): readonly string[] {
  if (subtasks.length === 0) return [];
  const rows = subtasks.map((task, index) => {
    const deps = textsOf(task['deps']).map(printable);
    return [
      `${index === subtasks.length - 1 ? '└─' : '├─'} ${word(task['id'])}`,
      state(task, palette),
      bar(task, palette),
      palette.cyan(word(task['agent'])),
      word(task['type']),
      clip(word(task['title']), Math.max(24, width - 90)),
      palette.dim([deps.length === 0 ? '' : `← ${deps.join(' ')}`, word(task['blocked_reason'], '')].join('  ').trim()),
    ];
  });
  return ['', palette.dim('subtasks'), table(rows)];
}

function history(steps: readonly Fields[], palette: Palette, width: number): readonly string[] {
  if (steps.length === 0) return [];
  const rows = steps.map((step) => [
    palette.dim(word(step['time'])),
    word(step['event']),
    [word(step['from'], ''), word(step['to'], '')].filter((part) => part !== '').join(' → '),
    palette.cyan(word(step['actor'])),
    clip(word(step['note'], ''), Math.max(24, width - 90)),
  ]);
  return ['', palette.dim('history'), table(rows)];
}
