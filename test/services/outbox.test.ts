import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createClock } from '../../src/adapters/clock.ts';
import { createLocalChat } from '../../src/adapters/local-chat.ts';
import { createLog } from '../../src/adapters/log.ts';
import { createEventBus } from '../../src/events.ts';
import type { Announcement, Chat, RoomMessage } from '../../src/ports-chat.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { createOutbox } from '../../src/services/outbox.ts';
import type { Outbox } from '../../src/services/outbox.ts';
import { testFolder } from '../support/folders.ts';
import { eventually } from '../support/waiting.ts';

const clock = createClock(() => Date.UTC(2026, 8, 1));
const room = '!team:local';

function announcement(txn: string, more: Partial<Announcement> = {}): Announcement {
  return { kind: 'notice', txn, room, text: `text of ${txn}`, mentions: [], ...more };
}

/** A real room log, and an outbox on it that can be opened again as after a crash. */
function place(name = '.baton') {
  const dir = join(testFolder(), name);
  const problems: string[] = [];
  const log = createLog({ level: 'warn', destination: { write: (line) => problems.push(line) } });
  const chat = createLocalChat({ dir: join(dir, 'rooms'), self: '@lead:local', clock });
  return {
    dir,
    chat,
    problems,
    open: (through: Chat = chat, isOvertaken?: (one: Announcement) => boolean): Outbox =>
      createOutbox({ dir, chat: through, clock, log, ...(isOvertaken === undefined ? {} : { isOvertaken }) }),
    said: async (): Promise<string[]> =>
      (await chat.history(undefined, 100)).map((message: RoomMessage) => message.text),
  };
}

/** A chat whose sends and memberships can be made to fail. */
function failing(
  chat: Chat,
  { joined = [], refuse }: { joined?: string[]; refuse?: () => FlowError | undefined },
): Chat {
  return {
    ...chat,
    kind: 'remote',
    joined: () => Promise.resolve(joined),
    send(message) {
      const error = refuse?.();
      return error === undefined ? chat.send(message) : Promise.reject(error);
    },
  };
}

/** Owes as a process does that is killed just after its commit. */
function owing(open: () => Outbox, announcements: readonly Announcement[], commit?: string): void {
  const outbox = open();
  outbox.owe(announcements, commit);
  outbox.record();
}

const followUp = { operation: 'record', input: {}, actor: { localpart: 'lead', role: 'leader' } } as const;

const states = (outbox: Outbox): unknown[] => outbox.pending().map(({ announcement: { txn }, state }) => [txn, state]);

describe('the outbox', () => {
  test('records what is owed before it is said, and forgets it once the room has it', async () => {
    const { open, said, dir } = place();
    const outbox = open();
    outbox.owe([announcement('a')], undefined);
    outbox.record();
    expect(states(open())).toEqual([['a', 'waiting']]);
    expect(await said()).toEqual([]);
    const [delivery] = await outbox.deliver([announcement('a')]);
    expect(delivery).toEqual({ txn: 'a', sent: true, eventId: expect.stringMatching(/^\$/) as string, reused: false });
    expect(await said()).toEqual(['text of a']);
    await eventually(() => states(open()).length === 0, 'the outbox is empty');
    expect(readdirSync(dir).sort()).toEqual(['outbox.json', 'rooms']);
  });

  test('says nothing twice where it ended before it had written down what was said', async () => {
    const { open, said } = place();
    const killed = open();
    killed.owe([announcement('a')], undefined);
    killed.record();
    await killed.deliver([announcement('a')]);
    const next = open();
    expect(states(next)).toEqual([['a', 'waiting']]);
    await next.confirm(() => true);
    expect(await next.flush()).toMatchObject([{ txn: 'a', sent: true, reused: true }]);
    expect(await said()).toEqual(['text of a']);
    expect(states(open())).toEqual([]);
  });

  test('leaves the file alone once it is closed, which then may be that of another process', async () => {
    const { open } = place();
    const stopping = open();
    stopping.owe([announcement('a')], undefined);
    stopping.record();
    const said = stopping.deliver([announcement('a')]);
    stopping.close();
    await said;
    const next = open();
    next.owe([announcement('b')], undefined);
    next.record();
    // Longer than what nobody waits for is kept back.
    await wait(1_200);
    expect(states(open())).toEqual([
      ['a', 'waiting'],
      ['b', 'waiting'],
    ]);
  });

  test('has written down what was said when it is closed', async () => {
    const { open } = place();
    const outbox = open();
    outbox.owe([announcement('a')], undefined);
    outbox.record();
    await outbox.deliver([announcement('a')]);
    outbox.close();
    expect(states(open())).toEqual([]);
  });

  test('has what was said outlive a loss of power before it is forgotten, and before what follows it is recorded', async () => {
    const { open, chat, dir } = place();
    const seen: unknown[] = [];
    const onDisk = (): unknown =>
      (JSON.parse(readFileSync(join(dir, 'outbox.json'), 'utf8')) as { owed: unknown[] }).owed.length;
    const outbox = open({
      ...chat,
      persist() {
        chat.persist?.();
        seen.push(existsSync(join(dir, 'outbox.json')) ? onDisk() : 'no file');
      },
    });
    outbox.owe([announcement('a'), announcement('b', { followUp })], undefined);
    outbox.record();
    await outbox.deliver([announcement('a')]);
    expect(seen).toEqual(['no file']);
    await outbox.deliver([announcement('b', { followUp })]);
    expect(seen).toEqual(['no file', 2]);
    outbox.close();
    expect(seen).toEqual(['no file', 2, 2]);
    expect(onDisk()).toBe(0);
  });

  test('has the last word of a matter outlive a loss of power before its caller is answered, or does not count it as said', async () => {
    const { open, chat, problems, said } = place();
    let isBroken = true;
    const outbox = open({
      ...chat,
      persist() {
        if (isBroken) throw new FlowError('notify-failed', 'the disk is broken');
      },
    });
    // Nothing but the outbox knows of a message, and what follows the other tells everybody that it was said.
    const last = [announcement('a', { kind: 'message' }), announcement('b', { followUp })];
    outbox.owe(last, undefined);
    outbox.record();
    expect(await outbox.deliver(last)).toMatchObject([
      { txn: 'a', sent: false, retryable: true, error: 'the disk is broken' },
      { txn: 'b', sent: false, retryable: true, error: 'the disk is broken' },
    ]);
    expect(states(open())).toEqual([
      ['a', 'due'],
      ['b', 'due'],
    ]);
    isBroken = false;
    expect(await outbox.flush()).toMatchObject([
      { txn: 'a', sent: true, reused: true },
      { txn: 'b', sent: true },
    ]);
    expect(await said()).toEqual(['text of a', 'text of b']);
    expect(states(open())).toEqual([]);
    expect(problems.join('')).toContain('the disk is broken');
  });

  test('goes on recording where a room cannot be kept, and says so in the log', async () => {
    const { open, chat, problems } = place();
    const outbox = open({
      ...chat,
      persist() {
        throw new FlowError('notify-failed', 'the disk is broken');
      },
    });
    outbox.owe([announcement('a')], undefined);
    outbox.record();
    expect(await outbox.deliver([announcement('a')])).toMatchObject([{ sent: true }]);
    outbox.owe([announcement('b')], undefined);
    outbox.record();
    expect(states(open())).toEqual([['b', 'waiting']]);
    expect(problems.join('')).toContain('may not outlive a loss of power');
  });

  test('is not written anew for what was said before and is owed no longer', async () => {
    const { open, dir } = place();
    const outbox = open();
    await outbox.deliver([announcement('a')]);
    outbox.record();
    const written = statSync(join(dir, 'outbox.json')).mtimeMs;
    await outbox.deliver([announcement('a')]);
    outbox.record();
    outbox.close();
    expect(statSync(join(dir, 'outbox.json')).mtimeMs).toBe(written);
  });

  test('is on disk when it says so, or throws, also after a write that failed unseen', async () => {
    const { open, dir, problems } = place();
    const outbox = open();
    const file = join(dir, 'outbox.json');
    mkdirSync(file, { recursive: true });
    outbox.owe([announcement('a')], 'c1');
    await eventually(() => problems.length === 1, 'the write to fail');
    expect(() => outbox.record()).toThrow(/EISDIR/);
    rmSync(file, { recursive: true });
    outbox.record();
    expect(states(open())).toEqual([['a', 'waiting']]);
  });

  test('refuses with a reason what it cannot record', () => {
    const { dir, open } = place();
    const outbox = open();
    mkdirSync(join(dir, 'outbox.json'), { recursive: true });
    outbox.owe([announcement('one')], undefined);
    expect(() => outbox.record()).toThrow(
      expect.objectContaining({
        code: 'bad-workspace',
        retryable: true,
        message: expect.stringContaining('cannot be written (EISDIR)') as string,
      }),
    );
  });

  test('a room that could not be reached catches up in order', async () => {
    const { chat, open, said } = place();
    let down = true;
    const refuse = (): FlowError | undefined => (down ? new FlowError('notify-failed', 'down') : undefined);
    const outbox = open(failing(chat, { refuse }));
    await outbox.deliver([announcement('a'), announcement('b')]);
    down = false;
    await outbox.deliver([announcement('c'), announcement('elsewhere', { room: '!other:local' })]);
    expect(await said()).toEqual(['a', 'b', 'c', 'elsewhere'].map((txn) => `text of ${txn}`));
    await outbox.flush();
    expect(states(outbox)).toEqual([]);
    expect((await said()).length).toBe(4);
  });

  test('a message over which the homeserver fails again and again lets others pass, and is kept', async () => {
    const { chat, open, said } = place();
    let fails = true;
    const outbox = open({
      ...chat,
      kind: 'remote',
      send: (message) =>
        fails && message.txn === 'a'
          ? Promise.reject(new FlowError('notify-failed', 'answered 500', { data: { httpStatus: 500 } }))
          : chat.send(message),
    });
    await outbox.deliver([announcement('a')]);
    await outbox.deliver([announcement('b')]);
    // Once may be a bad moment of the homeserver: order is kept.
    expect(await said()).toEqual([]);
    for (let round = 0; round < 5; round += 1) await outbox.flush();
    expect(await said()).toEqual(['text of b']);
    await outbox.deliver([announcement('c')]);
    expect(await said()).toEqual(['text of b', 'text of c']);
    expect(outbox.pending()).toMatchObject([{ announcement: { txn: 'a' }, state: 'due', error: 'answered 500' }]);
    fails = false;
    await outbox.flush();
    expect(await said()).toEqual(['text of b', 'text of c', 'text of a']);
    expect(states(outbox)).toEqual([]);
  });

  test('however often a room cannot be reached, its messages stay in order', async () => {
    const { chat, open, said } = place();
    let down = true;
    const refuse = (): FlowError | undefined => (down ? new FlowError('notify-failed', 'down') : undefined);
    const outbox = open(failing(chat, { refuse }));
    await outbox.deliver([announcement('a'), announcement('b')]);
    for (let round = 0; round < 10; round += 1) await outbox.flush();
    down = false;
    await outbox.deliver([announcement('c')]);
    expect(await said()).toEqual(['a', 'b', 'c'].map((txn) => `text of ${txn}`));
  });

  test('a call does not wait for a homeserver that does not answer, and nothing is lost, doubled or out of order', async () => {
    const { chat, dir, open, said } = place();
    const answers = Promise.withResolvers<void>();
    const mute: Chat = { ...chat, kind: 'remote', send: (message) => answers.promise.then(() => chat.send(message)) };
    let left = 0;
    const log = createLog({ level: 'silent' });
    const outbox = createOutbox({ dir, chat: mute, clock, log, onLeft: () => (left += 1) });
    const announcements = ['a', 'b'].map((txn) => announcement(txn, { followUp }));
    outbox.owe(announcements, undefined);
    const reason = 'the homeserver takes its time';
    expect(await outbox.deliver(announcements)).toEqual(
      ['a', 'b'].map((txn) => ({ txn, sent: false, error: reason, retryable: true, queued: true })),
    );
    expect(await outbox.deliver([announcement('c')])).toMatchObject([{ txn: 'c', sent: false, queued: true }]);
    expect([await said(), left]).toEqual([[], 2]);
    // As the next process would find it.
    expect(states(open())).toEqual(['a', 'b', 'c'].map((txn) => [txn, 'due']));
    const recorded: unknown[] = [];
    const flushing = outbox.flush((next, eventId) => {
      recorded.push([next.operation, eventId]);
      return Promise.resolve();
    });
    answers.resolve();
    await flushing;
    expect(await said()).toEqual(['a', 'b', 'c'].map((txn) => `text of ${txn}`));
    const [first, second] = await chat.history(undefined, 10);
    expect(recorded).toEqual([first, second].map((message) => ['record', message?.eventId]));
    expect(states(open())).toEqual([]);
  });

  test('what was overtaken before it could be said is not said late, by whichever way it would leave', async () => {
    const { chat, open, said } = place();
    let down = true;
    const refuse = (): FlowError | undefined => (down ? new FlowError('notify-failed', 'down') : undefined);
    const outbox = open(failing(chat, { refuse }), ({ txn }) => !down && txn.startsWith('old'));
    await outbox.deliver([announcement('old-1'), announcement('old-2', { room: '!dm:local' }), announcement('new')]);
    down = false;
    await outbox.deliver([announcement('next')]);
    expect(await said()).toEqual(['text of new', 'text of next']);
    await outbox.flush();
    expect((await said()).filter((text) => text.includes('old'))).toEqual([]);
    expect(states(open())).toEqual([]);
  });

  test('nobody waits for a message whose addressee has not joined', async () => {
    const { chat, open, said } = place();
    const outbox = open(failing(chat, { joined: ['@bo:local'] }));
    await outbox.deliver([announcement('for ana', { mustHaveJoined: '@ana:local' })]);
    await outbox.deliver([announcement('for bo', { mustHaveJoined: '@bo:local' })]);
    expect(await said()).toEqual(['text of for bo']);
    expect(states(outbox)).toEqual([['for ana', 'due']]);
  });

  test('takes back what was owed for a commit that was never made', async () => {
    const { open, said } = place();
    const outbox = open();
    outbox.owe([announcement('a'), announcement('b')], undefined);
    outbox.withdraw([announcement('a')]);
    outbox.record();
    expect(states(open())).toEqual([['b', 'waiting']]);
    await outbox.flush();
    expect(await said()).toEqual([]);
  });

  test('says after a crash what the change had become true of, and drops the rest', async () => {
    const { open, said } = place();
    owing(open, [announcement('published'), announcement('never made')]);
    owing(open, [announcement('not pushed yet')], 'c0ffee');
    const outbox = open();
    await outbox.confirm(({ announcement: { txn } }) => txn === 'published');
    expect(states(open())).toEqual([
      ['published', 'due'],
      ['not pushed yet', 'waiting'],
    ]);
    await outbox.flush();
    expect(await said()).toEqual(['text of published']);
    await outbox.confirm(() => Promise.resolve(true));
    await outbox.flush();
    expect(await said()).toEqual(['text of published', 'text of not pushed yet']);
    expect(states(open())).toEqual([]);
  });

  test('does not drop what a command of this process is about to commit', async () => {
    const { open } = place();
    const outbox = open();
    outbox.owe([announcement('a')], undefined);
    await outbox.confirm(() => false);
    expect(states(outbox)).toEqual([['a', 'waiting']]);
  });

  test('says a message once although the process died between saying it and noting that', async () => {
    const { open, said, chat } = place();
    owing(open, [announcement('a')]);
    await chat.send(announcement('a'));
    const outbox = open();
    await outbox.confirm(() => true);
    expect(await outbox.flush()).toMatchObject([{ txn: 'a', sent: true, reused: true }]);
    expect(await said()).toEqual(['text of a']);
  });

  test('keeps what could not be said and tries again, also in a later process', async () => {
    const { open, said, chat } = place();
    let down = true;
    const unreliable = failing(chat, {
      refuse: () => (down ? new FlowError('notify-failed', 'Matrix send failed: 502') : undefined),
    });
    const outbox = open(unreliable);
    expect(await outbox.deliver([announcement('a'), announcement('b')])).toEqual([
      { txn: 'a', sent: false, error: 'Matrix send failed: 502', retryable: true },
      { txn: 'b', sent: false, error: 'Matrix send failed: 502', retryable: true },
    ]);
    expect(open().pending()).toEqual([
      {
        announcement: announcement('a'),
        state: 'due',
        since: '2026-09-01T00:00:00Z',
        error: 'Matrix send failed: 502',
      },
      {
        announcement: announcement('b'),
        state: 'due',
        since: '2026-09-01T00:00:00Z',
        error: 'Matrix send failed: 502',
      },
    ]);
    await outbox.flush();
    expect(await said()).toEqual([]);
    down = false;
    await open(unreliable).flush();
    expect(await said()).toEqual(['text of a', 'text of b']);
    expect(states(open())).toEqual([]);
  });

  test('forgets what can never be said, with a line in the log', async () => {
    const { open, chat, problems } = place();
    const strict = failing(chat, { refuse: () => new FlowError('message-blocked', 'message blocked: x') });
    expect(await open(strict).deliver([announcement('a')])).toMatchObject([{ sent: false, retryable: false }]);
    expect(states(open())).toEqual([]);
    expect(problems.length).toBe(1);
  });

  test('says nothing to somebody who has not joined the room, and keeps it for when they have', async () => {
    const { open, chat, said } = place();
    const joined: string[] = [];
    const outbox = open(failing(chat, { joined }));
    const owed = announcement('a', { mustHaveJoined: '@ana:local' });
    expect(await outbox.deliver([owed])).toEqual([
      { txn: 'a', sent: false, error: 'worker @ana:local is not a joined member of room !team:local', retryable: true },
    ]);
    joined.push('@Ana:local');
    await outbox.flush();
    expect(await said()).toEqual(['text of a']);
  });

  test('asks nobody to join a room that is a log on this machine', async () => {
    const { open, said } = place();
    await open().deliver([announcement('a', { mustHaveJoined: '@ana:local' })]);
    expect(await said()).toEqual(['text of a']);
  });

  test('lets two callers of one transaction share one message', async () => {
    const { open, chat } = place();
    let sends = 0;
    const slow: Chat = {
      ...chat,
      async send(message) {
        sends += 1;
        await new Promise((turn) => setImmediate(turn));
        return chat.send(message);
      },
    };
    const outbox = open(slow);
    const [one, two] = await Promise.all([outbox.deliver([announcement('a')]), outbox.deliver([announcement('a')])]);
    expect(one).toEqual(two);
    expect(sends).toBe(1);
  });

  test('has the follow-up run before a message is forgotten, and runs it again when it failed', async () => {
    const { open, chat } = place();
    const down = failing(chat, { refuse: () => new FlowError('notify-failed', 'down') });
    await open(down).deliver([announcement('a', { followUp })]);
    const outbox = open();
    await expect(outbox.flush(() => Promise.reject(new Error('not now')))).rejects.toThrow('not now');
    expect(states(open())).toEqual([['a', 'due']]);
    const ran: unknown[] = [];
    await open().flush((next, eventId) => {
      ran.push([next, eventId]);
      return Promise.resolve();
    });
    expect(ran).toEqual([[followUp, expect.stringMatching(/^\$/) as string]]);
    expect((await chat.history(undefined, 10)).length).toBe(1);
    expect(states(open())).toEqual([]);
  });

  test('tells the event bus what was said and what was not', async () => {
    const { dir, chat } = place();
    const events = createEventBus();
    const heard: unknown[] = [];
    events.on('message:sent', ({ txn }) => heard.push(['sent', txn]));
    events.on('message:failed', ({ txn, error }) => heard.push(['failed', txn, error]));
    const log = createLog({ level: 'silent' });
    let down = true;
    const unreliable = failing(chat, { refuse: () => (down ? new FlowError('notify-failed', 'down') : undefined) });
    const outbox = createOutbox({ dir, chat: unreliable, clock, log, events });
    await outbox.deliver([announcement('a')]);
    down = false;
    await outbox.flush();
    await outbox.deliver([announcement('a')]);
    expect(heard).toEqual([
      ['failed', 'a', 'down'],
      ['sent', 'a'],
    ]);
  });

  test.each([
    ['torn', '{"schema":1,"owed":[{"sta'],
    ['of another kind', '{"schema":2}'],
    ['empty', ''],
  ])('sets a file that is %s aside and goes on', (_, text) => {
    const { dir, open, problems } = place();
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'outbox.json'), text);
    expect(open().pending()).toEqual([]);
    expect(readFileSync(join(dir, 'outbox.json.broken'), 'utf8')).toBe(text);
    expect(problems.length).toBe(1);
  });
});
