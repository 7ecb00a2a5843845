import { expect, test } from 'vitest';
import { createCourtesy } from '../../src/services/courtesy.ts';

/** A node on a clock of its own: steps at these moments, each of 10 ms, and so many callers. */
function place({ steps = [] as readonly number[], callers = 1 } = {}) {
  let now = 0;
  let asleep = 0;
  const quietFor = (): number => {
    const begun = steps.findLast((at) => at <= now);
    return begun === undefined ? Infinity : Math.max(0, now - begun - 10);
  };
  const courtesy = createCourtesy({
    clock: {
      elapsed: () => now,
      sleep(ms, signal) {
        asleep += 1;
        if (signal?.aborted !== true) now += ms;
        return Promise.resolve();
      },
    },
    sync: { quietFor, callers: () => callers },
  });
  return { courtesy, at: () => now, looks: () => asleep };
}

/** Steps that leave no 200 ms between them. */
const always = [...Array(100).keys()].map((index) => index * 100);

test('a node that rests does at once what nobody waits for', async () => {
  const { courtesy, at, looks } = place();
  await courtesy.turn();
  expect([at(), looks()]).toEqual([0, 0]);
});

test('it waits until no step was under way for 200 ms, and sleeps until then', async () => {
  const one = place({ steps: [0] });
  await one.courtesy.turn();
  expect(one.at()).toBe(210);
  expect(one.looks()).toBeLessThanOrEqual(2);
  const two = place({ steps: [0, 150] });
  await two.courtesy.turn();
  expect(two.at()).toBe(360);
});

test.each([
  { callers: 49, longest: 1_000 },
  { callers: 50, longest: 3_000 },
])('with $callers callers it waits $longest ms for that and no longer', async ({ callers, longest }) => {
  const { courtesy, at } = place({ steps: always, callers });
  await courtesy.turn();
  expect(at()).toBe(longest);
});

test('asked to be prompt it waits for the steps that are under way, once', async () => {
  const { courtesy, at } = place({ steps: [0, 30, 300] });
  courtesy.prompt();
  await courtesy.turn();
  expect(at()).toBe(20);
  await courtesy.turn();
  expect(at()).toBe(240);
});

test('it waits for nothing while somebody waits for it, nor once the node stops', async () => {
  const { courtesy, at } = place({ steps: always });
  const held = Promise.withResolvers<void>();
  let work: Promise<void> | undefined = held.promise;
  const done = courtesy.hurried(() => work);
  await courtesy.turn();
  expect(at()).toBe(0);
  work = undefined;
  held.resolve();
  await done;
  await courtesy.turn();
  expect(at()).toBe(1_000);
  courtesy.close();
  await courtesy.turn();
  expect(at()).toBe(1_000);
});

test.each([
  { what: 'who begins to wait', act: 'hurried' },
  { what: 'who asks to be prompt', act: 'prompt' },
  { what: 'the end of the node', act: 'close' },
] as const)('$what ends a wait that is under way', async ({ act }) => {
  let quiet = 0;
  let asked = 0;
  const courtesy = createCourtesy({
    clock: {
      elapsed: () => 0,
      sleep: (_ms, signal) =>
        new Promise((resolve) => {
          asked += 1;
          signal?.addEventListener('abort', () => resolve());
        }),
    },
    sync: { quietFor: () => quiet, callers: () => 1 },
  });
  let running: Promise<void> | undefined = courtesy.turn().then(() => (running = undefined));
  expect(asked).toBe(1);
  quiet = 10;
  if (act === 'hurried') await courtesy.hurried(() => running);
  else courtesy[act]();
  await running;
  expect([running, asked]).toEqual([undefined, 1]);
});
