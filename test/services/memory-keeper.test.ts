import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { keepMemory } from '../../src/services/memory-keeper.ts';
import { eventually } from '../support/waiting.ts';

const limits = { interval: 5, quiet: 1_000, worth: 50 };

/** A process that holds what the test says, and frees all but what it needs when it is told to. */
function openKeeper({ held, needed, between = 0 }: { held: number; needed: number; between?: number }) {
  const process = { held, needed, collections: 0, looks: 0, quietFor: 5_000 };
  const firstLook = Promise.withResolvers<void>();
  const run = keepMemory({
    memory: {
      held: () => process.held,
      giveBack() {
        process.collections += 1;
        process.held = process.needed;
      },
    },
    sync: { quietFor: () => ((process.looks += 1), process.quietFor) },
    reconciler: { settled: () => firstLook.promise },
    clock: systemClock,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    limits: { ...limits, between },
  });
  onTestFinished(() => run[Symbol.asyncDispose]());
  const later = async (): Promise<void> => {
    const from = process.looks;
    await eventually(() => process.looks > from + 2, 'it is looked at again');
  };
  return { process, run, later, lookedOnce: firstLook.resolve };
}

describe('memory', () => {
  test('is given back as soon as the first look is over, and not before', async () => {
    const { process, later, lookedOnce } = openKeeper({ held: 300, needed: 100 });
    await systemClock.sleep(4 * limits.interval);
    expect(process).toMatchObject({ collections: 0, looks: 0 });
    lookedOnce();
    await later();
    expect(process).toMatchObject({ collections: 1, held: 100 });
  });

  test('stays where there is little of it', async () => {
    const { process, later, lookedOnce } = openKeeper({ held: 49, needed: 10 });
    lookedOnce();
    await later();
    expect(process.collections).toBe(0);
  });

  test.each([
    ['it has grown by as much as is worth it, and by a third', 200, 1],
    ['it has grown by less than is worth it', 149, 0],
  ])('is given back after a burst when %s', async (_, held, more) => {
    const { process, later, lookedOnce } = openKeeper({ held: 300, needed: 100 });
    lookedOnce();
    await later();
    process.held = held;
    await later();
    expect(process.collections).toBe(1 + more);
  });

  test('is not given back again soon', async () => {
    const { process, later, lookedOnce } = openKeeper({ held: 300, needed: 100, between: 60_000 });
    lookedOnce();
    await later();
    process.held = 300;
    await later();
    expect(process.collections).toBe(1);
  });

  test('is not given back when what is needed has grown by a part only', async () => {
    const { process, later, lookedOnce } = openKeeper({ held: 3_000, needed: 1_000 });
    lookedOnce();
    await later();
    process.held = 1_290;
    await later();
    expect(process.collections).toBe(1);
  });

  test('is not given back while something happens', async () => {
    const { process, later, lookedOnce } = openKeeper({ held: 300, needed: 100 });
    lookedOnce();
    await later();
    process.quietFor = 0;
    process.held = 300;
    await later();
    expect(process.collections).toBe(1);
    process.quietFor = 1_000;
    await eventually(() => process.collections === 2, 'it is given back once things are calm');
  });

  test('holds up nobody who stops the node during the first look', async () => {
    const { process, run } = openKeeper({ held: 300, needed: 100 });
    await run[Symbol.asyncDispose]();
    expect(process.collections).toBe(0);
  });
});
