import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import type { Clock } from '../../src/ports.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { startDaemon } from '../../src/services/daemon.ts';
import { pollDelay } from '../../src/services/polling.ts';
import { daemonParts } from './daemon-parts.ts';

test.each([
  [0, 0, 9_000],
  [0, 1, 11_000],
  [1, 0, 10_000],
  [1, 1, 20_000],
  [3, 1, 80_000],
  [4, 0, 60_000],
  [50, 0.5, 90_000],
  [5_000, 1, 120_000],
])('after %i looks in vain and with chance %d the next one comes in %i ms', (failures, chance, delay) => {
  expect(pollDelay(10_000, failures, chance)).toBe(delay);
});

test('forty nodes come back to a remote over a whole minute, and not all at once', () => {
  const delays = Array.from({ length: 40 }, (_, index) => pollDelay(10_000, 10, index / 39)).sort((a, b) => a - b);
  const inOneSecond = delays.map((from) => delays.filter((at) => at >= from && at < from + 1_000).length);
  expect(Math.max(...inOneSecond)).toBeLessThanOrEqual(2);
});

test('a node polls ever more rarely while the remote is away, never twice at once, and as before when it is back', async () => {
  const waits: number[] = [];
  const enough = Promise.withResolvers<void>();
  let looks = 0;
  let [present, most] = [0, 0];
  const clock: Clock = {
    ...systemClock,
    hex: () => 'ffff',
    sleep(ms, signal) {
      waits.push(ms);
      if (waits.length < 7) return Promise.resolve();
      enough.resolve();
      return systemClock.sleep(2 ** 30, signal);
    },
  };
  const daemon = await startDaemon({
    ...daemonParts({
      // The remote is away from the second to the fourth look.
      async pull() {
        present += 1;
        most = Math.max(most, present);
        await new Promise((turn) => setImmediate(turn));
        present -= 1;
        looks += 1;
        if (looks >= 2 && looks <= 4) throw new FlowError('sync-failed', 'away', { retryable: true });
        return { remote: true, changed: [], refusals: [], conflicts: [] };
      },
    }),
    clock,
  });
  await enough.promise;
  await daemon[Symbol.asyncDispose]();
  expect(waits).toEqual([11_000, 20_000, 40_000, 80_000, 11_000, 11_000, 11_000]);
  expect(most).toBe(1);
});
