import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** What becomes of a connection: passed on, cut after some bytes of the answer, or ended at once. */
type Passage = { readonly to: number; readonly cutAfter?: number } | 'down';

/** A small TCP proxy, so that connections can be cut where they are. */
export interface Proxy {
  readonly port: number;
  /** For connections from now on; those that stand are cut when it is `down`. */
  set(passage: Passage): void;
  close(): Promise<void>;
}

export async function openProxy(first: Passage): Promise<Proxy> {
  let passage = first;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.on('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    if (passage === 'down') {
      client.destroy();
      return;
    }
    const { to, cutAfter } = passage;
    const upstream = connect(to, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    upstream.on('error', end).on('close', end);
    client.on('close', end);
    client.pipe(upstream);
    let passed = 0;
    upstream.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      if (cutAfter !== undefined && passed > cutAfter) end();
      else client.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    set(next) {
      passage = next;
      if (next === 'down') for (const client of open) client.destroy();
    },
    async close() {
      for (const client of open) client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
