import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTaskLine } from '../../../src/protocol/plan/line.ts';
import { parsePlan } from '../../../src/protocol/plan/parse.ts';
import { cancelSlug, initialPlan, renderNodeLine } from '../../../src/protocol/plan/render.ts';
import { node } from './arbitraries.ts';

const plain = { id: 'a', title: 'T', assignee: 'w', dependsOn: [], status: 'pending' } as const;

describe('renderNodeLine', () => {
  test.each([
    ['pending', '- [ ] a — T (assigned: w)'],
    ['delegated', '- [~] a — T (assigned: w)'],
    ['completed', '- [x] a — T (assigned: w)'],
    ['blocked', '- [!] a — T (assigned: w)'],
    ['revision', '- [→] a — T (assigned: w)'],
    ['cancelled', '- [!] a — T (assigned: w, cancelled: unspecified)'],
  ] as const)('writes a %s node', (status, line) => {
    expect(renderNodeLine({ ...plain, status })).toBe(line);
  });

  test('writes type, dependencies and reason in this order', () => {
    const full = { ...plain, status: 'cancelled', type: 'dev', dependsOn: ['b', 'c'], cancelled: 'too-late' } as const;

    expect(renderNodeLine(full)).toBe('- [!] a — T (assigned: w, type: dev, depends: b, c, cancelled: too-late)');
  });

  test('always writes the group, so that a title may end like one', () => {
    expect(renderNodeLine({ ...plain, assignee: '' })).toBe('- [ ] a — T (assigned: -)');
    expect(renderNodeLine({ ...plain, title: 'T (assigned: bob)', assignee: '' })).toBe(
      '- [ ] a — T (assigned: bob) (assigned: -)',
    );
  });

  test('lets no title and no value out of its place', () => {
    const hostile = { ...plain, title: ' a\n\n- [x] b — \u2028 c\t ', assignee: 'w, depends: z)', type: '' };

    expect(renderNodeLine(hostile)).toBe('- [ ] a — a - [x] b — c (assigned: w depends: z)');
  });

  test('writes the id for an empty title', () => {
    expect(renderNodeLine({ ...plain, title: ' ' })).toBe('- [ ] a — a (assigned: w)');
  });

  test('is read back as the same node, whatever its title', () => {
    fc.assert(
      fc.property(node, (legal) => {
        expect(readTaskLine(renderNodeLine(legal))).toEqual({ kind: 'task', indent: '', node: legal, findings: [] });
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['- [ ] a — ( depends: ( ) )', '- [ ] a — a (assigned: -)'],
    ['- [ ] a — T (assigned: w, depends: (), b)', '- [ ] a — T (assigned: w, depends: b)'],
    ['- [ ] a — (depends:depends:;depends:cancelled:)', '- [ ] a — a (assigned: -)'],
    ['- [ ] a — T (assigned: w, depends: b, depends: type: c)', '- [ ] a — T (assigned: w, depends: b, c)'],
  ])('leaves nothing behind of a dependency that nobody can read: %j', (line, canonical) => {
    const reading = readTaskLine(line);
    expect(reading?.kind === 'task' ? renderNodeLine(reading.node) : undefined).toBe(canonical);
  });

  test('is canonical: what was read once renders the same again', () => {
    const part = fc.constantFrom(
      '(',
      ')',
      ',',
      ';',
      ':',
      ' ',
      'assigned:',
      'depends:',
      'type:',
      'cancelled:',
      'x',
      '-',
      '—',
      '`',
    );
    fc.assert(
      fc.property(fc.constantFrom(' ', 'x', '!'), fc.array(part, { maxLength: 20 }), (marker, parts) => {
        const reading = readTaskLine(`- [${marker}] a — ${parts.join('')}`);
        fc.pre(reading?.kind === 'task');
        const line = reading?.kind === 'task' ? renderNodeLine(reading.node) : '';
        const again = readTaskLine(line);
        expect(again?.kind === 'task' ? renderNodeLine(again.node) : '').toBe(line);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('cancelSlug', () => {
  test.each([
    ['No longer needed', 'no-longer-needed'],
    ['  wrong (v2), see: b ', 'wrong-v2-see-b'],
    ['不再需要', '不再需要'],
    ['', 'unspecified'],
    ['?!', 'unspecified'],
    ['already-a-slug', 'already-a-slug'],
  ])('makes %j %j', (reason, slug) => {
    expect(cancelSlug(reason)).toBe(slug);
  });

  test('is short', () => {
    expect(cancelSlug('word '.repeat(100))).toHaveLength(79);
  });
});

describe('initialPlan', () => {
  test('is the plan of protocol.md §4', () => {
    const text = initialPlan({ title: 'Quarterly\nreport', projectId: 'report-1', createdAt: '2026-09-01T10:15:00Z' });

    expect(text).toBe(
      `# Team Project: Quarterly report

**ID**: report-1
**Created**: 2026-09-01T10:15:00Z

## DAG Task Plan

**Plan Type**: dag
`,
    );
    expect(parsePlan(text)).toEqual({ kind: 'dag', nodes: [], diagnostics: [] });
  });
});
