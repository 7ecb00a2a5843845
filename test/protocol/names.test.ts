import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeName, encodeName, isReservedName, isReservedPath, steersGit } from '../../src/protocol/names.ts';

describe('reserved names', () => {
  test('are those, too, that are longer than a file system holds, in bytes', () => {
    expect(['x'.repeat(255), 'x'.repeat(256), 'ü'.repeat(127), 'ü'.repeat(128)].map(isReservedName)).toEqual([
      false,
      true,
      false,
      true,
    ]);
    const paths = [`${'a/'.repeat(511)}ab`, `${'a/'.repeat(511)}abc`, 'a/.git/b', 'a/b'];
    expect(paths.map(isReservedPath)).toEqual([false, true, true, false]);
  });

  test.each([
    '',
    '.',
    '..',
    '.git',
    '.GIT',
    '.git ',
    '.git.',
    '.git::$INDEX_ALLOCATION',
    'GIT~1',
    '.g\u200Cit',
    '\uFEFF.git',
    'CON',
    'con.txt',
    'aux.tar.gz',
    'nul ',
    'COM1',
    'lpt\u00B9',
    'CONIN$',
    'a.',
    'a ',
    'a\\b',
    'a/b',
    'a\u0000b',
    'a\u0085b',
  ])('%j may never come in', (name) => {
    expect(isReservedName(name)).toBe(true);
  });

  test.each(['a', '.gitignore', '.github', 'git', 'console', 'com', 'COM10', '.env', 'Ünïcode – 完成.md', ' a', 'a:b'])(
    '%j is an ordinary name',
    (name) => {
      expect(isReservedName(name)).toBe(false);
    },
  );

  test('files that steer git are known in any case', () => {
    expect(['.gitattributes', '.GitAttributes', '.gitmodules', '.gitignore', 'gitattributes'].map(steersGit)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('localparts as names', () => {
  test.each([
    ['worker-a', 'worker-a'],
    ['w=1+2/3', 'w=1+2%2F3'],
    ['.hidden', '%2Ehidden'],
    ['a..b', 'a.%2Eb'],
    ['a.', 'a%2E'],
    ['a.lock', 'a%2Elock'],
    ['-x', '%2Dx'],
    ['con', '%63on'],
    ['änne', '%C3%A4nne'],
    ['a%b', 'a%25b'],
    ['~^:?*[\\ @{', '%7E%5E%3A%3F%2A%5B%5C%20%40%7B'],
  ])('%j is %j', (localpart, name) => {
    expect(encodeName(localpart)).toBe(name);
    expect(decodeName(name)).toBe(localpart);
  });

  test.each(['', '%', '%zz', '%61na', 'a b', 'a%2eb', '%C3'])('%j is the name of nobody', (name) => {
    expect(decodeName(name)).toBeUndefined();
  });

  test('every localpart has one name, which a ref and a file may hold', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (localpart) => {
        const name = encodeName(localpart);
        expect(decodeName(name)).toBe(localpart);
        expect(name).toMatch(/^(?!-)(?!.*\.\.)(?!\.)(?!.*\.$)(?!.*\.lock$)[A-Za-z0-9_=+.%-]+$/);
        expect(isReservedName(name)).toBe(false);
      }),
    );
  });
});
