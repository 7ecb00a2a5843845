import * as fc from 'fast-check';
import type { NodeContent } from '../../../src/protocol/plan/line.ts';
import type { NodeStatus } from '../../../src/protocol/plan-types.ts';

/** Plans as people and tools write them, for the properties of reading and editing. */

export const NODE_STATUSES: readonly NodeStatus[] = [
  'pending',
  'delegated',
  'completed',
  'blocked',
  'revision',
  'cancelled',
];

export const nodeId = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,11}$/);

/** Words that a title may hold and that look like something else. */
const TRICKY = [
  'Build API (v2)',
  '(assigned: bob)',
  'assigned: bob, depends: a',
  '(depends: x, cancelled: y)',
  ')',
  '(',
  '((',
  '—',
  '-',
  '--',
  'a: b',
  '`code`',
  '```',
  '<!--',
  '-->',
  '|',
  '**bold**',
  '[x]',
  '- [ ] x — y',
  '# heading',
  '## Loop Plan',
  '\\',
  '日本語',
  '🎉👩‍👩‍👧',
  'e\u0301',
  '\u202Eright',
  '→',
  'none',
];

const word = fc.oneof(fc.constantFrom(...TRICKY), fc.stringMatching(/^[!-~]{1,8}$/), fc.string({ unit: 'grapheme' }));

export const title = fc
  .array(word, { minLength: 1, maxLength: 5 })
  .map((words) =>
    words
      .join(' ')
      .replaceAll(/[\s\u0085]+/g, ' ')
      .trim(),
  )
  .filter((text) => text !== '');

const name = fc.oneof(
  fc.constantFrom('', 'bo', '@ana:hs.local', '@w:dom:8080', 'o.k-_=/+'),
  fc.stringMatching(/^[a-z][a-z0-9._=/-]{0,9}$/),
);

const slug = fc.stringMatching(/^[a-z0-9]{1,5}(?:-[a-z0-9]{1,5}){0,2}$/);

/** A node that Baton itself would write. */
export function nodeWith(id: fc.Arbitrary<string>, ids: readonly string[]): fc.Arbitrary<NodeContent> {
  const dependsOn = ids.length === 0 ? fc.constant([]) : fc.uniqueArray(fc.constantFrom(...ids), { maxLength: 3 });
  return fc
    .record({
      id,
      title,
      assignee: name,
      dependsOn: dependsOn.map((list) => list.filter((dependency) => !/^(?:none|-)$/i.test(dependency))),
      status: fc.constantFrom(...NODE_STATUSES),
      type: fc.option(fc.constantFrom('dev', 'docs', 'test'), { nil: undefined }),
      cancelled: slug,
    })
    .map(({ type, cancelled, ...node }) => ({
      ...node,
      ...(type === undefined ? {} : { type }),
      ...(node.status === 'cancelled' ? { cancelled } : {}),
    }));
}

export const node = fc.uniqueArray(nodeId, { maxLength: 3 }).chain((ids) => nodeWith(nodeId, ids));

export const nodes = fc
  .uniqueArray(nodeId, { maxLength: 7, selector: (id) => id.toLowerCase() })
  .chain((ids) => fc.tuple(...ids.map((id) => nodeWith(fc.constant(id), ids))));
