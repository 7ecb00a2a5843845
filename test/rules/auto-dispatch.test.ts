import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newAgent } from '../../src/protocol/records/agent.ts';
import type { AgentRecord } from '../../src/protocol/records/types.ts';
import { planDispatches } from '../../src/rules/auto-dispatch.ts';
import type { DispatchPlan, WaitingNode } from '../../src/rules/auto-dispatch.ts';
import type { Pool } from '../../src/rules/selection.ts';

const agent = (id: string, more: Partial<AgentRecord> = {}): AgentRecord => ({
  ...newAgent({ id, role: 'worker' }),
  ...more,
});
const CLAUDE = agent('claude-code', { capabilities: ['docs'], preferred_types: ['dev'], max_concurrent: 3 });
const EVA = agent('eva', { capabilities: ['test', 'docs'], preferred_types: ['test', 'validate'], fallback: true });

const pool = (agents: readonly AgentRecord[], loads: Readonly<Record<string, number>> = {}): Pool => ({
  agents,
  loads: new Map(Object.entries(loads)),
  order: [],
});

let position = 0;
const node = (taskId: string, more: Partial<WaitingNode> = {}): WaitingNode => ({
  projectId: 'p',
  taskId,
  state: 'pending',
  open: [],
  owner: '',
  priority: 'P2',
  since: '2026-09-01T10:00:00Z',
  position: (position += 1),
  capabilities: [],
  ...more,
});

const told = ({ dispatches, skipped }: DispatchPlan<WaitingNode>) => [
  ...dispatches.map((one) => `${one.node.taskId} > ${one.agent} by ${one.by}`),
  ...skipped.map((one) => `${one.node.taskId} - ${one.reason}: ${one.detail}`),
];

describe('what is given out', () => {
  test('is urgent first, then old, then as planned, until agents are full', () => {
    const nodes = [
      node('late', { since: '2026-09-02T10:00:00Z' }),
      node('second'),
      node('third'),
      node('urgent', { priority: 'P0', since: '2026-09-03T10:00:00Z' }),
    ];
    expect(told(planDispatches(nodes, pool([agent('ana', { max_concurrent: 2 })]), []))).toEqual([
      'urgent > ana by score',
      'second > ana by score',
      'third - capacity: Agent at capacity: ana (2/2)',
      'late - capacity: Agent at capacity: ana (2/2)',
    ]);
  });

  test('waits for an able agent that is full, rather than go to the fallback', () => {
    const nodes = [
      node('dev', { type: 'dev' }),
      node('misc', { type: 'misc' }),
      node('test', { type: 'test' }),
      node('docs', { type: 'docs' }),
    ];
    expect(told(planDispatches(nodes, pool([CLAUDE, EVA], { 'claude-code': 3 }), []))).toEqual([
      'misc > eva by fallback',
      'dev - capacity: Agent at capacity: claude-code (3/3)',
      'test - capacity: Agent at capacity: eva (1/1)',
      'docs - capacity: Agent at capacity: claude-code (3/3), eva (1/1)',
    ]);
  });

  test('goes to its owner and to nobody else', () => {
    const nodes = [
      node('own', { owner: 'Eva', type: 'dev' }),
      node('full', { owner: 'eva' }),
      node('away', { owner: 'off' }),
      node('gone', { owner: 'zoe' }),
    ];
    expect(told(planDispatches(nodes, pool([CLAUDE, EVA, agent('off', { status: 'OFFLINE' })]), []))).toEqual([
      'own > eva by order',
      'full - capacity: Agent at capacity: eva (1/1)',
      'away - no agent: off is offline',
      'gone - no agent: Agent not found: zoe',
    ]);
  });

  test('checks no names while no Worker is registered, and gives a stranger one thing at a time', () => {
    const nodes = [node('a', { owner: 'gemini' }), node('b', { owner: 'gemini' }), node('c')];
    expect(told(planDispatches(nodes, pool([]), []))).toEqual([
      'a > gemini by order',
      'b - capacity: Agent at capacity: gemini (1/1)',
      'c - no agent: no agent is free',
    ]);
  });

  test('is not what waits, was given out, or a guard says no to', () => {
    const nodes = [
      node('open', { open: ['a', 'b'] }),
      node('done', { state: 'completed', open: ['a'] }),
      node('odd', { capabilities: ['cobol'], type: 'dev' }),
      node('risky'),
      node('fine'),
    ];
    const guard = ({ taskId }: WaitingNode, name: string) => (taskId === 'risky' ? `not to ${name}` : undefined);
    expect(told(planDispatches(nodes, pool([CLAUDE]), [() => undefined, guard]))).toEqual([
      'fine > claude-code by score',
      'open - deps: Dependency not DONE: a, b',
      'done - not pending: it is completed',
      'odd - no agent: no agent is free and fit (type dev; able to cobol)',
      'risky - guard: not to claude-code',
    ]);
  });
});

const nodes = fc
  .array(
    fc.record({
      state: fc.constantFrom('pending', 'pending', 'assigned'),
      open: fc.constantFrom<readonly string[]>([], [], ['x']),
      owner: fc.constantFrom('', '', 'a0', 'zoe'),
      priority: fc.constantFrom('P0' as const, 'P2' as const, 'P3' as const),
      since: fc.constantFrom('2026-09-01T10:00:00Z', '2026-09-02T10:00:00Z'),
      type: fc.constantFrom(undefined, 'dev', 'misc'),
      capabilities: fc.constantFrom<readonly string[]>([], ['go']),
    }),
    { maxLength: 12 },
  )
  .map((all) =>
    all.map((one, index): WaitingNode => ({ projectId: 'p', taskId: `t${index}`, position: index, ...one })),
  );
const pools = fc
  .array(
    fc.record({
      max_concurrent: fc.integer({ min: 1, max: 3 }),
      fallback: fc.boolean(),
      capabilities: fc.constantFrom<string[]>([], ['go'], ['dev']),
      load: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 4 },
  )
  .map((all) =>
    pool(
      all.map(({ load: _load, ...more }, index) => agent(`a${index}`, more)),
      Object.fromEntries(all.map(({ load }, index) => [`a${index}`, load])),
    ),
  );

describe('whatever waits for whomever', () => {
  test('every node is given out or skipped with a reason, once, and nobody gets more than fits', () => {
    fc.assert(
      fc.property(nodes, pools, (waiting, from) => {
        const { dispatches, skipped } = planDispatches(waiting, from, []);
        const ids = [...dispatches, ...skipped].map((one) => one.node.taskId);
        expect(ids.toSorted()).toEqual(waiting.map(({ taskId }) => taskId).toSorted());
        expect(skipped.every(({ detail }) => detail !== '')).toBe(true);
        expect(dispatches.every(({ node: { state, open } }) => state === 'pending' && open.length === 0)).toBe(true);
        for (const { agent_id: id, max_concurrent: max } of from.agents) {
          const before = from.loads.get(id) ?? 0;
          const given = dispatches.filter((one) => one.agent === id).length;
          expect(before + given).toBeLessThanOrEqual(Math.max(before, max));
        }
      }),
    );
  });

  test('the order in which nodes are listed does not matter', () => {
    fc.assert(
      fc.property(nodes, pools, (waiting, from) => {
        expect(planDispatches(waiting.toReversed(), from, [])).toEqual(planDispatches(waiting, from, []));
      }),
    );
  });
});
