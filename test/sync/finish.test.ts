import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { nothingOwed } from '../../src/sync/context.ts';
import type { Placed, SyncContext } from '../../src/sync/context.ts';
import { finishLater, finishing } from '../../src/sync/finish.ts';
import { git as plain } from '../support/git.ts';
import { change, makeTeam, openNode, write } from './workshop.ts';
import type { Node } from './workshop.ts';

const SPEC = 'shared/tasks/t-ana/spec.md';

/** A Leader's node of a team, whose seconds pass when the test says so. */
async function timedLead() {
  const team = await makeTeam();
  await team.lead.sync.close();
  let now = 0;
  const sleepers = new Map<() => void, number>();
  const durable: string[] = [];
  const lead = await openNode(
    { dir: join(team.folder, 'lead'), role: 'leader', localpart: 'lead', remote: team.remote },
    {
      hurried: true,
      clock: {
        ...systemClock,
        elapsed: () => now,
        async sleep(ms, signal) {
          const { promise, resolve } = Promise.withResolvers<void>();
          sleepers.set(resolve, now + ms);
          signal?.addEventListener('abort', () => resolve());
          if (signal?.aborted === true) resolve();
          await promise;
          sleepers.delete(resolve);
        },
      },
      hand: (workTree, git) => ({
        git,
        workTree: {
          ...workTree,
          async makeDurable(paths) {
            durable.push(...paths);
            await workTree.makeDurable(paths);
          },
        },
      }),
    },
  );
  const wakesAt = (): number => Math.min(...sleepers.values());
  /** Lets time go on until the next one that sleeps is awake, which is told. */
  const next = async (): Promise<number> => {
    await expect.poll(() => sleepers.size).toBe(1);
    const before = now;
    now = wakesAt();
    for (const [wake, at] of sleepers) if (at <= now) wake();
    return now - before;
  };
  /** A step every thirty seconds, which is less than the node waits. */
  const workFor = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 30) {
      await step(lead, `${second}\n`);
      expect(await next()).toBe(200);
      await expect.poll(() => sleepers.size).toBe(1);
      now += 30_000;
    }
  };
  return { lead, durable, next, workFor };
}

function step(node: Node, text: string): Promise<unknown> {
  return change(node, [write(SPEC, text)]);
}

test('files that a step has brought here are made durable after 40 seconds without one', async () => {
  const { lead, durable, next } = await timedLead();
  await step(lead, 'one\n');
  expect(await next()).toBe(200);
  expect(await next()).toBe(40_000);
  await expect.poll(() => durable).toContain(SPEC);
  await lead.sync.close();
});

test('a node that goes on and on makes them durable in its first rest of 5 seconds after two minutes', async () => {
  const { lead, durable, next, workFor } = await timedLead();
  await workFor(120);
  await step(lead, 'after two minutes\n');
  expect(await next()).toBe(200);
  expect(durable).toEqual([]);
  expect(await next()).toBe(5_000);
  await expect.poll(() => durable).toContain(SPEC);
  await lead.sync.close();
});

test('a node that never rests makes them durable in the middle of its work after four minutes', async () => {
  const { lead, durable, next, workFor } = await timedLead();
  await workFor(240);
  expect(durable).toEqual([]);
  await step(lead, 'after four minutes\n');
  expect(await next()).toBe(200);
  await expect.poll(() => durable).toContain(SPEC);
  await lead.sync.close();
});

test('the index is told at once of a step that lands while it is told of another', { timeout: 20_000 }, async () => {
  const team = await makeTeam();
  await team.lead.sync.close();
  const told: string[] = [];
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const lead = await openNode(
    { dir: join(team.folder, 'lead'), role: 'leader', localpart: 'lead', remote: team.remote },
    {
      hurried: true,
      hand: (workTree, git) => ({
        workTree,
        git: {
          ...git,
          async stage(entries) {
            begun.resolve();
            await goOn.promise;
            told.push(...entries.map(({ path }) => path));
            return git.stage(entries);
          },
        },
      }),
    },
  );
  await step(lead, 'one\n');
  await begun.promise;
  await change(lead, [write('shared/tasks/t-bo/spec.md', 'two\n')]);
  goOn.resolve();
  await expect.poll(() => told).toContain(SPEC);
  await lead.sync.indexed();
  expect(told).toEqual([SPEC, 'shared/tasks/t-bo/spec.md']);
  expect(plain(lead.dir, 'status', '--short')).toBe('');
  await lead.sync.close();
});

/** A node's part behind the steps alone, whose disk ends its first forcing when the test says so. */
function alone() {
  const durable = Promise.withResolvers<void>();
  let forced = 0;
  const told: string[] = [];
  const context = {
    state: { owed: nothingOwed() },
    log: { warn: () => {}, error: () => {} },
    clock: { elapsed: () => 0, sleep: () => Promise.resolve() },
    git: {
      async stage(entries: readonly { readonly path: string }[]) {
        told.push(...entries.map(({ path }) => path));
        return true;
      },
      updateRefs: () => Promise.resolve(true),
    },
    workTree: { makeDurable: () => ((forced += 1) === 1 ? durable.promise : Promise.resolve()) },
  } as unknown as SyncContext;
  return { context, told, endForcing: durable.resolve, isForcing: () => forced === 1 };
}

const placed = (path: string): Placed => ({
  written: [path],
  failed: [],
  entries: [{ path, id: undefined }],
  journal: false,
  changed: [path],
  refusals: [],
  conflicts: [],
});

test('no step is left out, however closely it comes after the forcing of the one before', async () => {
  for (let ticks = 0; ticks < 12; ticks += 1) {
    const { context, told, endForcing, isForcing } = alone();
    finishLater(context, placed('a'));
    await expect.poll(isForcing).toBe(true);
    endForcing();
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    finishLater(context, placed('b'));
    await finishing(context);
    expect(told).toEqual(['a', 'b']);
  }
});
