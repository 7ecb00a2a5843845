import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readWhole } from '../../../src/protocol/plan/document.ts';
import { setMarker } from '../../../src/protocol/plan/edit.ts';
import { readDocument } from '../../../src/protocol/plan/recent.ts';
import { renderNodeLine } from '../../../src/protocol/plan/render.ts';
import { reread } from '../../../src/protocol/plan/reread.ts';
import { nodeWith, nodes } from './arbitraries.ts';

const prose = fc.constantFrom(
  '',
  'Some words.',
  '```',
  '<!--',
  '-->',
  '  - Spec: x',
  '### Phase',
  '> quoted',
  '~~~',
  '\t',
);
const HEAD = '# Team Project: p\n\n## DAG Task Plan\n\n**Plan Type**: dag\n';

/** A plan with other lines between its tasks, and some of its lines replaced. */
const edited = fc
  .tuple(
    nodes,
    fc.array(prose, { maxLength: 8 }),
    fc.constantFrom('\n', '\r\n'),
    fc.nat(),
    fc.constantFrom('', '  ', '\t'),
  )
  .chain(([list, between, eol, seed, indent]) => {
    const lines = list.flatMap((node, index) => [
      `${indent}${renderNodeLine(node)}`,
      ...between.slice(index, index + 1),
    ]);
    const before = [...HEAD.split('\n'), ...lines, 'Last words.'].join(eol);
    // One of them, and every third of the others.
    const chosen = list.filter((_, index) => index === seed % list.length || (index + seed) % 3 === 0);
    const replacements = chosen.map((old) =>
      fc.oneof(
        { weight: 8, arbitrary: nodeWith(fc.constant(old.id), []).map((node) => indent + renderNodeLine(node)) },
        {
          weight: 1,
          arbitrary: fc.oneof(prose, fc.string(), fc.constant(`- [ ] other — Other${eol}- [ ] more — More`)),
        },
      ),
    );
    return fc.tuple(...replacements).map((written) => ({
      before,
      after: chosen.reduce(
        (text, old, index) => text.replace(`${indent}${renderNodeLine(old)}`, () => written[index] ?? ''),
        before,
      ),
    }));
  });

describe('a document read again after task lines changed', () => {
  test('is what reading all of it gives', () => {
    let shortcuts = 0;
    fc.assert(
      fc.property(edited, ({ before, after }) => {
        const again = reread(readWhole(before), after);
        if (again === undefined) return;
        shortcuts += before === after ? 0 : 1;
        expect(again).toEqual(readWhole(after));
      }),
      { numRuns: 2_000 },
    );
    expect(shortcuts).toBeGreaterThan(100);
  });

  test('is found for the changes that the work makes, and for no others', () => {
    const before = readWhole(
      `${HEAD}\n- [ ] a — First (assigned: w)\n- [ ] b — Second (assigned: w, depends: a)\nEnd.\n`,
    );
    const taken = (after: string): boolean => reread(before, after) !== undefined;
    const { text } = before;
    expect(taken(text.replace('[ ] a', '[~] a'))).toBe(true);
    expect(taken(text.replace('First (assigned: w)', 'First, renamed (assigned: bo)'))).toBe(true);
    expect(taken(text)).toBe(false);
    expect(taken(text.replace('[ ] a', '[~] a').replace('[ ] b', '[~] b'))).toBe(true);
    expect(taken(text.replace('[ ] a', '[~] a').replace('[ ] b', '[ ] c'))).toBe(false);
    expect(taken(text.replace('[ ] a', '[~] a').replace('End.', 'Ends.'))).toBe(false);
    expect(taken(`${text}- [ ] c — Third\n`)).toBe(false);
    expect(taken(text.replace('] a ', '] c '))).toBe(false);
    expect(taken(text.replace('First', '<!-- First'))).toBe(false);
    expect(taken(text.replace('- [ ] a', '* [ ] a'))).toBe(false);
    expect(taken(text.replace('End.', 'Ends.'))).toBe(false);
    expect(taken(text.replace('- [ ] a — First (assigned: w)\n', ''))).toBe(false);
  });

  test('is that of a long plan, wherever the lines stand that changed', () => {
    const line = (id: number, marker: string): string => `- [${marker}] t-${id} — Task ${id} (assigned: w)`;
    const ids = Array.from({ length: 300 }, (_, index) => index);
    const before = readWhole(`${HEAD}\n${ids.map((id) => line(id, ' ')).join('\n')}\nEnd.\n`);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(299), { minLength: 1, maxLength: 20 }), (changed) => {
        const after = changed.reduce((text, id) => text.replace(line(id, ' '), line(id, 'x')), before.text);
        expect(reread(before, after)).toEqual(readWhole(after));
      }),
      { numRuns: 20 },
    );
  });

  test('is the same to whoever asks for it in turns', () => {
    fc.assert(
      fc.property(edited, ({ before, after }) => {
        for (const text of [before, after, before]) expect(readDocument(text)).toEqual(readWhole(text));
      }),
    );
  });

  test('is what whoever sets a marker hands on, however the dashes of the plan are spaced', () => {
    const plans = fc.tuple(edited, fc.constantFrom(' ', '   ', '  \t'), fc.nat());
    fc.assert(
      fc.property(plans, ([{ before }, gap, chosen]) => {
        const text = before.replaceAll(/^([ \t]*)- \[/gm, `$1-${gap}[`);
        const { tasks } = readWhole(text);
        const { node, duplicate } = tasks[chosen % Math.max(1, tasks.length)] ?? {};
        if (node === undefined || duplicate === true) return;
        const after = setMarker(text, node.id, 'completed');
        expect(readDocument(after)).toEqual(readWhole(after));
      }),
      { numRuns: 2_000 },
    );
  });

  test('is not handed on where another column would hide what stands below', () => {
    const text = `${HEAD}\n-  [~] b — Second\n  \`\`\`\n- [ ] d — Fourth\n`;
    const after = setMarker(text, 'b', 'completed');
    expect(readDocument(after).tasks.map(({ node }) => node.id)).toEqual(
      readWhole(after).tasks.map(({ node }) => node.id),
    );
  });

  test('is read anew where findings were left out', () => {
    const strange = Array.from({ length: 260 }, (_, index) => `- [?] s-${index} — Strange`);
    const text = `${HEAD}\n- [ ] a — First\n${strange.join('\n')}\n`;
    const after = setMarker(text, 'a', 'delegated');
    expect(readDocument(after)).toEqual(readWhole(after));
    expect(reread(readWhole(text), after)).toBeUndefined();
  });
});
