import { setTimeout as wait } from 'node:timers/promises';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { App, CallActor } from '../../app-types.ts';
import type { Acting } from '../actor.ts';
import type { ConnectOptions } from '../connect.ts';
import { createMcpServer } from './server.ts';
import { createStdioTransport } from './transport.ts';
import { createWorkplace } from './workplace.ts';

export interface ServeMcpOptions extends ConnectOptions, Acting {
  /** A line for the log of whoever started this server; standard output belongs to the protocol. */
  readonly note: (text: string) => void;
}

/** How long a client may take to say its first word before the workspace is opened anyway. */
const PATIENCE_MS = 250;

/**
 * Serves MCP on standard input and output until the input closes or a signal comes, then stops cleanly. The handshake
 * is answered at once; the workspace opens meanwhile. Throws what made the workspace impossible to open, so that
 * nothing is served half-configured.
 */
export async function serveMcp(options: ServeMcpOptions): Promise<void> {
  const workplace = createWorkplace(options);
  const transport = createStdioTransport(process.stdin, process.stdout);
  const closed = Promise.withResolvers<void>();
  const greeted = Promise.withResolvers<void>();
  const server = serveStdio(
    () => createMcpServer({ app: () => workplace.app(), actor: (app) => actor(app, options) }),
    { transport, onerror: (error) => options.note(`baton mcp: ${error.message}`) },
  );
  const send = transport.send.bind(transport);
  transport.send = async (message, sendOptions) => {
    await send(message, sendOptions);
    greeted.resolve();
  };
  const onclose = transport.onclose;
  transport.onclose = () => {
    onclose?.();
    closed.resolve();
  };
  const stop = (): void => closed.resolve();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    // The workspace is not left to the first call, since a node watches and syncs from the start; but loading it would
    // keep the handshake waiting.
    await Promise.race([closed.promise, greeted.promise, wait(PATIENCE_MS, undefined, { ref: false })]);
    await Promise.race([closed.promise, workplace.app()]);
    await closed.promise;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await server.close();
    await workplace.close();
  }
}

/** Loaded with the first question about it, for the sake of the handshake. */
async function actor(app: App, acting: Acting): Promise<CallActor | undefined> {
  const { actorOf } = await import('../actor.ts');
  return actorOf(app, acting);
}
