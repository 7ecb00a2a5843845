import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { onTestFinished } from 'vitest';

export interface Relaying {
  /** How wrong the clock of the homeserver seems to be. */
  readonly clockOff?: number;
  /** What is never answered. */
  readonly keeps?: (path: string) => boolean;
}

/** A homeserver as it looks through `relaying`, until the test ends. */
export async function relayTo(homeserver: string, { clockOff = 0, keeps }: Relaying): Promise<string> {
  const server = createServer((incoming, answer) => {
    const { method, headers, url = '/' } = incoming;
    if (keeps?.(url) === true) return;
    const outgoing = request(new URL(url, homeserver), { method, headers }, (response) => {
      const date = new Date(Date.now() + clockOff).toUTCString();
      answer.writeHead(response.statusCode ?? 502, { ...response.headers, date });
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  return `http://127.0.0.1:${address.port}`;
}
