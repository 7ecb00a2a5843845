import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { createLocalChat } from '../../src/adapters/local-chat.ts';
import type { Chat } from '../../src/ports-chat.ts';
import { chatContract } from '../contract/chat.ts';
import { testFolder } from '../support/folders.ts';

const self = '@lead:local';
const room = '!team:local';

const url = (path: string): string => JSON.stringify(new URL(`../../src/adapters/${path}.ts`, import.meta.url).href);

function open(dir: string): Chat {
  return createLocalChat({ dir, self, clock: systemClock, members: () => ['@ana:local'] });
}

chatContract('the local room log', () => {
  const dir = join(testFolder(), 'rooms');
  return { open: () => Promise.resolve(open(dir)), room, otherRoom: '!leader-dm:local', member: '@ana:local' };
});

test('a message says for whom the node speaks, where it speaks for somebody it hosts', async () => {
  const chat = open(testFolder());
  await chat.send({ txn: '1', room, text: 'x', mentions: [], sender: '@bo:local' });
  expect((await chat.history(room, 1)).map(({ sender }) => sender)).toEqual(['@bo:local']);
});

test('a line that a crash has torn is passed over, and the next message stands on a line of its own', async () => {
  const dir = testFolder();
  const chat = open(dir);
  await chat.send({ txn: '1', room, text: 'whole', mentions: [] });
  const [name = ''] = readdirSync(dir);
  appendFileSync(join(dir, name), '{"eventId":"$torn","txn":"2","ro');
  const again = open(dir);
  expect(await again.send({ txn: '2', room, text: 'said again', mentions: [] })).toMatchObject({ reused: false });
  expect((await again.history(room, 10)).map(({ text }) => text)).toEqual(['whole', 'said again']);
  expect((await open(dir).history(room, 10)).map(({ text }) => text)).toEqual(['whole', 'said again']);
});

test('rooms get file names that are safe everywhere, and stay apart even when these meet', async () => {
  const dir = testFolder();
  const chat = open(dir);
  const rooms = [
    '!../../up:local',
    '!CASE:local',
    '!case:local',
    `!${'long'.repeat(100)}:local`,
    `!${'long'.repeat(100)}er:local`,
  ];
  for (const [index, each] of rooms.entries())
    await chat.send({ txn: `${index}`, room: each, text: each, mentions: [] });
  for (const each of rooms) expect((await chat.history(each, 10)).map(({ text }) => text)).toEqual([each]);
  expect(readdirSync(dir).every((name) => /^[\w.%-]{1,240}\.jsonl$/.test(name) && !name.startsWith('.'))).toBe(true);
  expect(readdirSync(dir).length).toBe(rooms.length);
});

test('a log that cannot be written is a failed notification that may be tried again', async () => {
  const dir = join(testFolder(), 'rooms');
  writeFileSync(dir, 'a file');
  await expect(
    createLocalChat({ dir: join(dir, 'below'), self, clock: systemClock }).send({
      txn: '1',
      room,
      text: 'x',
      mentions: [],
    }),
  ).rejects.toMatchObject({ code: 'notify-failed', retryable: true });
});

test('what an earlier process has said is to outlive a loss of power as well, before anybody gives up the record of it', async () => {
  const dir = join(testFolder(), 'rooms');
  const message = { txn: '1', room, text: 'x', mentions: [] };
  await open(dir).send(message);
  const next = open(dir);
  expect(await next.send(message)).toMatchObject({ reused: true });
  rmSync(dir, { recursive: true });
  writeFileSync(dir, 'a file');
  expect(() => next.persist?.()).toThrow('cannot be written');
});

test('a log that is gone when it is to outlive a loss of power is no failure, and one that cannot be reached is', async () => {
  const dir = join(testFolder(), 'rooms');
  const chat = open(dir);
  await chat.send({ txn: '1', room, text: 'x', mentions: [] });
  rmSync(dir, { recursive: true });
  expect(() => chat.persist?.()).not.toThrow();
  await chat.send({ txn: '2', room, text: 'x', mentions: [] });
  rmSync(dir, { recursive: true });
  writeFileSync(dir, 'a file');
  for (let time = 0; time < 2; time += 1) {
    expect(() => chat.persist?.()).toThrow(/the local room log cannot be written \(ENOTDIR\)/);
  }
});

test('what was said is there although the process is killed at once, and is never said twice', async () => {
  const dir = join(testFolder(), 'rooms');
  mkdirSync(dir);
  const script = `import {createLocalChat} from ${url('local-chat')};import {systemClock} from ${url('clock')};
    const chat=createLocalChat({dir:process.argv[1],self:'@lead:local',clock:systemClock});
    for(let n=0;;n++){await chat.send({txn:String(n),room:'!team:local',text:String(n),mentions:[]});process.stdout.write(n+'\\n')}`;
  for (let round = 0; round < 4; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir]);
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += String(chunk);
      if (said.split('\n').length > 5 + round) child.kill('SIGKILL');
    });
    await new Promise((gone) => child.once('exit', gone));
    const last = Number(
      said
        .trimEnd()
        .split('\n')
        .findLast((line) => line !== ''),
    );
    const texts = (await open(dir).history(room, 10_000)).map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(last);
    expect(texts).toEqual(texts.map((_, index) => String(index)));
  }
  expect(readFileSync(join(dir, readdirSync(dir)[0] ?? ''), 'utf8').endsWith('\n')).toBe(true);
});
