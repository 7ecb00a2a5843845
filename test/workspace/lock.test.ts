import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { acquireLock } from '../../src/workspace/lock.ts';
import type { LockHolder } from '../../src/workspace/lock.ts';
import { testFolder } from '../support/folders.ts';

const LOCK = new URL('../../src/workspace/lock.ts', import.meta.url).href;
const since = '2026-09-01T10:00:00Z';

/** Waits for its turn, tries once, says `won` or `lost`, and holds what it won until it is told to go. */
const STARTER = `import {acquireLock} from ${JSON.stringify(LOCK)};
process.stdout.write('up\\n');
process.stdin.once('data',()=>{
  try{acquireLock(process.argv[1],{since:'${since}'});process.stdout.write('won\\n')}
  catch(error){process.stdout.write((error.code==='locked'?'lost':String(error))+'\\n')}
  process.stdin.once('data',()=>process.exit(0));
});`;

interface Starter {
  readonly child: ChildProcess;
  /** The next line that it says. */
  line(): Promise<string>;
  tell(): void;
  /** Ends it without a chance to clean up, and waits until it is gone. */
  kill(): Promise<void>;
}

async function starter(directory: string): Promise<Starter> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', STARTER, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const waiting: string[] = [];
  const line = async (): Promise<string> => {
    while (waiting.length === 0) {
      const { value } = (await lines.next()) as { value: Buffer | undefined };
      if (value === undefined) throw new Error('the starter ended');
      waiting.push(...String(value).trim().split('\n'));
    }
    return waiting.shift() ?? '';
  };
  expect(await line()).toBe('up');
  return {
    child,
    line,
    tell: () => void child.stdin.write('go\n'),
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function holderOf(directory: string): LockHolder {
  return JSON.parse(readFileSync(join(directory, 'node.lock'), 'utf8')) as LockHolder;
}

describe('the lock of a workspace', () => {
  test('names its holder, and is gone after its release, which may be repeated', () => {
    const directory = join(testFolder(), '.baton');
    const lock = acquireLock(directory, { since, socket: '/run/x.sock' });
    expect(holderOf(directory)).toMatchObject({ pid: process.pid, host: hostname(), since, socket: '/run/x.sock' });
    lock.release();
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("makes the folder of the node's state for its owner alone", () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const directory = join(testFolder(), '.baton');
    const lock = acquireLock(directory, { since });
    expect([statSync(directory).mode & 0o777, statSync(lock.path).mode & 0o777]).toEqual([0o700, 0o600]);
    lock.release();
  });

  test('is refused while a living process holds it, with who, since when, and what to do', async () => {
    const directory = testFolder();
    const holder = await starter(directory);
    holder.tell();
    expect(await holder.line()).toBe('won');
    const pid = holder.child.pid ?? 0;
    expect(() => acquireLock(directory, { since })).toThrow(
      expect.objectContaining({
        code: 'locked',
        retryable: true,
        message: `process ${pid} has held this workspace since ${since}`,
        remedy: `wait for it, or stop it with: kill ${pid}`,
      }) as Error,
    );
    expect(holderOf(directory).pid).toBe(pid);
  });

  test('is taken over from a process that was killed, with a line in the log', async () => {
    const directory = testFolder();
    const holder = await starter(directory);
    holder.tell();
    expect(await holder.line()).toBe('won');
    await holder.kill();
    const lines: unknown[] = [];
    const lock = acquireLock(directory, {
      since: '2026-09-02T00:00:00Z',
      log: { warn: (fields) => lines.push(fields) },
    });
    expect(lines).toEqual([{ pid: holder.child.pid, since }]);
    expect(holderOf(directory).pid).toBe(process.pid);
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('is taken over when its process id belongs to somebody else by now', () => {
    const directory = testFolder();
    const other = { pid: process.pid, host: hostname(), started: 'another boot:12345', since, token: 'x' };
    writeFileSync(join(directory, 'node.lock'), JSON.stringify(other));
    acquireLock(directory, { since }).release();
    expect(existsSync(join(directory, 'node.lock'))).toBe(false);
  });

  test('is believed to be held when its holder is on another machine', () => {
    const directory = testFolder();
    writeFileSync(join(directory, 'node.lock'), JSON.stringify({ pid: 1, host: 'far-away', since, token: 'x' }));
    expect(() => acquireLock(directory, { since })).toThrow(
      `process 1 on far-away has held this workspace since ${since}`,
    );
  });

  test.each([
    ['', 'empty'],
    ['{"pid":', 'torn'],
    ['[]', 'a list'],
    ['null', 'null'],
    ['{"pid":"1"}', 'no record'],
  ])('is taken over when its file holds %j (%s)', (text) => {
    const directory = testFolder();
    writeFileSync(join(directory, 'node.lock'), text);
    acquireLock(directory, { since });
    expect(holderOf(directory).pid).toBe(process.pid);
  });

  test('is got over a starter that died while it took over', () => {
    const directory = testFolder();
    const dead = { pid: 2 ** 22 + 1, host: hostname(), since, token: 'dead' };
    for (const name of ['node.lock', 'node.lock.takeover']) writeFileSync(join(directory, name), JSON.stringify(dead));
    acquireLock(directory, { since });
    expect(holderOf(directory).pid).toBe(process.pid);
    expect(readdirSync(directory)).toEqual(['node.lock']);
  });

  test('is not removed by a release when somebody else has it by now', () => {
    const directory = testFolder();
    const lock = acquireLock(directory, { since });
    const other = { pid: process.pid, host: hostname(), since, token: 'other' };
    writeFileSync(join(directory, 'node.lock'), JSON.stringify(other));
    lock.release();
    expect(holderOf(directory).token).toBe('other');
  });

  test('is won by exactly one of many that start at once, over a free, a stale and a half-taken lock', async () => {
    const dead = JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), since, token: 'dead' });
    for (const left of [[], ['node.lock'], ['node.lock', 'node.lock.takeover']]) {
      for (let round = 0; round < 2; round += 1) {
        const directory = join(testFolder(), '.baton');
        mkdirSync(directory);
        for (const name of left) writeFileSync(join(directory, name), dead);
        const starters = await Promise.all(Array.from({ length: 6 }, () => starter(directory)));
        for (const each of starters) each.tell();
        const outcomes = await Promise.all(starters.map((each) => each.line()));
        expect(outcomes.filter((outcome) => outcome === 'won')).toEqual(['won']);
        expect(outcomes.filter((outcome) => outcome === 'lost').length).toBe(5);
        const winner = starters[outcomes.indexOf('won')]?.child.pid;
        expect(holderOf(directory).pid).toBe(winner);
        expect(readdirSync(directory)).toEqual(['node.lock']);
        await Promise.all(starters.map((each) => each.kill()));
      }
    }
  });
});
