import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NEEDS, sortNeeds } from '../../src/rules/needs.ts';
import { word } from '../../src/rules/shell.ts';
import type { Need } from '../../src/rules/needs.ts';

const need = fc.record(
  {
    need: fc.constantFrom(...NEEDS),
    kind: fc.constant('k'),
    severity: fc.constantFrom('error', 'warning'),
    message: fc.uuid(),
    command: fc.constant('baton doctor'),
    since: fc.constantFrom('2026-09-01T10:00:00Z', '2026-09-02T10:00:00Z', '2026-08-31T23:00:00Z', 'yesterday'),
  },
  { requiredKeys: ['need', 'kind', 'severity', 'message', 'command'] },
) as fc.Arbitrary<Need>;

test('what needs a person stands in one order, however it was found, and nothing is lost', () => {
  fc.assert(
    fc.property(fc.array(need), (needs) => {
      const sorted = sortNeeds(needs);
      expect(new Set(sorted)).toEqual(new Set(needs));
      const places = sorted.map((it) => [NEEDS.indexOf(it.need), it.severity, it.since ?? '~'] as const);
      const readable = places.map(
        ([rank, severity, since]) => `${rank} ${severity} ${since === 'yesterday' ? '~' : since}`,
      );
      expect(readable).toEqual(readable.toSorted());
    }),
  );
});

test('a name out of a file is one word of a command, whatever it holds', () => {
  const names = ['t-1', '!team:local', "o'hara $(id)", '`id`; rm -rf /', '', 'a b', '-x\\', '"'];
  const printed = execFileSync('sh', ['-c', `printf '%s\\n' ${names.map(word).join(' ')}`], { encoding: 'utf8' });
  expect(printed.split('\n').slice(0, -1)).toEqual(names);
  expect(word('t-1')).toBe('t-1');
});
