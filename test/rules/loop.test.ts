import { describe, expect, test } from 'vitest';
import type { Loop, Plan } from '../../src/protocol/plan-types.ts';
import { readyLoopNodes, recordIteration } from '../../src/rules/loop.ts';

const loop: Loop = {
  goal: 'polish',
  stopCondition: 'nothing left',
  iterationTemplate: 'look again',
  maxIterations: 3,
  currentIteration: 1,
  status: 'evaluating',
  history: ['Iteration 1: continue — one'],
};

const record = (iteration: number, decision: string) => ({ iteration, decision, summary: 'two' });

describe('recording an iteration', () => {
  test.each([
    ['continue', 'running'],
    ['replan', 'running'],
    ['ask_user', 'waiting_user'],
    ['stop_success', 'completed'],
    ['stop_blocked', 'blocked'],
  ] as const)('%s leaves the loop %s', (decision, status) => {
    expect(recordIteration(loop, record(2, decision))).toEqual({
      loop: { ...loop, currentIteration: 2, status, history: [...loop.history, `Iteration 2: ${decision} — two`] },
      reused: false,
    });
  });

  test('writes one line, with the next action at its end', () => {
    const { loop: next } = recordIteration(loop, {
      iteration: 2,
      decision: 'replan',
      summary: ' two\n  lines ',
      nextAction: 'split\tit',
    });
    expect(next.history.at(-1)).toBe('Iteration 2: replan — two lines Next: split it');
  });

  test('never goes back to an earlier iteration', () => {
    expect(recordIteration({ ...loop, currentIteration: 3 }, record(2, 'replan')).loop.currentIteration).toBe(3);
  });

  test('takes the exact repetition of the last entry as done already', () => {
    const first = recordIteration(loop, record(2, 'stop_success'));
    expect(recordIteration(first.loop, record(2, 'stop_success'))).toEqual({ loop: first.loop, reused: true });
  });

  test('warns when the last iteration is to be continued', () => {
    expect(recordIteration(loop, record(3, 'continue')).warning).toBe(
      'iteration 3 is the last of 3: there is none to go on to',
    );
  });

  test.each([
    [record(0, 'continue'), 'iteration must be greater than zero'],
    [record(4, 'continue'), 'iteration cannot exceed maxIterations'],
    [record(1, 'constructor'), 'invalid loop decision: constructor'],
    [record(1, ''), 'invalid loop decision: '],
  ])('refuses %j', (bad, message) => {
    expect(() => recordIteration(loop, bad)).toThrow(expect.objectContaining({ code: 'invalid-argument', message }));
  });
});

const plan = (status: Loop['status']): Plan => ({
  kind: 'loop',
  nodes: [{ id: 'a', title: 'A', assignee: 'w', dependsOn: [], status: 'pending', line: 1 }],
  loop: { ...loop, status },
  diagnostics: [],
});

describe('ready loop nodes', () => {
  test.each(['running', 'waiting_results', 'evaluating'] as const)('are offered while the loop is %s', (status) => {
    expect(readyLoopNodes(plan(status), { status: 'active' }).map(({ id }) => id)).toEqual(['a']);
  });

  test.each(['completed', 'blocked', 'waiting_user'] as const)('are none while the loop is %s', (status) => {
    expect(readyLoopNodes(plan(status), { status: 'active' })).toEqual([]);
  });

  test('are none in a DAG', () => {
    const { loop: _, ...rest } = plan('running');
    expect(readyLoopNodes({ ...rest, kind: 'dag' }, { status: 'active' })).toEqual([]);
  });
});
