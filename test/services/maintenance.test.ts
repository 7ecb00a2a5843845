import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import type { Log } from '../../src/ports.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { startMaintenance } from '../../src/services/maintenance.ts';
import { eventually } from '../support/waiting.ts';

const DAY = 24 * 3_600_000;
const limits = { interval: 5, loose: 100, packs: 10, quiet: 1_000, spread: 1, urgent: 10_000, collectAfter: 7 * DAY };

/** A repository in a state that the test sets, and what was done to it. */
function openStore(
  state: { loose?: number; packs?: number; collectedAt?: number | undefined },
  { spread = 1, hex = 'ffff' } = {},
) {
  const store = { loose: 0, packs: 1, collectedAt: Date.now() as number | undefined, ...state };
  const done: string[] = [];
  let looks = 0;
  const told: string[] = [];
  let quietFor = 5_000;
  let asks = 0;
  const note = (fields: Record<string, unknown>, message: string): void =>
    void told.push(`${message}: ${String(fields['reason'])}`);
  const log: Log = { debug: () => {}, info: () => {}, warn: note, error: note };
  const repository = {
    name: 'clone',
    look() {
      looks += 1;
      return { ...store };
    },
    pack(): Promise<void> {
      done.push('pack');
      store.loose = 0;
      return Promise.resolve();
    },
    collect(): Promise<void> {
      done.push('collect');
      store.collectedAt = Date.now();
      return Promise.resolve();
    },
    noteCollected() {
      done.push('noted');
      store.collectedAt = Date.now();
    },
  };
  const run = startMaintenance({
    repositories: [repository],
    sync: { quietFor: () => ((asks += 1), quietFor) },
    clock: { ...systemClock, hex: () => hex },
    log,
    limits: { ...limits, spread },
  });
  onTestFinished(() => run[Symbol.asyncDispose]());
  const later = async (): Promise<void> => {
    const from = looks;
    await eventually(() => looks > from + 2, 'it is looked at again');
  };
  return { store, done, told, repository, run, later, asked: () => asks, be: (quiet: number) => (quietFor = quiet) };
}

describe('maintenance', () => {
  test('packs when there is something to pack, and does nothing else', async () => {
    const { store, done, later } = openStore({ loose: 99, packs: 9 });
    await later();
    expect(done).toEqual([]);
    store.loose = 100;
    await eventually(() => done.length > 0, 'it is packed');
    await later();
    expect(done).toEqual(['pack']);
  });

  test('waits until nothing has happened for a while, and when there is very much to pack for the first moment', async () => {
    const { store, done, be, asked } = openStore({});
    be(0);
    store.loose = 20_000;
    await eventually(() => asked() > 2, 'it waits for a quiet moment');
    expect(done).toEqual([]);
    be(1);
    await eventually(() => done.length > 0, 'it is packed');
  });

  test('waits for a while without a step', async () => {
    const { store, done, be, asked } = openStore({});
    be(1_000);
    store.loose = 200;
    await eventually(() => asked() > 2, 'it waits');
    expect(done).toEqual([]);
    be(1_001);
    await eventually(() => done.length > 0, 'it is packed');
  });

  test('waits for longer than others by chance, so that not all nodes of a machine begin at once', async () => {
    const late = openStore({ loose: 200 }, { spread: 10 });
    const early = openStore({ loose: 200 }, { spread: 10, hex: '0000' });
    await eventually(() => early.done.length > 0, 'one packs');
    const asked = late.asked();
    await eventually(() => late.asked() > asked + 2, 'the other waits');
    expect(late.done).toEqual([]);
    late.be(10_001);
    await eventually(() => late.done.length > 0, 'it packs too');
  });

  test('that has waited in vain looks anew, so that very much to pack waits no longer', async () => {
    const { store, done, be, asked } = openStore({ loose: 200 }, { spread: 10 });
    await eventually(() => asked() > 2, 'it waits');
    be(1);
    store.loose = 20_000;
    await eventually(() => done.length > 0, 'it is packed');
  });

  test('does not pack again what packing has left', async () => {
    const { store, done, repository, later } = openStore({ packs: 30 });
    await eventually(() => done.length > 0, 'it is packed');
    await later();
    expect(done).toEqual(['pack']);
    store.packs = 40;
    await eventually(() => done.length > 1, 'it is packed again');
    expect(repository.look().packs).toBe(40);
  });

  test('collects garbage once a week, the first time a week after it began', async () => {
    const { store, done, later } = openStore({ collectedAt: undefined });
    await later();
    expect(done).toEqual(['noted']);
    store.collectedAt = Date.now() - 8 * DAY;
    await eventually(() => done.length > 1, 'it is collected');
    await later();
    expect(done).toEqual(['noted', 'collect']);
  });

  test('goes on after a git that fails, and says so', async () => {
    const { store, done, told, repository } = openStore({});
    const pack = repository.pack.bind(repository);
    repository.pack = () => Promise.reject(new FlowError('git-failed', 'no space'));
    store.loose = 200;
    await eventually(() => told.length > 0, 'it is told');
    expect(told[0]).toBe('git was not put in order: no space');
    repository.pack = pack;
    await eventually(() => done.length > 0, 'it is packed');
  });

  test('goes on where a repository may not be looked at or written to, and says so', async () => {
    const { done, told, repository, store, later } = openStore({ collectedAt: undefined });
    const noteCollected = repository.noteCollected.bind(repository);
    repository.noteCollected = () => {
      throw new Error('ENOSPC: no space left on device');
    };
    await eventually(() => told.length > 1, 'it is told');
    expect(told[0]).toBe('git was not put in order: Error: ENOSPC: no space left on device');
    repository.noteCollected = noteCollected;
    await eventually(() => done.includes('noted'), 'it is noted');
    store.loose = 100;
    await later();
    expect(done).toEqual(['noted', 'pack']);
  });
});
