import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCommandJournal } from '../../src/services/command-journal.ts';
import { testFolder } from '../support/folders.ts';

const open = (dir: string, warned: string[] = []) => {
  const note = (_: object, message: string): void => void warned.push(message);
  return openCommandJournal(dir, { debug: note, info: note, warn: note, error: note });
};

test('the next process knows the reply to a command', () => {
  const dir = testFolder('journal');
  open(dir).keep('$1', 'Done.');
  expect([open(dir).find('$1'), open(dir).find('$2')]).toEqual(['Done.', undefined]);
});

test('the newest 200 replies are kept', () => {
  const dir = testFolder('journal');
  const journal = open(dir);
  for (let event = 0; event < 205; event += 1) journal.keep(`$${event}`, `${event}`);
  expect(['$4', '$5', '$204'].map((event) => open(dir).find(event))).toEqual([undefined, '5', '204']);
});

test('a file that cannot be read is set aside, and that is said', () => {
  const dir = testFolder('journal');
  writeFileSync(join(dir, 'commands.json'), '{"schema":1,"answered":[["$1"]]}');
  const warned: string[] = [];
  const journal = open(dir, warned);
  journal.keep('$2', 'Done.');
  expect(journal.find('$1')).toBeUndefined();
  expect(warned).toEqual(['the journal of commands could not be read and was set aside']);
  expect(existsSync(join(dir, 'commands.json.broken'))).toBe(true);
});
