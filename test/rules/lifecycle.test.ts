import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TASK_STATUSES } from '../../src/protocol/records/types.ts';
import type { TaskStatus } from '../../src/protocol/records/types.ts';
import {
  isLegalPath,
  isTerminalTask,
  markerFor,
  nextTaskStatus,
  statusRank,
  TASK_EVENTS,
  TASK_TRANSITIONS,
  taskStep,
} from '../../src/rules/lifecycle.ts';
import type { TaskEvent } from '../../src/rules/lifecycle.ts';

/** features.md §3.1 and protocol.md §8.2, written out a second time: rows are states, entries are event → state. */
const EXPECTED: Readonly<Record<TaskStatus | 'none', Partial<Record<TaskEvent, TaskStatus>>>> = {
  none: { create: 'pending', prepare: 'prepared', fail: 'failed', supersede: 'superseded' },
  pending: { prepare: 'prepared', fail: 'failed', cancel: 'cancelled', supersede: 'superseded' },
  prepared: {
    prepare: 'prepared',
    redelegate: 'prepared',
    notified: 'assigned',
    ack: 'in_progress',
    submit: 'submitted',
    fail: 'failed',
    cancel: 'cancelled',
  },
  assigned: {
    prepare: 'assigned',
    redelegate: 'prepared',
    ack: 'in_progress',
    progress: 'in_progress',
    submit: 'submitted',
    block: 'blocked',
    fail: 'failed',
    cancel: 'cancelled',
    supersede: 'superseded',
  },
  in_progress: {
    ack: 'in_progress',
    progress: 'in_progress',
    submit: 'submitted',
    block: 'blocked',
    fail: 'failed',
    cancel: 'cancelled',
    supersede: 'superseded',
  },
  submitted: { accept: 'completed', revise: 'revision', hold: 'blocked', fail: 'failed', cancel: 'cancelled' },
  blocked: { unblock: 'assigned', fail: 'failed', cancel: 'cancelled', supersede: 'superseded' },
  revision: {},
  completed: {},
  failed: { supersede: 'superseded' },
  cancelled: {},
  superseded: { takeback: 'in_progress' },
};

const everyTaskStep = (['none', ...TASK_STATUSES] as const).flatMap((from) =>
  TASK_EVENTS.map((event) => [from, event, EXPECTED[from][event]] as const),
);
describe('the task table', () => {
  test.each(everyTaskStep)('from %s, %s leads to %s', (from, event, to) => {
    expect(nextTaskStatus(from, event)).toBe(to);
    if (to === undefined) {
      expect(() => taskStep('t', from, event)).toThrow(`Invalid transition: ${from.toUpperCase()} + '${event}'`);
    } else expect(taskStep('t', from, event)).toBe(to);
  });

  test('holds one row for each step and no other', () => {
    const written = everyTaskStep.filter(([, , to]) => to !== undefined).map(([from, event]) => `${from} ${event}`);
    expect(TASK_TRANSITIONS.map(({ from, event }) => `${from} ${event}`).sort()).toEqual(written.sort());
  });

  test('ends a task in the states that admit no ack, submit, delegation or decision', () => {
    expect(TASK_STATUSES.filter(isTerminalTask)).toEqual([
      'blocked',
      'revision',
      'completed',
      'failed',
      'cancelled',
      'superseded',
    ]);
    for (const status of TASK_STATUSES.filter(isTerminalTask)) {
      for (const event of ['prepare', 'ack', 'progress', 'submit', 'accept', 'revise', 'hold'] as const) {
        expect(nextTaskStatus(status, event)).toBeUndefined();
      }
    }
  });

  test('shows every state as the marker of features.md §3.3', () => {
    expect(Object.fromEntries(TASK_STATUSES.map((status) => [status, markerFor(status)]))).toEqual({
      pending: 'pending',
      prepared: 'delegated',
      assigned: 'delegated',
      in_progress: 'delegated',
      submitted: 'delegated',
      blocked: 'blocked',
      revision: 'revision',
      completed: 'completed',
      failed: 'blocked',
      cancelled: 'cancelled',
      superseded: 'cancelled',
    });
  });
});

describe('ranks', () => {
  test('order the states so that ended beats submitted beats in progress beats assigned', () => {
    expect([...TASK_STATUSES].sort((a, b) => statusRank(a) - statusRank(b))).toEqual([
      'pending',
      'prepared',
      'assigned',
      'in_progress',
      'submitted',
      'blocked',
      'revision',
      'failed',
      'cancelled',
      'superseded',
      'completed',
    ]);
  });
});

describe('random commands', () => {
  test('only ever take legal steps, and what they reach is reachable', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...TASK_EVENTS), { maxLength: 40 }), (events) => {
        let state: TaskStatus | 'none' = 'none';
        for (const event of events) {
          const next = nextTaskStatus(state, event);
          expect(next).toBe(EXPECTED[state][event]);
          if (next === undefined) continue;
          if (state === 'none' || !isTerminalTask(state)) expect(isLegalPath(state, next)).toBe(true);
          state = next;
        }
      }),
    );
  });

  test('never let a worker revive what the leader has ended', () => {
    const alive = ['pending', 'prepared', 'assigned', 'in_progress', 'submitted'] as const;
    for (const from of TASK_STATUSES.filter(isTerminalTask)) {
      for (const to of alive) expect(isLegalPath(from, to)).toBe(false);
    }
  });

  test('let a worker jump from its assignment to a submission, and nowhere else', () => {
    const reached = TASK_STATUSES.filter((to) => isLegalPath('assigned', to, 'worker'));
    expect(reached).toEqual(['assigned', 'in_progress', 'submitted']);
    expect(isLegalPath('submitted', 'in_progress', 'worker')).toBe(false);
    expect(isLegalPath('pending', 'submitted', 'worker')).toBe(false);
    expect(isLegalPath('prepared', 'submitted', 'worker')).toBe(true);
  });
});
