import type { App, RunningNode } from '../../app-types.ts';
import { FlowError } from '../../protocol/errors.ts';
import { attach, type ConnectOptions } from '../connect.ts';
import type { SocketDoor } from '../socket/server.ts';
import { socketPath } from '../workspace.ts';

/** The workspace behind an MCP server, whoever runs its node. */
export interface Workplace {
  /** The app; opened at the first call, and again after the node behind it has gone. */
  app(): Promise<App>;
  /** Hangs up, or stops the node when it runs here. Repeatable. */
  close(): Promise<void>;
}

/**
 * Uses the running node, or becomes the node when none runs, so that watching and syncing go on while the agent is
 * there. When the other process's node ends, the next call becomes the node.
 */
export function createWorkplace(options: ConnectOptions & { readonly note: (text: string) => void }): Workplace {
  let current: Promise<App> | undefined;
  let ended = false;
  const release: (() => Promise<void>)[] = [];

  const open = async (): Promise<App> => {
    const app = await attach(options, async () => {
      const { startNode } = await options.load.app();
      const node = await startNode({ root: options.root, env: options.env });
      release.push(await serve(node, options));
      return node;
    });
    const gone = 'closed' in app ? (app.closed as Promise<void>) : undefined;
    if (gone !== undefined) {
      release.push(() => app.close());
      void forget(gone);
    }
    return app;
  };

  const forget = async (gone: Promise<void>): Promise<void> => {
    await gone;
    current = undefined;
  };

  return {
    app: () => {
      if (ended) return Promise.reject(new FlowError('internal', 'the server is stopping', { retryable: true }));
      current ??= open().catch((error: unknown) => {
        current = undefined;
        throw error;
      });
      return current;
    },
    close: async () => {
      ended = true;
      // A start that is under way must be finished before it can be undone.
      await current?.catch(() => undefined);
      for (const undo of release.splice(0)) await undo();
    },
  };
}

/** Opens the node's socket for the command line. An agent is served without it too, so its failure is only noted. */
async function serve(
  node: RunningNode,
  { root, env, note }: Parameters<typeof createWorkplace>[0],
): Promise<() => Promise<void>> {
  let door: SocketDoor | undefined;
  try {
    const { serveSocket } = await import('../socket/server.ts');
    door = await serveSocket(node, socketPath(root, env));
  } catch (error) {
    if (!(error instanceof FlowError)) {
      await node.stop();
      throw error;
    }
    note(`baton mcp: the command line cannot reach this node: ${error.message}\n${error.remedy ?? ''}`.trimEnd());
  }
  return async () => {
    await door?.close();
    await node.stop();
  };
}
