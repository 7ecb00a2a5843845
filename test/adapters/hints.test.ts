import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createHints } from '../../src/adapters/hints.ts';
import type { Hint } from '../../src/adapters/hints.ts';
import { testFolder } from '../support/folders.ts';
import { eventually } from '../support/waiting.ts';

const remote = 'https://ana:secret@forge.example/team/plans.git';
const main = 'refs/heads/main';
const commit = (digit: number): string => String(digit).repeat(40);

function machine() {
  const runtime = testFolder();
  const failures: unknown[] = [];
  const directory = join(runtime, 'baton');
  const open = (address = remote) =>
    createHints({
      remote: address,
      root: '/w',
      env: { XDG_RUNTIME_DIR: runtime },
      onError: (error) => failures.push(error),
    });
  return {
    directory,
    failures,
    open,
    names: (): readonly string[] => readdirSync(directory),
    listen: async (address = remote) => {
      const heard: Hint[] = [];
      const watching = await open(address).listen((hint) => heard.push(hint));
      onTestFinished(() => watching.close());
      return {
        heard,
        until: (hint: Hint) =>
          eventually(
            () => heard.some(({ ref, commit: id }) => ref === hint.ref && id === hint.commit) || undefined,
            `${hint.ref} ${hint.commit}`,
          ),
      };
    },
  };
}

test('a hint is heard by those with the same remote only, and each newer one again', async () => {
  const { open, listen, failures } = machine();
  const same = await listen('git@forge.example:team/plans.git');
  const other = await listen('https://forge.example/another.git');
  for (const digit of [1, 2, 3]) {
    open().tell({ ref: main, commit: commit(digit) });
    await same.until({ ref: main, commit: commit(digit) });
  }
  open().tell({ ref: 'refs/heads/lanes/ana', commit: commit(4) });
  await same.until({ ref: 'refs/heads/lanes/ana', commit: commit(4) });
  expect([other.heard, failures]).toEqual([[], []]);
});

test('a hint is a file that only its owner reads, without a word of the address', () => {
  const { directory, open, names } = machine();
  open().tell({ ref: main, commit: commit(1) });
  expect(names()).toEqual([expect.stringMatching(/^[0-9a-f]{32}-[0-9a-f]{16}$/)]);
  expect(readFileSync(join(directory, names()[0] ?? ''), 'utf8')).toBe(`${commit(1)} ${main}\n`);
  expect(execFileSync('stat', ['-c', '%a', directory], { encoding: 'utf8' }).trim()).toBe('700');
});

test('links, pipes, directories, garbage and floods are no hints, and keep none from being heard', async () => {
  const { directory, open, listen, names, failures } = machine();
  const { heard, until } = await listen();
  open().tell({ ref: main, commit: commit(1) });
  await until({ ref: main, commit: commit(1) });
  const prefix = (names()[0] ?? '').slice(0, 33);
  const elsewhere = join(directory, '../elsewhere');
  writeFileSync(elsewhere, `${commit(9)} ${main}\n`);
  const at = (index: number): string => join(directory, `${prefix}${index.toString(16).padStart(16, '0')}`);
  symlinkSync(elsewhere, at(1));
  execFileSync('mkfifo', [at(2)]);
  mkdirSync(at(3));
  const garbage = [
    '',
    'x',
    `${commit(9)} --upload-pack=x\n`,
    `${commit(9)} refs/heads/main`,
    `${commit(9)} refs/heads/a b\n`,
    `${commit(9)} refs/heads/a\u001b[2J\n`,
    `${commit(9).slice(1)} ${main}\n`,
    `${commit(9)} ${main}\n${' '.repeat(600)}`,
    Buffer.from([0xff, 0xfe, 0x00]),
  ];
  for (const [index, text] of garbage.entries()) writeFileSync(at(10 + index), text);
  for (let index = 100; index < 1_100; index += 1) writeFileSync(at(index), 'flood');
  open().tell({ ref: main, commit: commit(2) });
  await until({ ref: main, commit: commit(2) });
  expect(heard.filter(({ commit: id }) => id === commit(9))).toEqual([]);
  expect(failures).toEqual([]);
});

test('a directory that is somebody else’s, open to others, or a link is not used', async () => {
  for (const spoil of [
    (directory: string): void => {
      mkdirSync(directory);
      chmodSync(directory, 0o777);
    },
    (directory: string): void => {
      mkdirSync(`${directory}.real`, { mode: 0o700 });
      symlinkSync(`${directory}.real`, directory);
    },
    (directory: string): void => writeFileSync(directory, ''),
    // Only root can give a folder away.
    ...(process.getuid?.() === 0
      ? [
          (directory: string): void => {
            mkdirSync(directory, { mode: 0o700 });
            chownSync(directory, 12_345, 12_345);
          },
        ]
      : []),
  ]) {
    const { directory, open, listen, failures } = machine();
    spoil(directory);
    const { heard } = await listen();
    open().tell({ ref: main, commit: commit(1) });
    expect([heard, failures]).toEqual([[], []]);
    expect(statSync(directory).isDirectory() ? readdirSync(directory) : []).toEqual([]);
  }
});

test('a directory that may not even be looked at is none, and stops nobody', async () => {
  const { open, failures, directory } = machine();
  // What a runtime folder of somebody else is to all but root.
  symlinkSync(join(directory, '../loop'), join(directory, '../loop'));
  const hints = createHints({
    remote,
    root: '/w',
    env: { XDG_RUNTIME_DIR: join(directory, '../loop') },
    onError: (error) => failures.push(error),
  });
  hints.tell({ ref: main, commit: commit(1) });
  await (await hints.listen(() => expect.unreachable('nobody tells'))).close();
  expect(failures).toEqual([]);
  open().tell({ ref: main, commit: commit(1) });
  expect(failures).toEqual([]);
});

test('hints are heard again after the directory was cleared away', async () => {
  const { directory, open, listen } = machine();
  const { until } = await listen();
  rmSync(directory, { recursive: true });
  open().tell({ ref: main, commit: commit(1) });
  await until({ ref: main, commit: commit(1) });
});

test('what is old is removed by the next one who listens, and nothing else is', async () => {
  const { directory, open, listen, names } = machine();
  open().tell({ ref: main, commit: commit(1) });
  const [old = ''] = names();
  utimesSync(join(directory, old), new Date(0), new Date(0));
  writeFileSync(join(directory, 'notes.txt'), 'mine');
  utimesSync(join(directory, 'notes.txt'), new Date(0), new Date(0));
  open().tell({ ref: 'refs/heads/lanes/ana', commit: commit(2) });
  await listen();
  expect(names()).toHaveLength(2);
  expect(names()).toContain('notes.txt');
  expect(names()).not.toContain(old);
});
