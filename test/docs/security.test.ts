import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mine } from '../sync/referee/lane.ts';
import { OTHERS_FILES, OWN_FOLDER } from '../sync/referee/lanes-files.ts';
import { HISTORIES } from '../sync/referee/lanes-history.ts';
import { RECORDS } from '../sync/referee/lanes-records.ts';
import { TREES } from '../sync/referee/lanes-trees.ts';
import { ROOT, readDocument } from './documents.ts';

const LANES = [...OTHERS_FILES, ...OWN_FOLDER, ...RECORDS, ...HISTORIES, ...TREES];
const { text } = readDocument('docs/security.md');

test('docs/security.md names every reason for which a rogue lane is refused, and as many lanes and files as there are', () => {
  const reasons = new Set(LANES.flatMap((lane) => Object.values(lane.refused(mine('r001')))));
  const [, section = ''] = text.split('## What the referee refuses');
  const named = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => name));
  // Those of secrets have a suite of their own.
  expect(new Set(named.filter((name) => name !== 'secret'))).toEqual(reasons);
  expect(text).toContain(`${LANES.length} rogue lanes`);
  const files = readdirSync(join(ROOT, 'fixtures/hostile'), { recursive: true, withFileTypes: true });
  expect(text).toContain(`${files.filter((file) => file.isFile()).length} malformed files`);
});
