import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lastingWatch } from '../../src/adapters/lasting-watch.ts';
import { testFolder } from '../support/folders.ts';
import { eventually } from '../support/waiting.ts';

function place() {
  const directory = join(testFolder(), 'here');
  const told: string[] = [];
  const failures: unknown[] = [];
  let refuse = false;
  return {
    directory,
    told,
    failures,
    refuse: (yes: boolean) => (refuse = yes),
    until: (...expected: readonly string[]) =>
      eventually(() => JSON.stringify(told) === JSON.stringify(expected) || undefined, expected.join(', ')),
    begin: async () => {
      const watching = await lastingWatch({
        look: () => directory,
        start: () => {
          if (refuse) throw new Error('too many watches');
          told.push('start');
          return { close: async () => void told.push('close') };
        },
        onReplaced: () => told.push('replaced'),
        onError: (error) => failures.push(error),
        interval: 10,
      });
      onTestFinished(() => watching.close());
      return watching;
    },
  };
}

test('a watch begins when what it is for appears, and ends when that goes', async () => {
  const { begin, directory, until } = place();
  await begin();
  await until();
  mkdirSync(directory);
  await until('start', 'replaced');
  rmSync(directory, { recursive: true });
  await until('start', 'replaced', 'close');
});

test('a watch follows a directory that is replaced by another one of its name', async () => {
  const { begin, directory, until } = place();
  mkdirSync(directory);
  mkdirSync(`${directory}.new`);
  const watching = await begin();
  renameSync(directory, `${directory}.old`);
  renameSync(`${directory}.new`, directory);
  await until('start', 'close', 'start', 'replaced');
  await watching.close();
  await until('start', 'close', 'start', 'replaced', 'close');
});

test('a watch that cannot begin is told and tried again', async () => {
  const { begin, directory, until, refuse, failures } = place();
  await begin();
  refuse(true);
  mkdirSync(directory);
  await eventually(() => failures.length > 1 || undefined, 'the failures are told');
  expect(String(failures[0])).toBe('Error: too many watches');
  refuse(false);
  await until('start', 'replaced');
});
