import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isInside, resolveInside } from '../../src/workspace/safe-path.ts';

const tricky = fc.constantFrom(
  '',
  '.',
  '..',
  '...',
  '.git',
  '.GIT',
  '.gitignore',
  'a.git',
  '.baton',
  '.Baton',
  '.batons',
);
const segment = fc.oneof(tricky, fc.constantFrom('shared', 'a', 'x.md'), fc.string({ maxLength: 3 }));

describe('a path of the workspace', () => {
  test('is a plain relative one, outside what git and the node keep', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), fc.boolean(), (names, isDirectory) => {
        const path = names.join('/') + (isDirectory ? '/' : '');
        const parts = path.replace(/\/$/, '').split('/');
        const isRefused =
          parts.some((part) => ['', '.', '..', '.git'].includes(part.toLowerCase())) ||
          parts[0]?.toLowerCase() === '.baton' ||
          /[\\\0]/.test(path);
        expect([path, isInside(path)]).toEqual([path, !isRefused]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('stands below the root, with or without a slash at its end', () => {
    expect(resolveInside('/srv/team', 'shared/tasks/a/')).toBe('/srv/team/shared/tasks/a');
    expect(resolveInside('/srv/team', 'shared/tasks/.gitkeep')).toBe('/srv/team/shared/tasks/.gitkeep');
    expect(() => resolveInside('/srv/team', 'shared/../../etc')).toThrow(/not a path of the workspace/);
  });
});
