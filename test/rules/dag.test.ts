import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NodeStatus, Plan, PlanNode } from '../../src/protocol/plan-types.ts';
import { blockers, isTerminalNode, readyNodes, validateGraph } from '../../src/rules/dag.ts';

const graph = (edges: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(edges).map(([id, dependsOn]) => ({ id, dependsOn }));

const planOf = (nodes: readonly Pick<PlanNode, 'id' | 'dependsOn' | 'status'>[]): Plan => ({
  kind: 'dag',
  nodes: nodes.map((node, index) => ({ title: node.id, assignee: 'w', line: index + 1, ...node })),
  diagnostics: [],
});

describe('validating a graph', () => {
  test('accepts a diamond', () => {
    expect(() => validateGraph(graph({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] }))).not.toThrow();
  });

  test.each([
    ['an unsafe id', graph({ 'a/b': [] }), 'invalid id: taskId must be a safe id: a/b'],
    ['a repeated id', [...graph({ a: [] }), ...graph({ a: [] })], 'duplicate task id: a'],
    ['ids that differ only by case', graph({ ab: [], aB: [] }), 'duplicate task id: ab and aB differ only by case'],
    ['unknown dependencies', graph({ a: ['x', 'y'] }), 'task a depends on unknown task: x, y'],
    ['a cycle', graph({ s: ['a'], a: ['b'], b: ['c'], c: ['a'] }), 'cycle in task graph: a -> b -> c -> a'],
    ['a task that waits for itself', graph({ a: ['a'] }), 'cycle in task graph: a -> a'],
  ])('refuses %s', (_, nodes, message) => {
    expect(() => validateGraph(nodes)).toThrow(expect.objectContaining({ code: 'invalid-argument', message }));
  });

  test('names duplicates before unknown dependencies, and those before cycles', () => {
    expect(() => validateGraph([...graph({ a: ['x'] }), ...graph({ a: [] })])).toThrow('duplicate task id');
    expect(() => validateGraph(graph({ a: ['a'], b: ['x'] }))).toThrow('depends on unknown task');
  });

  test('walks a chain of many thousand tasks', () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => ({
      id: `t${index}`,
      dependsOn: index === 0 ? [] : [`t${index - 1}`],
    }));
    expect(() => validateGraph(chain)).not.toThrow();
    expect(() => validateGraph([...chain.slice(1), { id: 't0', dependsOn: ['t19999'] }])).toThrow(
      'cycle in task graph',
    );
  });

  test('accepts every graph whose edges point backwards, and refuses it once an edge closes a circle', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat()), { minLength: 2, maxLength: 30 }), (rows) => {
        const nodes = rows.map((targets, index) => ({
          id: `t${index}`,
          dependsOn:
            index === 0 ? [] : [...new Set([0, ...targets.map((target) => target % index)])].map((n) => `t${n}`),
        }));
        validateGraph(nodes);
        const closed = nodes.map((node, index) =>
          index === 0 ? { ...node, dependsOn: [`t${nodes.length - 1}`] } : node,
        );
        expect(() => validateGraph(closed)).toThrow('cycle in task graph');
      }),
    );
  });
});

const STATUSES: readonly NodeStatus[] = ['pending', 'delegated', 'completed', 'blocked', 'revision', 'cancelled'];

describe('ready nodes', () => {
  test('are pending nodes whose dependencies are all accepted, in plan order', () => {
    const plan = planOf([
      { id: 'c', dependsOn: ['a'], status: 'pending' },
      { id: 'a', dependsOn: [], status: 'completed' },
      { id: 'b', dependsOn: [], status: 'pending' },
      { id: 'd', dependsOn: ['b'], status: 'pending' },
      { id: 'e', dependsOn: ['gone'], status: 'pending' },
    ]);
    expect(readyNodes(plan, { status: 'active' }).map(({ id }) => id)).toEqual(['c', 'b']);
    expect(blockers(plan, 'd')).toEqual(['b']);
    expect(blockers(plan, 'e')).toEqual(['gone']);
    expect(blockers(plan, 'nobody')).toEqual([]);
  });

  test.each(['paused', 'completed', 'failed', 'rejected', 'blocked', 'planning'] as const)(
    'are none in a project that is %s',
    (status) => {
      expect(readyNodes(planOf([{ id: 'a', dependsOn: [], status: 'pending' }]), { status })).toEqual([]);
    },
  );

  test('are never offered before their dependencies are accepted', () => {
    const node = fc.record({ status: fc.constantFrom(...STATUSES), targets: fc.array(fc.nat(20)) });
    fc.assert(
      fc.property(fc.array(node, { maxLength: 20 }), (rows) => {
        const plan = planOf(
          rows.map(({ status, targets }, index) => ({
            id: `t${index}`,
            status,
            dependsOn: targets.map((n) => `t${n}`),
          })),
        );
        const statusOf = (id: string) => plan.nodes.find((candidate) => candidate.id === id)?.status;
        const ready = readyNodes(plan, { status: 'active' });
        for (const candidate of plan.nodes) {
          const free = candidate.dependsOn.every((id) => statusOf(id) === 'completed');
          expect(ready.includes(candidate)).toBe(candidate.status === 'pending' && free);
          expect(blockers(plan, candidate.id).length === 0).toBe(free);
        }
      }),
    );
  });

  test('are never those that have ended', () => {
    expect(STATUSES.filter(isTerminalNode)).toEqual(['completed', 'blocked', 'revision', 'cancelled']);
  });
});
