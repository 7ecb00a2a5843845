import { describe, expect, test } from 'vitest';
import { readTaskLine } from '../../../src/protocol/plan/line.ts';
import type { NodeContent } from '../../../src/protocol/plan/line.ts';

function read(line: string): NodeContent | undefined {
  const reading = readTaskLine(line);
  return reading?.kind === 'task' ? reading.node : undefined;
}

function rules(line: string): readonly string[] {
  return readTaskLine(line)?.findings.map(({ rule }) => rule) ?? [];
}

const plain: NodeContent = { id: 'a', title: 'T', assignee: 'w', dependsOn: [], status: 'pending' };

describe('a task line (protocol.md §6.1)', () => {
  test.each([
    [' ', 'pending'],
    ['~', 'delegated'],
    ['x', 'completed'],
    ['X', 'completed'],
    ['!', 'blocked'],
    ['→', 'revision'],
  ])('reads the marker [%s] as %s', (marker, status) => {
    expect(read(`- [${marker}] a — T (assigned: w)`)).toEqual({ ...plain, status });
  });

  test('tells indentation, node and nothing else of a canonical line', () => {
    expect(readTaskLine('    - [ ] a — T (assigned: w, depends: b, c)')).toEqual({
      kind: 'task',
      indent: '    ',
      node: { ...plain, dependsOn: ['b', 'c'] },
      findings: [],
    });
  });
});

describe('unusual lines (protocol.md §6.2)', () => {
  test.each<[string, string, Partial<NodeContent>]>([
    ['no meta group', '- [ ] a — T', { assignee: '' }],
    ['an ASCII hyphen', '- [ ] a - T (assigned: w)', {}],
    ['an en dash', '- [ ] a – T (assigned: w)', {}],
    ['two hyphens', '- [ ] a -- T (assigned: w)', {}],
    ['a colon', '- [ ] a: T (assigned: w)', {}],
    ['an uppercase X', '- [X] a — T (assigned: w)', { status: 'completed' }],
    [
      'a title with parentheses',
      '- [ ] a — Build API (v2) endpoints (assigned: w, depends: b)',
      { title: 'Build API (v2) endpoints', dependsOn: ['b'] },
    ],
    ['a group without a known key', '- [ ] a — Build API (v2)', { title: 'Build API (v2)', assignee: '' }],
    ['two groups, of which the last counts', '- [ ] a — T (assigned: x) (assigned: w)', { title: 'T (assigned: x)' }],
    ['parentheses inside the group', '- [ ] a — T (assigned: w (lead))', { assignee: 'w (lead)' }],
    ['text after the group', '- [ ] a — T (assigned: w) tail', { title: 'T (assigned: w) tail', assignee: '' }],
    [
      'another group after the group',
      '- [ ] a — T (assigned: w) (soon)',
      { title: 'T (assigned: w) (soon)', assignee: '' },
    ],
    ['an empty title', '- [ ] a — (assigned: w)', { title: 'a' }],
    ['nothing after the dash', '- [ ] a —', { title: 'a', assignee: '' }],
    ['colons in the value', '- [ ] a — T (assigned: @w:dom:8080)', { assignee: '@w:dom:8080' }],
    ['keys in any order', '- [ ] a — T (depends: b, c, assigned: w)', { dependsOn: ['b', 'c'] }],
    [
      'every key in any order',
      '- [!] a — T (cancelled: late, depends: b, type: dev, assigned: w)',
      { dependsOn: ['b'], type: 'dev', status: 'cancelled', cancelled: 'late' },
    ],
    ['semicolons', '- [ ] a — T (assigned: w; depends: b; c)', { dependsOn: ['b', 'c'] }],
    ['"depends on:"', '- [ ] a — T (assigned: w, depends on: b)', { dependsOn: ['b'] }],
    ['"assigned to:"', '- [ ] a — T (assigned to: w)', {}],
    ['other key case', '- [ ] a — T (Assigned: w, DEPENDS: b)', { dependsOn: ['b'] }],
    ['no space after the colon', '- [ ] a — T (assigned:w,depends:b)', { dependsOn: ['b'] }],
    ['empty depends', '- [ ] a — T (assigned: w, depends:)', {}],
    ['depends: none', '- [ ] a — T (assigned: w, depends: none)', {}],
    ['depends: -', '- [ ] a — T (assigned: w, depends: -)', {}],
    ['a dependency named twice', '- [ ] a — T (assigned: w, depends: b, b)', { dependsOn: ['b'] }],
    ['assigned: -', '- [ ] a — T (assigned: -)', { assignee: '' }],
    ['an empty assignee', '- [ ] a — T (assigned: )', { assignee: '' }],
    ['an unknown key in the group', '- [ ] a — T (assigned: w, by: noon)', { assignee: 'w, by: noon' }],
    ['spaces for indentation', '      - [ ] a — T (assigned: w)', {}],
    ['a tab for indentation', '\t- [ ] a — T (assigned: w)', {}],
    ['an id in backticks', '- [ ] `a` — T (assigned: w)', {}],
    ['an id in bold', '- [ ] **a** — T (assigned: w)', {}],
    ['a dotted id', '- [ ] a.b — T (assigned: w)', { id: 'a.b' }],
    ['a trailing CR', '- [ ] a — T (assigned: w)\r', {}],
    ['wide spaces', '-   [ ]   a   —   T   (assigned: w)   ', {}],
    ['no space before the id', '- [ ]a — T (assigned: w)', {}],
    [
      'cancelled without a reason',
      '- [!] a — T (assigned: w, cancelled:)',
      { status: 'cancelled', cancelled: 'unspecified' },
    ],
    ['text before the first key', '- [ ] a — T (see docs, assigned: w)', { title: 'T (see docs)' }],
    ['an unbalanced parenthesis', '- [ ] a — T :) (assigned: w)', { title: 'T :)' }],
  ])('accepts %s', (_, line, expected) => {
    expect(read(line)).toEqual({ ...plain, ...expected });
  });

  test.each([
    ['* [ ] a — T', 'plan-bullet'],
    ['+ [ ] a — T', 'plan-bullet'],
    ['1. [ ] a — T', 'plan-bullet'],
    ['-[ ] a — T', 'plan-bullet'],
    ['- [?] a — T', 'plan-marker'],
    ['- [] a — T', 'plan-marker'],
    ['- [xx] a — T', 'plan-marker'],
    ['- [🎉] a — T', 'plan-marker'],
    ['- [ ] — T', 'plan-task-id'],
    ['- [ ] .. — T', 'plan-task-id'],
    ['- [ ] `a — T', 'plan-task-id'],
    ['- [ ] a T', 'plan-separator'],
    ['- [ ] a. — T', 'plan-separator'],
    ['- [ ] a —T', 'plan-separator'],
  ])('warns about %j, which is no task', (line, rule) => {
    expect(readTaskLine(line)).toMatchObject({ kind: 'suspect', findings: [{ rule }] });
  });

  test.each([
    ['- [ ] a — T (assigned: w) tail', 'plan-trailing-text'],
    ['- [ ] a — T (assigned: w) (soon)', 'plan-trailing-text'],
    ['- [x] a — T (assigned: w, cancelled: y)', 'plan-meta'],
    ['- [ ] a — T (assigned: w, assigned: v)', 'plan-meta'],
    ['- [ ] a — T (assigned: w, depends: b c)', 'plan-meta'],
    ['- [ ] a — T (assigned: w, type: gardening)', 'plan-meta'],
  ])('reads %j and warns', (line, rule) => {
    expect(readTaskLine(line)?.kind).toBe('task');
    expect(rules(line)).toEqual([rule]);
  });

  test('says where the trailing text begins', () => {
    expect(readTaskLine('  - [ ] a — T (assigned: w) tail')?.findings).toEqual([
      { rule: 'plan-trailing-text', message: 'trailing text after task meta', column: 28 },
    ]);
  });

  test.each([
    '',
    'text',
    '- item',
    '- [link](url)',
    '- [x](url) — text',
    '- [x][ref] — y',
    '- [x]: url',
    '# [ ] a — T',
    '> - [ ] a — T',
  ])('takes %j for ordinary text', (line) => {
    expect(readTaskLine(line)).toBeUndefined();
  });
});
