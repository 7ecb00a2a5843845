import { expect, test } from 'vitest';
import { standingOf } from '../../src/sync/driver.ts';
import type { PersonalMerge, Standing } from '../../src/sync/driver.ts';

const merge = (more: Partial<PersonalMerge>): Standing =>
  standingOf({ lanePrefix: 'lanes/', theirs: [], rebasing: false, ancestors: false, ...more });

test.each<[string, Partial<PersonalMerge>, Standing]>([
  ["a Leader's clone", {}, { local: 'ours' }],
  ["a Leader's clone, rebasing", { rebasing: true }, { local: 'theirs' }],
  ["a Worker's clone", { worker: 'ana' }, { local: 'ours', worker: 'ana' }],
  ["a Worker's clone, rebasing", { worker: 'ana', rebasing: true }, { local: 'theirs', worker: 'ana' }],
  ['a lane merged by hand', { theirs: ['0123abc', 'lanes/ana'] }, { local: 'theirs', worker: 'ana' }],
  ['a lane of the remote', { theirs: ['origin/lanes/ana%20b'] }, { local: 'theirs', worker: 'ana b' }],
  [
    'a lane beside code',
    { theirs: ['origin/baton/lanes/bo'], lanePrefix: 'baton/lanes/' },
    { local: 'theirs', worker: 'bo' },
  ],
  ['a branch that only sounds like one', { theirs: ['swimlanes/ana'] }, { local: 'ours' }],
  ['common ancestors, whoever merges', { ancestors: true, worker: 'ana', theirs: ['lanes/ana'] }, { local: 'theirs' }],
])('whose side is whose: %s', (_, given, standing) => expect(merge(given)).toEqual(standing));
