import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSentJournal } from '../../../src/adapters/matrix/sent.ts';
import { testFolder } from '../../support/folders.ts';

const numbered = (count: number): readonly string[] => [...Array(count).keys()].map((index) => `t${index}`);

test('a journal that has grown long is cut to its newest lines, whole and for its owner only', () => {
  const dir = testFolder('sent');
  const file = join(dir, 'sent.jsonl');
  const line = (txn: string): string => `${JSON.stringify({ txn, at: 1, eventId: `$${txn}` })}\n`;
  writeFileSync(file, numbered(10_001).map(line).join(''));
  const journal = openSentJournal(file, () => 1);
  expect(readFileSync(file, 'utf8')).toBe(numbered(10_001).slice(-5_000).map(line).join(''));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['sent.jsonl']);
  expect(journal.find('t10000')).toMatchObject({ eventId: '$t10000' });
  expect(journal.find('t0')).toBeUndefined();
});

test('of all that a long-lived process has said, the newest is known', () => {
  const journal = openSentJournal(join(testFolder('sent'), 'sent.jsonl'), () => 1);
  journal.begin('old');
  journal.begin('kept');
  journal.done('digest', '$1', numbered(4_998));
  journal.done('kept', '$2');
  journal.done('next', '$3');
  expect(journal.find('old')).toBeUndefined();
  expect(journal.find('kept')).toMatchObject({ eventId: '$2' });
  expect(journal.find('next')).toMatchObject({ eventId: '$3' });
});
