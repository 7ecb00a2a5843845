import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowError } from '../../../src/protocol/errors.ts';
import { replaceDag, replaceLoop, setLoopFields, setMarker } from '../../../src/protocol/plan/edit.ts';
import type { NodeContent } from '../../../src/protocol/plan/line.ts';
import { mergePlans } from '../../../src/protocol/plan/merge.ts';
import { parsePlan } from '../../../src/protocol/plan/parse.ts';
import type { NodeStatus, PlanNode } from '../../../src/protocol/plan-types.ts';
import { NODE_STATUSES, nodeId, nodeWith } from './arbitraries.ts';

const BASE = `# T

Some words.

## DAG Task Plan

**Plan Type**: dag

- [ ] a — One (assigned: w)
  - Spec: a/spec.md
- [ ] b — Two (assigned: w, depends: a)
- [ ] c — Three (assigned: v)

## Notes

First note.

Last note.
`;

const statuses = (text: string): Record<string, string> =>
  Object.fromEntries(parsePlan(text).nodes.map(({ id, status }) => [id, status]));

describe('mergePlans', () => {
  test('takes the side that changed when only one did, byte for byte', () => {
    const changed = `${BASE.replaceAll('\n', '\r\n')}tail`;

    expect(mergePlans(BASE, changed, BASE, 'remote')).toEqual({ text: changed, conflicts: [] });
    expect(mergePlans(BASE, BASE, changed, 'local')).toEqual({ text: changed, conflicts: [] });
    expect(mergePlans(BASE, changed, changed, 'local')).toEqual({ text: changed, conflicts: [] });
  });

  test('joins markers, titles, tasks and text of both sides', () => {
    const local = setMarker(BASE, 'a', 'completed').replace('Some words.', 'Other words.').replace('Three', 'Drei');
    const remote = setMarker(BASE, 'b', 'delegated')
      .replace('Last note.', 'Last note.\n\nOne more.')
      .replace('(assigned: v)\n', '(assigned: v)\n- [ ] d — Four (assigned: v)\n  - Spec: d/spec.md\n');

    expect(mergePlans(BASE, local, remote, 'local')).toEqual({
      text: `# T

Other words.

## DAG Task Plan

**Plan Type**: dag

- [x] a — One (assigned: w)
  - Spec: a/spec.md
- [~] b — Two (assigned: w, depends: a)
- [ ] c — Drei (assigned: v)
- [ ] d — Four (assigned: v)
  - Spec: d/spec.md

## Notes

First note.

Last note.

One more.
`,
      conflicts: [],
    });
  });

  test.each([
    ['pending', 'delegated', 'delegated'],
    ['delegated', 'completed', 'completed'],
    ['pending', 'blocked', 'blocked'],
    ['delegated', 'revision', 'revision'],
    ['blocked', 'completed', 'completed'],
    ['cancelled', 'delegated', 'cancelled'],
    ['cancelled', 'completed', 'completed'],
  ] as const)('of %s and %s keeps %s, whichever side is which', (one, other, winner) => {
    // No common ancestor: both sides made the node.
    const [left, right] = [setMarker(BASE, 'a', one), setMarker(BASE, 'a', other)];

    for (const leader of ['local', 'remote'] as const) {
      expect(statuses(mergePlans('', left, right, leader).text)['a']).toBe(winner);
      expect(statuses(mergePlans('', right, left, leader).text)['a']).toBe(winner);
    }
  });

  test('lets a marker that only one side touched stand, also when it went back', () => {
    const base = setMarker(BASE, 'a', 'delegated');

    expect(statuses(mergePlans(base, BASE, setMarker(base, 'b', 'delegated'), 'remote').text)).toEqual({
      a: 'pending',
      b: 'delegated',
      c: 'pending',
    });
  });

  test.each(['local', 'remote'] as const)(
    'takes title, assignee, type and dependencies of the leader (%s)',
    (leader) => {
      const local = BASE.replace('Two (assigned: w, depends: a)', 'Zwei (assigned: x, type: dev, depends: c)');
      const remote = setMarker(
        BASE.replace('Two (assigned: w, depends: a)', 'Deux (assigned: y, type: docs)'),
        'b',
        'delegated',
      );

      const { text, conflicts } = mergePlans(BASE, local, remote, leader);

      expect(parsePlan(text).nodes[1]).toEqual({
        ...parsePlan(leader === 'local' ? local : remote).nodes[1],
        status: 'delegated',
      });
      expect(conflicts).toEqual([]);
    },
  );

  test('keeps the reason of a cancellation', () => {
    const local = setMarker(BASE, 'a', 'cancelled', { cancelled: 'too late' });
    const remote = setMarker(BASE, 'a', 'delegated');

    expect(parsePlan(mergePlans(BASE, local, remote, 'remote').text).nodes[0]).toMatchObject({
      status: 'cancelled',
      cancelled: 'too-late',
    });
  });

  test('keeps a task removed that the leader removed, even if the other side moved it on', () => {
    const local = BASE.replace(/- \[ \] c.*\n/, '');
    const remote = setMarker(BASE, 'c', 'completed');

    expect(statuses(mergePlans(BASE, local, remote, 'local').text)).toEqual({ a: 'pending', b: 'pending' });
  });

  test('keeps a task that the other side removed only if the leader changed it', () => {
    const local = setMarker(BASE, 'c', 'delegated').replace('Some', 'More');
    const remote = BASE.replace(/- \[ \] b.*\n- \[ \] c.*\n/, '');

    expect(statuses(mergePlans(BASE, local, remote, 'local').text)).toEqual({ a: 'pending', c: 'delegated' });
  });

  test("keeps the leader's text where both changed a line, and says what is lost", () => {
    const local = BASE.replace('First note.', 'Note by one.');
    const remote = BASE.replace('First note.', 'Note by another.');

    expect(mergePlans(BASE, local, remote, 'remote')).toEqual({
      text: remote,
      conflicts: ['not in the merged plan: Note by one.'],
    });
  });

  test('keeps tasks that both sides added at the same place', () => {
    const add = (id: string) => BASE.replace('(assigned: v)\n', `(assigned: v)\n- [ ] ${id} — New (assigned: v)\n`);

    const { text, conflicts } = mergePlans(BASE, add('d'), add('e'), 'local');

    expect(parsePlan(text).nodes.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'e', 'd']);
    expect(conflicts).toEqual([]);
  });

  test('keeps tasks that one side added to a list that the other emptied', () => {
    const emptied = replaceDag(BASE, []);
    const added = BASE.replace('(assigned: v)\n', '(assigned: v)\n- [ ] d — New (assigned: v)\n');

    expect(statuses(mergePlans(BASE, emptied, added, 'local').text)).toEqual({ d: 'pending' });
    expect(statuses(mergePlans('', '# T\n', BASE, 'local').text)).toEqual({ a: 'pending', b: 'pending', c: 'pending' });
  });

  test('follows the leader into a loop', () => {
    const loop = replaceLoop(
      BASE,
      {
        goal: 'g',
        stopCondition: 's',
        iterationTemplate: 't',
        maxIterations: 3,
        currentIteration: 1,
        status: 'running',
        history: [],
      },
      [{ id: 'a', title: 'One', assignee: 'w', dependsOn: [] }],
    );

    const { text } = mergePlans(BASE, setMarker(BASE, 'a', 'delegated'), loop, 'remote');

    expect(parsePlan(text)).toEqual({
      ...parsePlan(loop),
      nodes: [{ ...parsePlan(loop).nodes[0], status: 'delegated' }],
    });
  });

  test('joins what both sides recorded of a loop', () => {
    const loop = {
      goal: 'g',
      stopCondition: 's',
      iterationTemplate: 't',
      maxIterations: 5,
      currentIteration: 1,
    } as const;
    const base = replaceLoop('# T\n\n## Notes\n', { ...loop, status: 'running', history: ['one'] }, []);
    const local = setLoopFields(base, { currentIteration: 3, history: ['one', 'three'] });
    const remote = setLoopFields(base, {
      currentIteration: 2,
      status: 'waiting_user',
      history: ['one', 'two'],
    }).replace('**Goal**: g', '**Goal**: h');

    expect(mergePlans(base, local, remote, 'remote')).toEqual({
      text: remote.replace('2 / 5', '3 / 5').replace('- two\n', '- two\n- three\n'),
      conflicts: [],
    });
  });

  test('says when both sides gave a loop another goal', () => {
    const text = (goal: string) => `## Loop Plan\n\n**Plan Type**: loop\n**Goal**: ${goal}\n\n## Current Iteration\n`;

    expect(mergePlans(text('a'), text('b'), text('c'), 'local')).toEqual({
      text: text('b'),
      conflicts: ["Goal differs; the leader's side is kept"],
    });
  });

  test('keeps all tasks when the texts merge into a fence that would hide them', () => {
    const local = BASE.replace('Some words.', '```\nx\n```\n\nSome words.');
    const remote = BASE.replace('Some words.\n', 'Some words.\n\n```\n').replace('- [ ] a', '```\n\n- [ ] a');

    const { text } = mergePlans(BASE, local, remote, 'local');

    expect(statuses(text)).toEqual({ a: 'pending', b: 'pending', c: 'pending' });
  });

  test("gives up on texts too repetitive to compare, for the leader's", () => {
    const many = (word: string) => `# T\n${`${word}\nx\n`.repeat(3000)}${BASE}`;
    const [local, remote] = [setMarker(many('b'), 'a', 'delegated'), setMarker(many('c'), 'b', 'delegated')];

    const { text, conflicts } = mergePlans(many('a'), local, remote, 'local');

    expect(text).toBe(setMarker(local, 'b', 'delegated'));
    expect(conflicts).toEqual(['not in the merged plan: c']);
  });

  test.each(['local', 'remote'] as const)(
    'keeps the sound side when the other leaves a comment open (%s)',
    (leader) => {
      const sound = setMarker(BASE, 'a', 'completed');
      const damaged = `<!--\n${setMarker(BASE, 'b', 'delegated')}`;
      const conflicts = ['a side hides tasks behind code or a comment that is left open; nothing of it is merged'];

      expect(mergePlans(BASE, sound, damaged, leader)).toEqual({ text: sound, conflicts });
      expect(mergePlans(BASE, damaged, sound, leader)).toEqual({ text: sound, conflicts });
    },
  );

  test('does not touch texts that are too large to be read', () => {
    const large = 'x'.repeat(5_000_000);

    expect(mergePlans('', large, BASE, 'remote')).toEqual({
      text: BASE,
      conflicts: ["a side is too large to be merged; the leader's is kept"],
    });
  });
});

/** What a side does to a plan. */
type Step =
  | { readonly kind: 'mark'; readonly at: number; readonly status: NodeContent['status'] }
  | { readonly kind: 'remove'; readonly at: number }
  | { readonly kind: 'add'; readonly node: NodeContent; readonly at: number }
  | { readonly kind: 'retitle'; readonly at: number; readonly title: string }
  | { readonly kind: 'write'; readonly at: number; readonly line: string };

const ORDER: readonly NodeStatus[] = ['pending', 'delegated', 'blocked', 'revision', 'cancelled', 'completed'];

function expectedStatus(start: NodeStatus, ours: NodeStatus, theirs: NodeStatus, common: boolean): NodeStatus {
  if (common && ours === start) return theirs;
  if (common && theirs === start) return ours;
  return ORDER.indexOf(ours) > ORDER.indexOf(theirs) ? ours : theirs;
}

/** A re-plan that would hide tasks is refused, and leaves the text as it is. */
function replan(text: string, nodes: Parameters<typeof replaceDag>[1]): string {
  try {
    return replaceDag(text, nodes);
  } catch (error) {
    if (error instanceof FlowError) return text;
    throw error;
  }
}

const byId = (text: string): ReadonlyMap<string, PlanNode> =>
  new Map(parsePlan(text).nodes.map((node) => [node.id, node]));

/** What is hidden by accident is not removed; such sides have a test of their own. */
const isSound = (text: string): boolean => !parsePlan(text).diagnostics.some(({ rule }) => rule === 'plan-unclosed');

function play(text: string, steps: readonly Step[], prefix: string): string {
  return steps.reduce((current, step): string => {
    const { nodes } = parsePlan(current);
    const chosen = nodes[step.at % Math.max(nodes.length, 1)];
    switch (step.kind) {
      case 'mark':
        return chosen === undefined ? current : setMarker(current, chosen.id, step.status, { cancelled: 'why' });
      case 'remove':
        return replan(
          current,
          nodes.filter((node) => node !== chosen),
        );
      case 'add': {
        const id = `${prefix}${step.node.id}`;
        const others = nodes.filter((node) => node.id.toLowerCase() !== id.toLowerCase());
        return replan(current, others.toSpliced(step.at % (others.length + 1), 0, { ...step.node, id, line: 0 }));
      }
      case 'retitle':
        return replan(
          current,
          nodes.map((node) => (node === chosen ? { ...node, title: step.title } : node)),
        );
      case 'write': {
        const lines = current.split('\n');
        return lines.toSpliced(step.at % lines.length, 0, step.line).join('\n');
      }
      default:
        return step satisfies never;
    }
  }, text);
}

const at = fc.nat(60);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('mark'), at, status: fc.constantFrom(...NODE_STATUSES) } as const),
  fc.record({ kind: fc.constant('remove'), at } as const),
  fc.record({ kind: fc.constant('add'), at, node: nodeWith(nodeId, []) } as const),
  fc.record({ kind: fc.constant('retitle'), at, title: fc.constantFrom('Uno', 'Dos (2)', 'Tres') } as const),
  fc.record({
    kind: fc.constant('write'),
    at,
    line: fc.constantFrom('text', '', '  - sub', '```', '<!--', '-->', '### P'),
  } as const),
);
const steps = fc.array(step, { maxLength: 5 });

describe('mergePlans, over random edits of both sides', () => {
  test('keeps what was added, keeps removed what the leader removed, and no marker falls behind', () => {
    fc.assert(
      fc.property(steps, steps, steps, fc.constantFrom('local', 'remote'), (first, one, two, leaderSide) => {
        const base = play(BASE, first, 'x');
        const local = play(base, one, 'l');
        const remote = play(base, two, 'r');
        const [before, leader, other] =
          leaderSide === 'local' ? [base, local, remote].map(byId) : [base, remote, local].map(byId);
        if (before === undefined || leader === undefined || other === undefined) throw new Error('three texts');
        fc.pre([local, remote].every(isSound));
        const { text } = mergePlans(base, local, remote, leaderSide);

        const merged = byId(text);
        expect(text).not.toMatch(/^(?:<{7}|={7}|>{7})/m);
        const added = [...leader.keys(), ...other.keys()].filter((id) => !before.has(id));
        const removed = [...before.keys()].filter((id) => !leader.has(id));
        expect(added.filter((id) => !merged.has(id))).toEqual([]);
        expect(removed.filter((id) => merged.has(id))).toEqual([]);
        for (const [id, node] of merged) {
          const [ours, theirs] = [leader.get(id) ?? node, other.get(id) ?? leader.get(id) ?? node];
          const start = before.get(id) ?? ours;
          expect(node.title).toBe(ours.title === start.title ? theirs.title : ours.title);
          expect(node.status).toBe(expectedStatus(start.status, ours.status, theirs.status, before.has(id)));
        }
      }),
      { numRuns: 150 },
    );
  });

  test('says the same whichever side is called local, and nothing new when merged again', () => {
    fc.assert(
      fc.property(steps, steps, (ours, theirs) => {
        const [local, remote] = [play(BASE, ours, 'l'), play(BASE, theirs, 'r')];
        fc.pre([local, remote].every(isSound));

        const { text } = mergePlans(BASE, local, remote, 'local');

        expect(mergePlans(BASE, remote, local, 'remote').text).toBe(text);
        expect(statuses(mergePlans(BASE, local, remote, 'remote').text)).toEqual(
          expect.objectContaining(
            Object.fromEntries(
              Object.entries(statuses(text)).filter(
                ([id]) => statuses(local)[id] !== undefined && statuses(remote)[id] !== undefined,
              ),
            ),
          ),
        );
        expect(mergePlans(remote, text, remote, 'local').text).toBe(text);
      }),
      { numRuns: 100 },
    );
  });
});
