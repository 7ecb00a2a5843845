import { mkdirSync } from 'node:fs';
import type { Fault } from '../../src/chaos/faults.ts';
import { serveGit } from '../support/git-server.ts';
import { localGround } from './ground.ts';
import type { LocalGround } from './ground.ts';
import { openProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';

const FAULTS: readonly Fault[] = ['cut', 'down', 'read-only', 'clock-ahead', 'clock-back'];
/** Bytes of an answer that pass before a connection is cut, one after the other: in the greeting, the refs, the objects. */
const CUTS: readonly number[] = [40, 250, 400, 1500];

/**
 * The remote behind `git daemon`, with a proxy for each seat before it: connections break, the server is gone or takes
 * no push, and the clock of this process jumps, which is that of all seats in it.
 */
export async function servedGround(seats: readonly string[], stack: AsyncDisposableStack): Promise<LocalGround> {
  const ground = localGround();
  stack.defer(() => ground.remove());
  mkdirSync(ground.folder, { recursive: true });
  const writable = await serveGit(ground.folder);
  stack.defer(() => void writable.child.kill());
  const readable = await serveGit(ground.folder, { writable: false });
  stack.defer(() => void readable.child.kill());
  const proxies = new Map<string, Proxy>();
  for (const seat of seats) {
    const proxy = await openProxy({ to: writable.port });
    stack.defer(() => proxy.close());
    proxies.set(seat, proxy);
  }
  const clock = createJumpingClock();
  stack.defer(() => clock.set(0));
  let cuts = 0;
  const heal = (seat: string): void => proxies.get(seat)?.set({ to: writable.port });
  return {
    ...ground,
    remoteOf: (seat) => `git://127.0.0.1:${proxies.get(seat)?.port ?? 0}/remote.git`,
    weather: {
      faults: FAULTS,
      bring(fault, seat) {
        const proxy = proxies.get(seat);
        if (fault === 'cut') proxy?.set({ to: writable.port, cutAfter: CUTS[cuts++ % CUTS.length] ?? 0 });
        else if (fault === 'down') proxy?.set('down');
        else if (fault === 'read-only') proxy?.set({ to: readable.port });
        else clock.set(fault === 'clock-ahead' ? 3_600_000 : -3_600_000);
      },
      clear(seat) {
        for (const one of seat === undefined ? seats : [seat]) heal(one);
        clock.set(0);
      },
    },
  };
}

/** The clock of this process; programs that it starts keep the machine's. */
function createJumpingClock(): { set(offset: number): void } {
  const real = Date.now;
  return {
    set(offset) {
      Date.now = offset === 0 ? real : () => real() + offset;
    },
  };
}
