import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Happening, Marks } from '../../app-types.ts';
import { FlowError } from '../../protocol/errors.ts';
import { runningNode } from '../connect.ts';
import type { RemoteApp } from '../socket/client.ts';
import type { Fields } from './answer.ts';
import { renderHappening } from './happening.ts';
import { workspaceOf, type Session } from './session.ts';
import { untilSignal } from './signal.ts';

interface Filter {
  readonly project?: string;
  readonly task?: string;
}

/** `baton watch`: tells what happens until SIGINT or SIGTERM, also across restarts of the node. */
export function defineWatch(command: Command, session: Session): void {
  command
    .option('--project <project>', 'only what concerns this project and its tasks')
    .option('--task <task>', 'only what concerns this task')
    .addHelpText(
      'after',
      '\nA running node tells it (`baton up`). With --json every line is a JSON document. Ctrl-C ends it.',
    )
    .action(() => watch(session, command.opts<Filter>()));
}

/** Milliseconds between looks for a node that has gone. */
const LOOK_EVERY = 250;

async function watch(session: Session, filter: Filter): Promise<void> {
  const place = { root: workspaceOf(session), env: session.io.env };
  const signal = untilSignal();
  const interrupted = new AbortController();
  void signal.received.then(() => interrupted.abort());
  const over = AbortSignal.any([interrupted.signal, ...(session.io.unread === undefined ? [] : [session.io.unread])]);
  const ended = new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }));
  const marks = new Map<string, number>();
  const tell = (happening: Happening): void => {
    if (happening.mark !== undefined) marks.set(happening.mark.log, happening.mark.end);
    if (concerns(happening, filter)) print(session, { ...happening });
  };
  try {
    let node = await runningNode(place);
    if (node === undefined) throw noNode();
    for (let known: Marks | undefined; node !== undefined; known = Object.fromEntries(marks)) {
      for (const [log, end] of Object.entries(await node.follow(known, tell))) marks.set(log, end);
      tellOfNode(session, 'node.watched', `${node.identity.matrixUserId} (${node.identity.role}) in ${node.root}`);
      await Promise.race([ended, node.closed]);
      await node.close();
      node = over.aborted ? undefined : await nodeAgain(session, place, over);
    }
  } finally {
    signal.ignore();
  }
}

/** The node, once there is one again; `undefined` when nobody wants to wait for it any more. */
async function nodeAgain(
  session: Session,
  place: Parameters<typeof runningNode>[0],
  over: AbortSignal,
): Promise<RemoteApp | undefined> {
  tellOfNode(session, 'node.gone', 'waiting until it is back; `baton up` starts it');
  while (!over.aborted) {
    const node = await runningNode(place);
    if (node !== undefined) {
      const note = 'while it was away only the logs were kept: they follow, without refusals, findings and messages';
      print(session, { at: now(), kind: 'gap', what: 'node', note });
      return node;
    }
    await pause(LOOK_EVERY, undefined, { signal: over }).catch(() => undefined);
  }
  return undefined;
}

const now = (): string => new Date().toISOString().replace(/\.\d+/, '');

function noNode(): FlowError {
  return new FlowError('not-found', 'no node runs for this workspace, so there is nobody to tell what happens', {
    remedy: 'start one with `baton up` in another terminal, or under a supervisor; `baton log TASK` needs none',
  });
}

function concerns({ kind, project, task }: Happening, filter: Filter): boolean {
  if (kind === 'gap') return true;
  if (filter.task !== undefined && filter.task !== task) return false;
  return filter.project === undefined || filter.project === project;
}

function tellOfNode(session: Session, what: string, note: string): void {
  print(session, { at: now(), kind: 'node', what, note });
}

function print({ output }: Session, happening: Fields): void {
  output.told(happening, (palette, width) => renderHappening(happening, palette, width));
}
