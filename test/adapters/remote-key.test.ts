import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { remoteKey } from '../../src/adapters/remote-key.ts';
import { testFolder } from '../support/folders.ts';

test('nodes meet under one name for a remote, however its address is spelled', () => {
  const groups = [
    [
      'https://forge.example/team/plans.git',
      'https://Forge.Example:443/team/plans/',
      'https://ana:secret@forge.example/team/plans',
      'ssh://git@forge.example:22/team/plans.git',
      'git@forge.example:team/plans.git',
      'git://forge.example/team/plans',
    ],
    ['https://forge.example/team/Plans.git'],
    ['https://forge.example:8443/team/plans.git'],
    ['https://other.example/team/plans.git'],
    ['git://127.0.0.1:4000/plans.git', 'git://127.0.0.1:4000/plans'],
  ];
  const keys = groups.map((group) => [...new Set(group.map((remote) => remoteKey(remote, '/w')))]);
  expect(keys.map(({ length }) => length)).toEqual(groups.map(() => 1));
  expect(new Set(keys.flat()).size).toBe(groups.length);
});

test('and of a path: relative, by a link, as an address, with and without its ending', () => {
  const folder = testFolder();
  mkdirSync(join(folder, 'real/team.git'), { recursive: true });
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  const spellings = [
    join(folder, 'real/team.git'),
    join(folder, 'real/team'),
    join(folder, 'link/team.git'),
    `file://${join(folder, 'real/team.git')}`,
    'real/team.git',
  ];
  expect(new Set(spellings.map((remote) => remoteKey(remote, folder))).size).toBe(1);
  expect(remoteKey('file://%', folder)).toMatch(/^[0-9a-f]{32}$/);
});
