import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowError } from '../../../src/protocol/errors.ts';
import { appendNode, setLoopFields, setMarker } from '../../../src/protocol/plan/edit.ts';
import { parsePlan } from '../../../src/protocol/plan/parse.ts';
import { renderNodeLine } from '../../../src/protocol/plan/render.ts';
import { present } from '../../support/present.ts';
import { NODE_STATUSES, nodes } from './arbitraries.ts';

/** What people write between tasks. */
const noise = fc.constantFrom(
  '',
  'Prose with 日本語, 👩‍👩‍👧 and a [link](x).',
  '```\n- [ ] in-fence — x (assigned: w)\n```',
  '~~~ js\n```\n- [ ] in-fence — y\n~~~',
  '<!--\n- [ ] in-comment — x\n-->',
  '> - [ ] quoted — x',
  '### A phase',
  '  - Spec: shared/tasks/x/spec.md',
  '* [ ] star — x',
  '\ttab',
  'trailing spaces   ',
);

describe('setMarker', () => {
  test('changes one line, to its canonical form at its indentation, and no other byte', () => {
    const text =
      '\uFEFF# T \r\n\r\n## DAG Task Plan\n\t- [ ] a - One   (depends: b; Assigned:w)\r\n  - Spec: x  \n- [X] b — Two\n';

    expect(setMarker(text, 'a', 'delegated')).toBe(
      text.replace('- [ ] a - One   (depends: b; Assigned:w)', '- [~] a — One (assigned: w, depends: b)'),
    );
  });

  test('writes the reason of a cancellation as a slug and takes it away again', () => {
    const cancelled = setMarker('- [~] a — One (assigned: w)\n', 'a', 'cancelled', { cancelled: 'No longer needed' });

    expect(cancelled).toBe('- [!] a — One (assigned: w, cancelled: no-longer-needed)\n');
    expect(setMarker(cancelled, 'a', 'cancelled')).toBe(cancelled);
    expect(setMarker(cancelled, 'a', 'pending')).toBe('- [ ] a — One (assigned: w)\n');
  });

  test('can name the one who got the task', () => {
    expect(setMarker('- [ ] a — One (assigned: -)', 'a', 'delegated', { assignee: 'bo' })).toBe(
      '- [~] a — One (assigned: bo)',
    );
  });

  test('changes the first of two tasks with one id', () => {
    expect(setMarker('- [ ] a — One (assigned: w)\n- [ ] a — Two\n', 'a', 'completed')).toBe(
      '- [x] a — One (assigned: w)\n- [ ] a — Two\n',
    );
  });

  test('refuses a task that is not in the plan', () => {
    expect(() => setMarker('```\n- [ ] a — One\n```\n', 'a', 'completed')).toThrow(
      expect.objectContaining({ code: 'not-found', message: 'task not found in project plan: a' }),
    );
  });

  test('moves one marker and nothing else, in documents of every kind', () => {
    const scene = nodes
      .filter((list) => list.length > 0)
      .chain((list) =>
        fc.record({
          list: fc.constant(list),
          chosen: fc.integer({ min: 0, max: list.length - 1 }),
          status: fc.constantFrom(...NODE_STATUSES),
          indents: fc.array(fc.constantFrom('', '  ', '    ', '\t'), {
            minLength: list.length,
            maxLength: list.length,
          }),
          between: fc.array(fc.array(noise, { maxLength: 3 }), {
            minLength: list.length + 1,
            maxLength: list.length + 1,
          }),
          eol: fc.constantFrom('\n', '\r\n'),
          heading: fc.boolean(),
        }),
      );
    fc.assert(
      fc.property(scene, ({ list, chosen, status, indents, between, eol, heading }) => {
        const lines = list.flatMap((node, at) => [
          ...(between[at] ?? []).flatMap((part) => part.split('\n')),
          // A blank line ends any paragraph or quote before the task, which is its own block then.
          '',
          `${indents[at] ?? ''}${renderNodeLine(node)}`,
        ]);
        const all = [...(heading ? ['# T', '', '## DAG Task Plan'] : []), ...lines, ...(between.at(-1) ?? [])];
        const text = all.join(eol);
        const before = parsePlan(text);
        const node = present(list[chosen]);
        expect(before.nodes.map(({ id }) => id)).toEqual(list.map(({ id }) => id));

        const after = setMarker(text, node.id, status, { cancelled: 'why' });

        const changed = after.split('\n').flatMap((line, at) => (line === text.split('\n')[at] ? [] : [at + 1]));
        const line = present(before.nodes[chosen]).line;
        expect(after.split('\n')).toHaveLength(text.split('\n').length);
        expect(changed.filter((at) => at !== line)).toEqual([]);
        expect(parsePlan(after).nodes.map((found) => found.status)).toEqual(
          before.nodes.map((found, at) => (at === chosen ? status : found.status)),
        );
        expect(
          parsePlan(after).nodes.map(({ title, assignee, dependsOn }) => ({ title, assignee, dependsOn })),
        ).toEqual(before.nodes.map(({ title, assignee, dependsOn }) => ({ title, assignee, dependsOn })));
      }),
      { numRuns: 400 },
    );
  });
});

const LOOP = `# T

## Loop Plan

**Plan Type**: loop
**Loop Status**: running
**Iteration**: 1 / 3
**Goal**: g

## Iteration Template

do it

## Current Iteration

- [ ] a — One

## Iteration History

- Iteration 1: continue — ok

## Notes

- mine
`;

describe('appendNode', () => {
  const more = { id: 'new', title: 'More (v2)', assignee: '', dependsOn: ['a'], type: 'dev' };
  const line = '- [ ] new — More (v2) (assigned: -, type: dev, depends: a)';

  test.each([
    ['behind the last task', '## DAG Task Plan\n\n- [x] a — A (assigned: w)\n\n## Notes\n', '(assigned: w)\n', ''],
    ['below the fields of an empty plan', '## DAG Task Plan\n\n**Plan Type**: dag\n', 'dag\n', '\n'],
    ['below what hangs on the last task', '- [ ] a — A (assigned: w)\n  - Spec: x\n', 'x\n', '\n'],
    ['in the current iteration', '**Plan Type**: loop\n## Loop Plan\n## Current Iteration\n\nNow:\n', 'Now:\n', '\n'],
  ])('puts a task %s, and changes no other byte', (_, text, behind, gap) => {
    const at = text.indexOf(behind) + behind.length;
    expect(appendNode(text, more)).toBe(`${text.slice(0, at)}${gap}${line}\n${text.slice(at)}`);
  });

  test('keeps what the plan says, whatever stands in it', () => {
    fc.assert(
      fc.property(nodes, fc.array(noise, { maxLength: 3 }), (list, between) => {
        const text = ['# T', '', '## DAG Task Plan', '', ...list.map(renderNodeLine), '', ...between].join('\n');
        const before = parsePlan(text).nodes;
        const after = parsePlan(appendNode(text, { ...more, id: 'brand-new-id' })).nodes;
        expect(after.slice(0, -1)).toEqual(before);
        expect(after.at(-1)).toMatchObject({ ...more, id: 'brand-new-id', status: 'pending' });
      }),
    );
  });

  test('writes nothing where the task would not be seen', () => {
    expect(() => appendNode('## DAG Task Plan\n\n- [ ] a — A (assigned: w)\n\n```\nopen\n', more)).toThrow(
      'plan.md would hide tasks: new',
    );
  });
});

describe('setLoopFields', () => {
  test('changes status and iteration in place', () => {
    expect(setLoopFields(LOOP, { status: 'waiting_user', currentIteration: 2 })).toBe(
      LOOP.replace('running', 'waiting_user').replace('1 / 3', '2 / 3'),
    );
  });

  test('puts a new entry below the last one', () => {
    const history = ['Iteration 1: continue — ok', 'Iteration 2: stop_success — done\nwell'];

    const text = setLoopFields(LOOP, { history });

    expect(text).toBe(LOOP.replace('continue — ok\n', 'continue — ok\n- Iteration 2: stop_success — done well\n'));
    expect(parsePlan(text).loop?.history).toEqual([
      'Iteration 1: continue — ok',
      'Iteration 2: stop_success — done well',
    ]);
  });

  test('replaces a history that is another one', () => {
    const two = setLoopFields(LOOP, { history: ['x', 'y', 'z'] });

    expect(two).toBe(LOOP.replace('- Iteration 1: continue — ok\n', '- x\n- y\n- z\n'));
    expect(setLoopFields(two, { history: ['y'] })).toBe(LOOP.replace('- Iteration 1: continue — ok\n', '- y\n'));
  });

  test('adds what is missing', () => {
    const bare = '## Loop Plan\n\n**Plan Type**: loop';

    const text = setLoopFields(bare, { status: 'blocked', currentIteration: 1, history: ['x'] });

    expect(text).toBe(
      '## Loop Plan\n\n**Plan Type**: loop\n**Loop Status**: blocked\n**Iteration**: 1 / 1\n\n## Iteration History\n\n- x',
    );
  });

  test.each(['', '\n', '\n\n'])('opens an empty history section in front of another (%j)', (gap) => {
    const text = `## Loop Plan\n**Plan Type**: loop\n\n## Iteration History\n${gap}## Notes\n`;

    expect(setLoopFields(text, { history: ['x'] })).toBe(
      '## Loop Plan\n**Plan Type**: loop\n\n## Iteration History\n\n- x\n\n## Notes\n',
    );
  });

  test('opens an empty history section', () => {
    expect(setLoopFields('## Loop Plan\n**Plan Type**: loop\n\n## Iteration History\n', { history: ['x'] })).toBe(
      '## Loop Plan\n**Plan Type**: loop\n\n## Iteration History\n\n- x\n',
    );
  });

  test('changes nothing when nothing is new', () => {
    const { status, currentIteration, history } = present(parsePlan(LOOP).loop);

    expect(setLoopFields(LOOP, { status, currentIteration, history })).toBe(LOOP);
    expect(setLoopFields(LOOP, {})).toBe(LOOP);
  });

  test('refuses a plan that is no loop', () => {
    expect(() => setLoopFields('## DAG Task Plan\n', { status: 'running' })).toThrow(FlowError);
    expect(() => setLoopFields('## DAG Task Plan\n', { status: 'running' })).toThrow('project has no loop plan');
  });
});
