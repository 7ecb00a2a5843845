import type { Command } from 'commander';
import type { App, Envelope } from '../../app-types.ts';
import { fieldsOf, numberOf, objectsOf, textsOf, wasAsked, wordOf, type Fields } from './answer.ts';
import { NODE } from '../node-calls.ts';
import { renderBoard, type BoardProject } from './board.ts';
import { boardProjects } from './board-data.ts';
import { runningNode } from '../connect.ts';
import { renderNeeds } from './needs.ts';
import { callAs, show, withApp, workspaceOf, type Session } from './session.ts';
import { quotaInWords } from './quota-words.ts';
import { clip, count, printable, printableLines, table, type Palette } from './text.ts';
import { asTyped } from './typed.ts';

/** `baton board [PROJECT]` */
export function defineBoard(command: Command, session: Session): void {
  command
    .argument('[project]', 'only this project')
    .option('--archived', 'archived projects as well')
    .option('--problems', 'what needs a person instead, the most pressing first, with the command that mends it')
    .action((project: string | undefined) => {
      const { archived, problems } = command.opts<{ readonly archived?: true; readonly problems?: true }>();
      return problems === true ? showNeeds(session, project) : showBoard(session, project, 'board', archived);
    });
}

async function showNeeds(session: Session, project: string | undefined): Promise<void> {
  const payload = project === undefined ? {} : { projectId: project };
  const answer = await withApp(session, (app) => callAs(app, session.globals, { ...NODE.needs, payload }));
  show(session, answer, (palette, width) => renderNeeds(answer, palette, width));
}

/** `baton inbox [ROOM]` */
export function defineInbox(command: Command, session: Session): void {
  command
    .argument('[room]', 'only this room')
    .option('--limit <number>', 'how many messages', '20')
    .option('--mine', 'only those that mention you')
    .action(async (room: string | undefined) => {
      const { limit, mine } = command.opts<{ readonly limit: string; readonly mine?: boolean }>();
      const payload = { limit, ...(room === undefined ? {} : { roomId: room }), ...(mine === true ? { mine } : {}) };
      const answer = await withApp(session, (app) => callAs(app, session.globals, { ...NODE.inbox, payload }));
      const named = asTyped(answer, { limit: '--limit', roomId: 'room', mine: '--mine' });
      show(session, named, (palette, width) => renderMessages(answer, palette, width));
    });
}

/** `baton sync status|now` */
export function defineSync(command: Command, session: Session): void {
  command
    .command('status')
    .description('how this clone and the remote stand')
    .action(async () => {
      const answer = await withApp(session, (app) => callAs(app, session.globals, NODE.status));
      show(session, answer, (palette) => renderSync(answer, palette));
    });
  const now = command
    .command('now')
    .description('pull, integrate and push now')
    .option('--no-wait', 'only tell the running node to look at the remote; for hooks of a remote, which must not wait')
    .action(async () => {
      const { wait } = now.opts<{ readonly wait: boolean }>();
      if (!wait) {
        const answer = await wakeNode(session);
        show(session, answer, (palette) => (answer['woken'] === true ? palette.green('woken') : 'no node runs here'));
        return;
      }
      const answer = await withApp(session, (app) => app.sync());
      show(session, answer, (palette) => renderSynced(answer, palette));
      const { output } = session;
      const wrong = renderKept(answer, output.palette);
      // The sync itself has gone well, so nothing else would tell a cron job of an edit that stays behind.
      if (answer.ok && output.quiet && !output.json && wrong.length > 0) output.out(`${wrong.join('\n')}\n`);
    });
}

/**
 * Wakes the node of this workspace and does not wait for what comes of it: whoever pushes waits for the hook, and it may be
 * that node itself. Without a node there is nobody to wake, which is no failure.
 */
async function wakeNode(session: Session): Promise<Envelope> {
  const node = await runningNode({ root: workspaceOf(session), env: session.io.env });
  if (node === undefined) return { ok: true, tool: 'node', action: 'sync', woken: false };
  try {
    return await node.sync({ wait: false });
  } finally {
    await node.close();
  }
}

/** The board, or as `list` one line for each project. */
export async function showBoard(
  session: Session,
  project: string | undefined,
  as: 'board' | 'list',
  archived?: true,
): Promise<void> {
  const answer = await withApp(session, (app) => board(app, session, project, archived));
  show(session, answer, (palette, width) => {
    const projects = boardProjects(answer);
    return as === 'list'
      ? renderProjects(projects, palette, width)
      : renderBoard(projects, { color: session.output.color, width });
  });
}

/** One line for each task, in the order of the plans. */
export async function showTasks(session: Session, project: string | undefined): Promise<void> {
  const answer = await withApp(session, (app) => board(app, session, project));
  show(session, answer, (palette, width) => {
    const rows = boardProjects(answer).flatMap(({ nodes, ready }) =>
      nodes.map((node) => [
        printable(node.id),
        ready.includes(node.id) ? palette.blue('ready') : printable(node.task ?? node.status),
        palette.cyan(printable(node.assignee === '' ? '-' : node.assignee)),
        clip(printable(node.title), Math.max(24, width - 60)),
      ]),
    );
    return rows.length === 0 ? 'no tasks yet' : table(rows);
  });
}

/** A task with what its folder says: record, project, specification, result. */
export async function showTask(session: Session, taskId: string): Promise<void> {
  const answer = await withApp(session, async (app): Promise<Envelope> => {
    const found = await callAs(app, session.globals, {
      tool: 'projectflow',
      action: 'resolve_project',
      payload: { taskId },
    });
    if (!found.ok) return found;
    const [spec, result] = await Promise.all(
      ['spec.md', 'result.md'].map((file) => app.text(`shared/tasks/${taskId}/${file}`)),
    );
    return {
      ...found,
      ...(spec === undefined ? {} : { spec }),
      ...(result === undefined ? {} : { resultText: result }),
    };
  });
  show(session, answer, (palette, width) => renderTask(answer, palette, width));
}

async function board(app: App, session: Session, project: string | undefined, archived?: true): Promise<Envelope> {
  const payload = {
    ...(project === undefined ? {} : { projectId: project }),
    ...(archived === undefined ? {} : { archived }),
  };
  const asked = Object.keys(payload).length > 0;
  return callAs(app, session.globals, { ...NODE.board, ...(asked ? { payload } : {}) });
}

function renderProjects(projects: readonly BoardProject[], palette: Palette, width: number): string {
  if (projects.length === 0) return 'no projects yet: `baton project create TITLE` makes one';
  return table(
    projects.map(({ id, status, kind, nodes, ready, title }) => [
      palette.bold(printable(id)),
      printable(status),
      kind,
      `${nodes.filter((node) => node.status === 'completed').length}/${nodes.length}`,
      ready.length === 0 ? '' : palette.blue(`${ready.length} ready`),
      clip(printable(title), Math.max(24, width - 60)),
    ]),
  );
}

function renderTask(answer: Fields, palette: Palette, width: number): string {
  const task = fieldsOf(answer['task']);
  const project = fieldsOf(answer['project']);
  const row = (name: string, value: unknown): readonly string[][] =>
    typeof value === 'string' && value !== ''
      ? [[palette.dim(name), clip(printable(value), Math.max(24, width - 18))]]
      : [];
  const head = table([
    ...row('task', task['task_id']),
    ...row('title', task['task_title']),
    ...row('status', task['status']),
    ...row('assignee', task['assigned_to']),
    ...row('project', project['project_id']),
    ...row('assigned', task['assigned_at']),
    ...row('acknowledged', task['acknowledged_at']),
    ...row('submitted', task['submitted_at']),
    ...row('submission', task['submission_id']),
  ]);
  const part = (name: string, value: unknown): readonly string[] =>
    typeof value === 'string' ? [`${palette.bold(name)}\n${printableLines(value)}`] : [];
  return [head, ...part('spec.md', answer['spec']), ...part('result.md', answer['resultText'])].join('\n\n');
}

function renderMessages(answer: Fields, palette: Palette, width: number): string {
  const messages = objectsOf(answer['messages']);
  if (messages.length === 0) return 'no messages';
  return messages
    .map((message) => {
      const head = [
        palette.dim(printable(wordOf(message['at']))),
        palette.cyan(printable(wordOf(message['sender']))),
        palette.dim(printable(wordOf(message['room']))),
        ...(message['forMe'] === true ? [palette.yellow('for you')] : []),
      ].join('  ');
      const body = printableLines(wordOf(message['text']))
        .split('\n')
        .map((line) => `  ${clip(line, Math.max(24, width - 2))}`)
        .join('\n');
      return `${head}\n${body}`;
    })
    .join('\n');
}

/** A command that only looks does not ask the remote, and then cannot tell. */
function stateOf(sync: Fields, palette: Palette): string {
  if (sync['online'] === true) return palette.green('online');
  return wasAsked(sync) ? palette.red('offline') : 'not asked yet: `baton sync now` asks';
}

/** What a sync brought, what it took up of what was edited here, and how things stand now. */
function renderSynced(answer: Fields, palette: Palette): string {
  const changed = textsOf(answer['changed']);
  const adopted = textsOf(answer['adopted']);
  const news = [
    ...(changed.length === 0 ? [] : [count(changed.length, 'changed file')]),
    ...(adopted.length === 0 ? [] : [`${count(adopted.length, 'file')} edited here`]),
  ];
  const brought = [
    `${palette.green('synced')}  ${news.length === 0 ? 'nothing new' : news.join(', ')}`,
    ...[...changed, ...adopted].map((path) => `  ${printable(path)}`),
    ...renderKept(answer, palette),
  ];
  return [...brought, renderSync(fieldsOf(answer['sync']), palette)].filter((part) => part !== '').join('\n');
}

/** What a sync has not taken up, of what was edited here and of what lanes brought. */
function renderKept(answer: Fields, palette: Palette): readonly string[] {
  return [
    ...textsOf(answer['foreign']).map(
      (path) =>
        `${palette.yellow('kept here')}  ${printable(path)} was changed by hand but is not yours to change; take it away, or undo it with git checkout HEAD -- ${printable(path)}`,
    ),
    ...objectsOf(answer['unfit']).map(
      ({ path, why, remedy }) =>
        `${palette.red('kept here')}  ${printable(wordOf(path))} cannot be committed: it ${printable(wordOf(why))}; ${printable(wordOf(remedy))}`,
    ),
    ...objectsOf(answer['refusals']).map(
      ({ lane, path, reason, detail }) =>
        `${palette.red('refused')}  ${[lane, path, reason, detail].map((part) => printable(wordOf(part))).join('  ')}`,
    ),
  ];
}

function renderSync(sync: Fields, palette: Palette): string {
  const lanes = objectsOf(sync['lanes']);
  const conflicts = textsOf(sync['conflicts']);
  const row = (name: string, value: unknown): readonly string[][] =>
    wordOf(value) === '' ? [] : [[palette.dim(name), printable(wordOf(value))]];
  const reach = [
    ...row('state', stateOf(sync, palette)),
    ...row('ahead', sync['ahead']),
    ...row('behind', sync['behind']),
  ];
  return table([
    ...row('mode', sync['mode']),
    ...row('branch', sync['branch']),
    ...row('remote', sync['remote'] ?? 'none'),
    ...(sync['remote'] === undefined ? [] : reach),
    ...row('last pull', sync['lastPullAt']),
    ...row('last push', sync['lastPushAt']),
    ...lanes.flatMap((lane) =>
      row('lane', `${wordOf(lane['name'])}: ${count(numberOf(lane['pending']), 'commit')} to integrate`),
    ),
    ...conflicts.flatMap((path) => row('conflict', path)),
    ...row('pushes', quotaInWords(fieldsOf(sync['quota']))),
    ...row('problem', sync['problem']),
    ...row('remedy', sync['remedy']),
  ]);
}
