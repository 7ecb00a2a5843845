import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** The content of a message, as its sender wrote it. */
type Content = Readonly<Record<string, unknown>>;

/** What becomes of a request that carries a message. */
export interface Toll {
  /** Which messages are met; any one, unless given. */
  readonly only?: (content: Content) => boolean;
  /** Instead of passing it on: the homeserver never hears of it. */
  readonly before?: () => Promise<void>;
  /** Once the homeserver has taken it, before its sender hears so. */
  readonly after?: () => Promise<void>;
}

/**
 * Stands before a homeserver until the test ends. Meets the next message that is sent through it, and shows all of them
 * to `see` before the homeserver gets them.
 */
export async function proxyTo(
  homeserver: string,
  see: (content: Content) => Promise<void> | void = () => undefined,
): Promise<{
  readonly url: string;
  meet(toll: Toll): void;
  /** Takes every request and answers none, until the returned function lets them through. */
  hold(): () => void;
}> {
  let next: Toll | undefined;
  let held: Promise<void> | undefined;
  const tollFor = async (incoming: IncomingMessage, body: Buffer): Promise<Toll> => {
    if (incoming.method !== 'PUT' || incoming.url?.includes('/send/m.room.message/') !== true) return {};
    const content = JSON.parse(body.toString('utf8')) as Content;
    await see(content);
    const toll = next;
    if (toll === undefined || toll.only?.(content) === false) return {};
    next = undefined;
    return toll;
  };
  const server = createServer((incoming, answer) => {
    const passing = Promise.resolve(held).then(() => pass(homeserver, incoming, answer, tollFor));
    void passing.catch(() => answer.destroy());
  });
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return () => {
      held = undefined;
      resolve();
    };
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return { url: `http://127.0.0.1:${address.port}`, meet: (toll) => (next = toll), hold };
}

async function pass(
  homeserver: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
  tollFor: (incoming: IncomingMessage, body: Buffer) => Promise<Toll>,
): Promise<void> {
  const body = Buffer.concat(await incoming.toArray());
  const toll = await tollFor(incoming, body);
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
