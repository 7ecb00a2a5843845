import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { actorOf } from '../actor.ts';
import type { ConnectOptions } from '../connect.ts';
import { createMcpServer } from './server.ts';
import { createStdioTransport } from './transport.ts';
import { createWorkplace } from './workplace.ts';

export interface ServeMcpOptions extends ConnectOptions {
  readonly as?: string;
  readonly role?: string;
  /** A line for the log of whoever started this server; standard output belongs to the protocol. */
  readonly note: (text: string) => void;
}

/**
 * Serves MCP on standard input and output until the input closes or a signal comes, then stops cleanly. The handshake
 * is answered at once; the workspace opens meanwhile. Throws what made the workspace impossible to open, so that
 * nothing is served half-configured.
 */
export async function serveMcp(options: ServeMcpOptions): Promise<void> {
  const workplace = createWorkplace(options);
  const transport = createStdioTransport(process.stdin, process.stdout);
  const closed = Promise.withResolvers<void>();
  const server = serveStdio(
    () => createMcpServer({ app: () => workplace.app(), actor: (app) => actorOf(app, options) }),
    { transport, onerror: (error) => options.note(`baton mcp: ${error.message}`) },
  );
  const onclose = transport.onclose;
  transport.onclose = () => {
    onclose?.();
    closed.resolve();
  };
  const stop = (): void => closed.resolve();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    // The first opening is not left to the first call: a node shall watch and sync from the start.
    await Promise.race([closed.promise, workplace.app()]);
    await closed.promise;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await server.close();
    await workplace.close();
  }
}
