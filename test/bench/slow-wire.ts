import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A port on 127.0.0.1 that leads to another one by a longer way. */
export interface SlowWire {
  readonly port: number;
  close(): void;
}

/**
 * Passes connections on to `port` with a round trip of so many milliseconds: half of it in each direction, and a whole
 * one before the first bytes may leave, as the handshake of TCP takes. Bandwidth is not limited.
 */
export async function slowWire(port: number, roundTrip: number): Promise<SlowWire> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const close = (): void => {
      for (const socket of [client, far]) socket.destroy();
    };
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.once('error', close);
      socket.once('close', () => sockets.delete(socket));
    }
    pass(client, far, roundTrip / 2, performance.now() + roundTrip);
    pass(far, client, roundTrip / 2, 0);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What comes in goes out in the same order, `delay` later; nothing leaves before `open`, a time of `performance`. */
function pass(from: Socket, to: Socket, delay: number, open: number): void {
  let last: Promise<void> = Promise.resolve();
  const deliver = async (before: Promise<void>, due: number, act: () => void): Promise<void> => {
    await before;
    const left = due - performance.now();
    if (left > 0) await wait(left);
    if (!to.destroyed) act();
  };
  const later = (act: () => void): void => {
    last = deliver(last, Math.max(performance.now(), open) + delay, act);
  };
  from.on('data', (chunk: Buffer) => later(() => void to.write(chunk)));
  from.once('end', () => later(() => void to.end()));
}
