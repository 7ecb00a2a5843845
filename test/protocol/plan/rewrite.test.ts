import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replaceDag, replaceLoop } from '../../../src/protocol/plan/edit.ts';
import { parsePlan } from '../../../src/protocol/plan/parse.ts';
import { LOOP_STATUSES } from '../../../src/protocol/plan-types.ts';
import type { Loop, PlanNode } from '../../../src/protocol/plan-types.ts';
import { present } from '../../support/present.ts';
import { nodes, title } from './arbitraries.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/plan/${name}`, import.meta.url), 'utf8');

const planned = (id: string, more: Partial<PlanNode> = {}) => ({
  id,
  title: id.toUpperCase(),
  assignee: 'w',
  dependsOn: [],
  ...more,
});

const LOOP: Loop = {
  goal: 'g',
  stopCondition: 's',
  iterationTemplate: 'do it',
  maxIterations: 3,
  currentIteration: 1,
  status: 'running',
  history: ['Iteration 1: continue — ok'],
};

const content = (text: string): unknown =>
  parsePlan(text).nodes.map((node) => {
    const { line, ...rest } = node;
    return line > 0 ? rest : node;
  });

describe('replaceDag', () => {
  test('keeps header, suffix, introduction, sub-bullets and states; drops what is left out', () => {
    const text = `# T

- [ ] header — no task

## DAG Task Plan

**Plan Type**: dag

Read this first.

- [x] a - One (assigned: w, type: docs)
  - Spec: a/spec.md

    more of it
- [~] b — Two (assigned: w)
  - Spec: b/spec.md
- [!] c — Three (assigned: w, cancelled: late)

## Notes

kept  `;

    expect(replaceDag(text, [planned('d', { dependsOn: ['a'] }), planned('c'), planned('a', { title: 'Uno' })]))
      .toBe(`# T

- [ ] header — no task

## DAG Task Plan

**Plan Type**: dag

Read this first.

- [ ] d — D (assigned: w, depends: a)
- [!] c — C (assigned: w, cancelled: late)
- [x] a — Uno (assigned: w, type: docs)
  - Spec: a/spec.md

    more of it

## Notes

kept
`);
  });

  test('gives a sub-bullet to the task it hangs on, also behind a nested one, and moves it along', () => {
    const text = '## DAG Task Plan\n\n- [ ] a — A\n  - [ ] b — B\n    - of b\n  - of a\n';

    expect(replaceDag(text, [planned('b'), planned('a')])).toBe(
      '## DAG Task Plan\n\n**Plan Type**: dag\n\n- [ ] b — B (assigned: w)\n  - of b\n- [ ] a — A (assigned: w)\n  - of a\n',
    );
  });

  test('lets what stands between two tasks go with the one above', () => {
    const text = fixture('legacy.md');

    const once = replaceDag(text, parsePlan(text).nodes);

    expect(once).toBe(
      text
        .replace('## Task Plan\n', '## DAG Task Plan\n\n**Plan Type**: dag\n')
        .replaceAll(' - Set', ' — Set')
        .replaceAll(' - Write', ' — Write')
        .replaceAll(' - Deploy', ' — Deploy')
        .replaceAll('depends on:', 'depends:'),
    );
  });

  test.each(['dag.md', 'suffix.md', 'unknown-type.md'])('of its own nodes leaves %s as it is', (name) => {
    const text = replaceDag(fixture(name), parsePlan(fixture(name)).nodes);

    expect(replaceDag(text, parsePlan(text).nodes)).toBe(text);
    expect(content(text)).toEqual(content(fixture(name)));
  });

  test('appends a section to a document without one, behind a blank line', () => {
    expect(replaceDag('# T\n\ntext', [planned('a')])).toBe(
      '# T\n\ntext\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n- [ ] a — A (assigned: w)\n',
    );
    expect(replaceDag('', [])).toBe('## DAG Task Plan\n\n**Plan Type**: dag\n');
  });

  test('moves tasks that stood under no heading into the new section', () => {
    const text = 'Notes.\n\n- [x] a — One (assigned: w)\n  - Spec: x\n- [ ] b — Two\n\nMore notes.\n';

    expect(replaceDag(text, [planned('a'), planned('c')])).toBe(
      'Notes.\n\n\nMore notes.\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n' +
        '- [x] a — A (assigned: w)\n  - Spec: x\n- [ ] c — C (assigned: w)\n',
    );
  });

  test('leaves the bytes outside its region alone and writes LF inside', () => {
    const text = '# T  \r\n\r\n## DAG Task Plan\r\n- [ ] a — A\r\n  - Spec\r\n\r\n## Notes\r\n\tx  \r\ny\r\n';

    expect(replaceDag(text, [planned('a')])).toBe(
      '# T  \r\n\r\n## DAG Task Plan\n\n**Plan Type**: dag\n\n- [ ] a — A (assigned: w)\n  - Spec\n\n## Notes\r\n\tx  \r\ny\n',
    );
  });

  test('leaves one region where there were several', () => {
    const text = '## DAG Task Plan\n\n- [x] a — A\n\n## Notes\n\n## DAG Task Plan\n\n- [~] b — B\n';

    expect(replaceDag(text, [planned('b'), planned('a')])).toBe(
      '## DAG Task Plan\n\n**Plan Type**: dag\n\n- [~] b — B (assigned: w)\n- [x] a — A (assigned: w)\n\n## Notes\n',
    );
  });

  test('corrects a field line in the header, which is the one that counts', () => {
    const text = '# T\n\n**Plan Type**: loop\n\n## Loop Plan\n\n## Current Iteration\n\n- [ ] a — A\n';

    expect(replaceDag(text, [planned('a')])).toBe(
      '# T\n\n**Plan Type**: dag\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n- [ ] a — A (assigned: w)\n',
    );
  });

  test('refuses a text that cannot be read whole', () => {
    expect(() => replaceDag('x'.repeat(5_000_000), [])).toThrow(expect.objectContaining({ code: 'broken-file' }));
  });

  test('refuses to write tasks that the text would hide', () => {
    const open = '## DAG Task Plan\n\n- [ ] a — A\n- [ ] b — B\n\n```\nnever closed\n';

    expect(() => replaceDag(open, [planned('b'), planned('a')])).toThrow(
      expect.objectContaining({ code: 'broken-file', message: 'plan.md would hide tasks: a' }),
    );
    expect(content(replaceDag(open, [planned('a'), planned('b')]))).toEqual([
      { ...planned('a'), status: 'pending' },
      { ...planned('b'), status: 'pending' },
    ]);
  });

  test('is read back as the nodes that were given, whatever their titles', () => {
    fc.assert(
      fc.property(nodes, nodes, (before, after) => {
        const text = replaceDag(replaceDag('# T\n\n## Notes\n', before), after);
        expect(content(text)).toEqual(
          after.map((node) => {
            const type = node.type ?? before.find(({ id }) => id === node.id)?.type;
            return { ...node, ...(type === undefined ? {} : { type }) };
          }),
        );
        expect(parsePlan(text).diagnostics).toEqual([]);
        expect(replaceDag(text, parsePlan(text).nodes)).toBe(text);
      }),
    );
  });
});

describe('replaceLoop', () => {
  test('writes the four sections in their order', () => {
    expect(replaceLoop('# T\n\n## Notes\n\nx\n', LOOP, [planned('a')])).toBe(`# T

## Notes

x

## Loop Plan

**Plan Type**: loop
**Loop Status**: running
**Iteration**: 1 / 3
**Goal**: g
**Stop Condition**: s

## Iteration Template

do it

## Current Iteration

- [ ] a — A (assigned: w)

## Iteration History

- Iteration 1: continue — ok
`);
  });

  test('keeps states, introductions, sub-bullets and a hand-written history for the next iteration', () => {
    const text = fixture('loop.md')
      .replace('finds anything\n', 'finds anything\n\nAgreed on Monday.\n')
      .replace('## Current Iteration\n', '## Current Iteration\n\nThis week:\n')
      .replace('bo, depends: p-i002-01)\n', 'bo, depends: p-i002-01)\n  - Spec: x\n')
      .replace('Next: look again\n', 'Next: look again\n  They were small.\n');
    const { nodes: before } = parsePlan(text);
    const loop = present(parsePlan(text).loop);

    expect(replaceLoop(text, loop, before)).toBe(text);
    expect(replaceLoop(text, { ...loop, history: ['a'] }, [])).toBe(
      text.replace(/- \[~\] p-i002-01[^]*?- Spec: x\n\n/, '').replace(/- Iteration 1[^]*?small\.\n/, '- a\n'),
    );
  });

  test('demotes headings of the template, so that it stays one section however often it is written', () => {
    const iterationTemplate = '# One\n## Loop Plan\n  ## Current Iteration\n### Three\n#hash\n##\n```\n# comment\n<!--';

    const text = replaceLoop('', { ...LOOP, iterationTemplate }, [planned('a')]);
    const again = replaceLoop(text, present(parsePlan(text).loop), parsePlan(text).nodes);

    expect(parsePlan(text).loop?.iterationTemplate).toBe(
      '### One\n### Loop Plan\n  ### Current Iteration\n### Three\n#hash\n###\n```\n### comment\n<!--',
    );
    expect(again).toBe(text);
  });

  test('brings goal, stop condition and history onto one line each', () => {
    const loop = { ...LOOP, goal: 'a\n## b', stopCondition: ' c\r\n d ', history: ['x\n- y'] };

    expect(parsePlan(replaceLoop('', loop, [])).loop).toEqual({
      ...LOOP,
      goal: 'a ## b',
      stopCondition: 'c d',
      history: ['x - y'],
    });
  });

  test('corrects field lines in the header, which are the ones that count', () => {
    const text = replaceLoop('# T\n\n**Goal**: old\n**Owner**: me\n', LOOP, []);

    expect(text.startsWith('# T\n\n**Goal**: g\n**Owner**: me\n\n## Loop Plan\n')).toBe(true);
    expect(parsePlan(text).loop).toEqual(LOOP);
  });

  test('takes the place of a DAG and gives it back, without the loop', () => {
    const dag = replaceDag('# T\n\n## Notes\n\nx\n', [planned('a'), planned('b')]).replace(
      '\n- [ ] b',
      '\n  - Spec: x\n- [x] b',
    );

    const loop = replaceLoop(dag, LOOP, [planned('b'), planned('c')]);
    const back = replaceDag(loop, [planned('b'), planned('a')]);

    expect(content(loop)).toEqual([
      { ...planned('b'), status: 'completed' },
      { ...planned('c'), status: 'pending' },
    ]);
    expect(back).toBe(
      '# T\n\n## Notes\n\nx\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n' +
        '- [x] b — B (assigned: w)\n- [ ] a — A (assigned: w)\n',
    );
  });

  test('is read back as the loop that was given, whatever its template', () => {
    const line = fc.oneof(
      title,
      fc.constantFrom(
        '',
        '## Current Iteration',
        '# x',
        '```',
        '~~~~',
        '<!--',
        '-->',
        '> q',
        '- [ ] t — x',
        '**Goal**: z',
      ),
      fc.constantFrom('    code', '<div>', '<script>', '---', '1. one', '## Iteration History', 'Setext\n==='),
    );
    const oneLine = title;
    const loops = fc.record({
      goal: oneLine,
      stopCondition: oneLine,
      iterationTemplate: fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n')),
      maxIterations: fc.integer({ min: 1, max: 99 }),
      currentIteration: fc.integer({ min: 0, max: 99 }),
      status: fc.constantFrom(...LOOP_STATUSES),
      history: fc.array(oneLine, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(loops, nodes, (loop, list) => {
        const text = replaceLoop('# T\n\n## Notes\n\n```\nx\n```\n', loop, list);
        const plan = parsePlan(text);
        const written = loop.iterationTemplate
          .split('\n')
          .map((part) => part.replace(/^#{1,2}(?=\s|$)/, '###'))
          .join('\n');
        expect(plan.loop).toEqual({ ...loop, iterationTemplate: written.replace(/^(?:\s*\n)+|\s+$/g, '') });
        expect(content(text)).toEqual(list);
        expect(replaceLoop(text, present(plan.loop), plan.nodes)).toBe(text);
        expect(text.endsWith('\n') && text.includes('\n## Notes\n\n```\nx\n```\n')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test.each(['#!\n---', '#1 of them\n==='])(
    'keeps a template with an underlined heading that begins with #: %j',
    (template) => {
      const loop = { goal: 'g', stopCondition: 's', maxIterations: 1, currentIteration: 0, history: [] } as const;
      const text = replaceLoop('# T\n', { ...loop, iterationTemplate: template, status: 'running' }, []);
      const { loop: read, diagnostics } = parsePlan(text);
      expect([read?.iterationTemplate, diagnostics]).toEqual([template, []]);
    },
  );
});
