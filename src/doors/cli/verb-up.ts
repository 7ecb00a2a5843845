import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import type { RunningNode } from '../../app-types.ts';
import { serveSocket } from '../socket/server.ts';
import { socketPath } from '../workspace.ts';
import { giveBackWhenQuiet } from './quiet-memory.ts';
import { untilSignal } from './signal.ts';
import { show, workspaceOf, type Session } from './session.ts';

/** `baton up`: runs the node until SIGINT or SIGTERM, then stops it cleanly. A second signal ends it at once. */
export function defineUp(command: Command, session: Session): void {
  command.action(async () => {
    await up(session);
  });
}

async function up(session: Session): Promise<void> {
  collectNewObjects('early');
  setFlagsFromString('--heap-growing-percent=100');
  const { io } = session;
  const root = workspaceOf(session);
  // Before anything is started: a node that nobody could reach is of no use.
  const path = socketPath(root, io.env);
  const { startNode } = await io.load.app();
  const stop = untilSignal();
  try {
    const node = await startNode({ root, env: io.env });
    collectNewObjects('late');
    await serve(session, node, path, stop.received);
  } finally {
    stop.ignore();
  }
}

/**
 * How much the engine lets a node work through before it collects new objects: 1 MB, or up to 16 MB. What a start reads is kept, and
 * would only be copied to and fro in more memory; of what a step makes nearly all is dropped, and collecting that early costs an
 * eighth of its time and more (docs/decisions/0041).
 */
function collectNewObjects(when: 'early' | 'late'): void {
  setFlagsFromString(`--semi-space-growth-factor=${when === 'early' ? 1 : 2}`);
}

async function serve(session: Session, node: RunningNode, path: string, stopped: Promise<void>): Promise<void> {
  try {
    const door = await serveSocket(node, path);
    try {
      show(
        session,
        {
          ok: true,
          action: 'up',
          root: node.root,
          mode: node.mode,
          identity: node.identity,
          socket: path,
          pid: process.pid,
        },
        (palette) =>
          `${palette.green('up')}  ${node.identity.matrixUserId} (${node.identity.role}, ${node.mode}) in ${node.root}\n` +
          palette.dim('Ctrl-C stops it'),
      );
      using _ = giveBackWhenQuiet({ restingFor: () => node.quietFor() });
      await Promise.race([stopped, node.stopped]);
      session.output.note('stopping');
    } finally {
      node.hurry();
      await door.close();
    }
  } finally {
    await node.stop();
  }
}
