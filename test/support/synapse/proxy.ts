import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** What becomes of a request that carries a message. */
export interface Toll {
  /** Instead of passing it on: the homeserver never hears of it. */
  readonly before?: () => Promise<void>;
  /** Once the homeserver has taken it, before its sender hears so. */
  readonly after?: () => Promise<void>;
}

/** Stands before a homeserver until the test ends, and meets the next message that is sent through it. */
export async function proxyTo(homeserver: string): Promise<{ readonly url: string; meet(toll: Toll): void }> {
  let next: Toll | undefined;
  const server = createServer((incoming, answer) => {
    const isMessage = incoming.method === 'PUT' && incoming.url?.includes('/send/m.room.message/') === true;
    const toll = isMessage ? (next ?? {}) : {};
    if (isMessage) next = undefined;
    void pass(homeserver, incoming, answer, toll).catch(() => answer.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return { url: `http://127.0.0.1:${address.port}`, meet: (toll) => (next = toll) };
}

async function pass(homeserver: string, incoming: IncomingMessage, answer: ServerResponse, toll: Toll): Promise<void> {
  const body = Buffer.concat(await incoming.toArray());
  if (toll.before !== undefined) {
    await toll.before();
    answer.destroy();
    return;
  }
  const { method, headers } = incoming;
  const outgoing = request(new URL(incoming.url ?? '/', homeserver), { method, headers });
  answer.on('close', () => outgoing.destroy());
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const content = Buffer.concat(await response.toArray());
  await toll.after?.();
  answer.writeHead(response.statusCode ?? 502, response.headers);
  answer.end(content);
}
