import { expect, test } from 'vitest';
import { scheduleOf } from '../../src/chaos/schedule.ts';
import { inWords } from '../../src/chaos/steps.ts';

const OPTIONS = {
  cast: { leader: 'lead', workers: ['ana', 'bo'], tasks: ['p-01', 'p-02'] },
  steps: 60,
  faults: ['away', 'slow'],
  mortal: ['ana'],
} as const;

test('a seed always gives the same schedule, and another one another', () => {
  expect(scheduleOf(7, OPTIONS)).toEqual(scheduleOf(7, OPTIONS));
  expect(scheduleOf(8, OPTIONS)).not.toEqual(scheduleOf(7, OPTIONS));
});

test('schedules hold all kinds of steps, and each is told in words', () => {
  const steps = Array.from({ length: 20 }, (_, seed) => scheduleOf(seed, OPTIONS)).flat();
  const flat = steps.flatMap((step) => (step.do === 'together' ? [step, ...step.steps] : [step]));
  const kinds = ['ack', 'accept', 'cancel', 'delegate', 'fault', 'heal', 'kill', 'note', 'remark', 'rename', 'restart'];
  expect([...new Set(flat.map((step) => step.do))].sort()).toEqual([...kinds, 'submit', 'sync', 'together'].sort());
  for (const step of flat) expect(inWords(step)).toMatch(/^[a-zA-Z].* .*\S$/);
});

test('only who can be killed is', () => {
  const killed = Array.from({ length: 20 }, (_, seed) => scheduleOf(seed, OPTIONS))
    .flat()
    .flatMap((step) => (step.do === 'kill' ? [step.seat] : []));
  expect(new Set(killed)).toEqual(new Set(['ana']));
});
