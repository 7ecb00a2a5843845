import { expect, test } from 'vitest';
import { nearNames } from '../../src/protocol/near.ts';

test.each([
  ['anna', ['bo', 'ana', 'hannah', 'joanna'], ['ana', 'hannah', 'joanna']],
  ['ANA', ['ana', 'ann', 'bob'], ['ana', 'ann']],
  ['bo', ['ana', 'bob', 'lo', 'bo-2'], ['bob', 'lo']],
  ['x', ['a', 'y'], []],
  ['ana', [], []],
] as const)('%s may mean, of %j, %j', (name, names, near) => {
  expect(nearNames(name, names)).toEqual(near);
});
