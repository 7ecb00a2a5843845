import { describe, expect, test } from 'vitest';
import { replaceDag, replaceLoop } from '../../../src/protocol/plan/edit.ts';
import { importPlan } from '../../../src/protocol/plan/import.ts';
import { parsePlan } from '../../../src/protocol/plan/parse.ts';
import { present } from '../../support/present.ts';

describe('importPlan (protocol.md §16.3)', () => {
  test.each([
    ['planned', 'pending'],
    ['prepared', 'delegated'],
    ['assigned', 'delegated'],
    ['in_progress', 'delegated'],
    ['submitted', 'delegated'],
    ['completed', 'completed'],
    ['revision', 'revision'],
    ['blocked', 'blocked'],
    ['cancelled', 'cancelled'],
    ['whatever', 'pending'],
  ])('reads the status %s as %s', (status, expected) => {
    const meta = { tasks: [{ task_id: 'a', title: 'One', assigned_to: 'w', depends_on: ['b'], status }] };

    expect(importPlan(meta)).toEqual({
      nodes: [{ id: 'a', title: 'One', assignee: 'w', dependsOn: ['b'], status: expected }],
    });
  });

  test('reads camelCase, and makes up for what is missing', () => {
    const meta = {
      planType: 'dag',
      tasks: [
        { taskId: 'a', assignedTo: '-', status: 'cancelled', cancelReason: 'late' },
        { taskId: 'b', title: 'Two\nlines', dependsOn: ['a'], type: 'dev' },
      ],
    };

    expect(importPlan(meta)).toEqual({
      nodes: [
        { id: 'a', title: 'a', assignee: '', dependsOn: [], status: 'cancelled', cancelled: 'late' },
        { id: 'b', title: 'Two lines', assignee: '', dependsOn: ['a'], status: 'pending', type: 'dev' },
      ],
    });
  });

  test('leaves out what is no task and what comes twice', () => {
    const tasks = [
      null,
      1,
      'a',
      {},
      { task_id: '../x' },
      { task_id: 'a', title: 'One' },
      { task_id: 'a', title: 'Two' },
    ];

    expect(importPlan({ tasks })?.nodes.map(({ title }) => title)).toEqual(['One']);
  });

  test('reads a loop with its tasks and history', () => {
    const meta = {
      plan_type: 'loop',
      loop: {
        goal: 'g',
        stop_condition: 's',
        iteration_template: 't',
        max_iterations: 5,
        current_iteration: 2,
        status: 'waiting_user',
        tasks: [{ task_id: 'a', title: 'One', assigned_to: 'w', status: 'assigned' }],
        history: [
          { iteration: 1, decision: 'continue', summary: 'fine', next_action: 'more' },
          { iteration: 2, decision: 'ask_user', summary: 'stuck' },
          'by hand',
          7,
        ],
      },
    };

    const imported = present(importPlan(meta));

    expect(imported).toEqual({
      nodes: [{ id: 'a', title: 'One', assignee: 'w', dependsOn: [], status: 'delegated' }],
      loop: {
        goal: 'g',
        stopCondition: 's',
        iterationTemplate: 't',
        maxIterations: 5,
        currentIteration: 2,
        status: 'waiting_user',
        history: ['Iteration 1: continue — fine Next: more', 'Iteration 2: ask_user — stuck', 'by hand'],
      },
    });
    expect(parsePlan(replaceLoop('', present(imported.loop), imported.nodes)).loop).toEqual(imported.loop);
  });

  test('writes back as the plan that it read', () => {
    const meta = { tasks: [{ task_id: 'a', title: 'One', assigned_to: 'w', status: 'cancelled' }] };

    expect(replaceDag('', present(importPlan(meta)).nodes)).toBe(
      '## DAG Task Plan\n\n**Plan Type**: dag\n\n- [!] a — One (assigned: w, cancelled: unspecified)\n',
    );
  });

  test.each([
    undefined,
    null,
    'x',
    [],
    {},
    { tasks: [] },
    { tasks: 'a' },
    { tasks: {}, loop: null },
    { plan_type: 'dag', loop: {} },
    { loop: {} },
  ])('finds no plan in %j', (meta) => {
    expect(importPlan(meta)).toBeUndefined();
  });
});
