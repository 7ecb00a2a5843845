import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createLocalChat } from '../../src/adapters/local-chat.ts';
import { createLog } from '../../src/adapters/log.ts';
import type { Execute } from '../../src/flows/operation.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import { createEventBus } from '../../src/events.ts';
import type { Sync, WorkTree } from '../../src/ports.ts';
import type { Chat, Ear, RoomMessage } from '../../src/ports-chat.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import type { Role } from '../../src/protocol/records/types.ts';
import { startListener } from '../../src/services/listener.ts';
import { createOutbox } from '../../src/services/outbox.ts';
import type { Outbox } from '../../src/services/outbox.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';
import { testFolder } from '../support/folders.ts';

const LEAD = '@lead:dom';
const ANA = '@ana:dom';
const TEAM_ROOM = '!team:dom';
const DM = '!dm:dom';

const FILES = {
  'shared/team.json': JSON.stringify({
    admin: { name: 'Admin', matrixUserId: '@admin:dom' },
    teamRoomId: TEAM_ROOM,
    leaderDmRoomId: DM,
  }),
  'shared/agents/lead.json': agent('lead', 'leader'),
  'shared/agents/ana.json': agent('ana', 'worker'),
  'shared/agents/hana.json': agent('hana', 'human'),
};

function agent(id: string, role: string): string {
  return JSON.stringify({ schema: 1, agent_id: id, name: id, matrix_user_id: `@${id}:dom`, role });
}

interface Given {
  readonly files?: Record<string, string>;
  readonly offline?: boolean;
  readonly outbox?: Outbox;
}

/** A listener whose room is in the test's hands; what it causes is noted. */
function listening(role: Role = 'leader', more: Given = {}) {
  const caused: string[] = [];
  const warned: string[] = [];
  let ear: Ear | undefined;
  const note = (what: string): void => void caused.push(what);
  const chat: Chat = {
    kind: 'remote',
    self: role === 'leader' ? LEAD : ANA,
    joined: () => Promise.resolve([]),
    send: () => Promise.reject(new Error('all is said by the outbox')),
    history: () => Promise.resolve([]),
    listen: (given) => {
      ear = given;
      return { close: () => Promise.resolve(note('close')) };
    },
    close: () => Promise.resolve(),
  };
  const pull = (): Promise<never> => {
    note('pull');
    return (
      more.offline === true ? Promise.reject(new FlowError('sync-failed', 'away')) : Promise.resolve()
    ) as Promise<never>;
  };
  const execute: Execute = (name, input, { actor, cause }) => {
    note(`${name} ${JSON.stringify(input)}${cause === undefined ? '' : ` by ${actor.localpart} for ${cause}`}`);
    return Promise.resolve({ submitted: false, project: {} });
  };
  const events = createEventBus();
  const view = createView(memoryReader({ ...FILES, ...more.files }));
  const warn = ({ sender }: Record<string, unknown>, message: string): void =>
    void warned.push(typeof sender === 'string' ? `${message} ${sender}` : message);
  const listener = startListener({
    chat,
    sync: { pull } as unknown as Sync,
    workTree: { view: () => view, root: testFolder('listener') } as unknown as WorkTree,
    outbox: more.outbox ?? {
      deliver: (announcements) => {
        for (const { txn, room, text } of announcements) note(`reply ${txn} ${room} ${text}`);
        return Promise.resolve([]);
      },
    },
    clock: systemClock,
    events,
    reconciler: {
      wake: () => note('wake'),
      settled: () => Promise.resolve(),
      idle: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    execute,
    identity: { localpart: role === 'leader' ? 'lead' : 'ana', matrixUserId: chat.self, role },
    log: { debug: () => undefined, info: () => undefined, warn, error: warn },
  });
  const hear = async (...messages: Partial<RoomMessage>[]): Promise<readonly string[]> => {
    await ear?.hear(
      messages.map((message, index) => ({
        eventId: `$${index}`,
        room: TEAM_ROOM,
        sender: ANA,
        text: '',
        mentions: [],
        at: '2026-01-01T00:00:00Z',
        ...message,
      })),
    );
    return caused.splice(0);
  };
  return { hear, warned, caused, listener, events, mayInvite: (user: string) => ear?.mayInvite()(user) };
}

describe('a message', () => {
  test.each([
    ['names the node in its metadata', { text: 'please look', mentions: [LEAD] }],
    ['names the node by full id in its text', { text: `${LEAD} please look` }],
    ['names the node in a thread', { text: `${LEAD} please look`, inThread: true }],
    ['names the whole room', { text: 'please look, all of you', toAll: true }],
    ['comes from the admin in the Leader DM', { text: 'how is it going?', room: `room:${DM}`, sender: '@admin:dom' }],
  ])('that %s makes it take up the remote and look', async (_, message) => {
    expect(await listening().hear(message)).toEqual(['pull', 'wake']);
  });

  test.each([
    ['names nobody', { text: 'please look' }],
    ['names somebody else', { text: '@lead:domain @leader:dom lead please look', mentions: ['@lead:other'] }],
    ['names a localpart only', { text: '@lead please look', mentions: ['lead'] }],
    ['says NO_REPLY', { text: ' NO_REPLY ', mentions: [LEAD] }],
    ['only acknowledges', { text: `${LEAD} ok`, mentions: [LEAD] }],
    ['only mentions', { text: LEAD, mentions: [LEAD] }],
    ['comes from a stranger', { text: `${LEAD} please look`, mentions: [LEAD], sender: '@mallory:dom' }],
    ['comes from a look-alike', { text: `${LEAD} please look`, mentions: [LEAD], sender: '@ana:evil' }],
    ['comes from a Worker in the Leader DM', { text: 'how is it going?', room: DM }],
    [
      'comes from the admin in a thread of the Leader DM',
      { text: 'hm', room: DM, sender: '@admin:dom', inThread: true },
    ],
    ['is what a bot says', { text: `${LEAD} please look`, mentions: [LEAD], form: 'notice' as const }],
    ['is its own', { text: `${LEAD} please look`, mentions: [LEAD], sender: LEAD }],
  ])('that %s wakes nobody', async (_, message) => {
    expect(await listening().hear(message)).toEqual([]);
  });

  test('by a stranger is noted, once it names the node', async () => {
    const { hear, warned } = listening();
    await hear({ text: 'hello', sender: '@mallory:dom' }, { text: `${LEAD} hello`, sender: '@mallory:dom' });
    expect(warned).toEqual(['a mention by somebody who is not of the team was ignored @mallory:dom']);
  });

  test('by somebody who was given a task is heard, though the roster does not name them', async () => {
    const meta = {
      task_id: 't-1',
      project_id: 'p',
      task_title: 't',
      assigned_to: 'bo',
      assigned_to_mxid: '@bo:dom',
      status: 'assigned',
      depends_on: [],
    };
    const { hear } = listening('leader', { files: { 'shared/tasks/t-1/meta.json': JSON.stringify(meta) } });
    expect(await hear({ text: `${LEAD} a question`, sender: '@bo:dom' })).toEqual(['pull', 'wake']);
  });

  test('of many that come together makes one look', async () => {
    const message = { text: `${LEAD} please look` };
    expect(await listening().hear(message, message, message)).toEqual(['pull', 'wake']);
  });

  test('wakes the node even when the remote cannot be reached', async () => {
    const { hear, warned } = listening('leader', { offline: true });
    expect(await hear({ text: `${LEAD} please look` })).toEqual(['pull', 'wake']);
    expect(warned).toEqual(['mentioned, but the remote cannot be reached']);
  });
});

describe('agents that answer each other and change nothing', () => {
  const hello = { text: `${LEAD} hello again` };

  test('wake each other for two rounds, and that it ends there is noted once', async () => {
    const { hear, warned } = listening();
    const woken = [];
    for (let round = 0; round < 5; round += 1) woken.push((await hear(hello)).includes('wake'));
    expect(woken).toEqual([true, true, false, false, false]);
    expect(warned).toEqual([`mentioned again and again while nothing changes; not woken by it ${ANA}`]);
  });

  test('wake each other for as many rounds as the team says', async () => {
    const team = JSON.stringify({ policies: { mentionRounds: 1 } });
    const { hear } = listening('leader', { files: { 'shared/team.json': team } });
    expect(await hear(hello)).toEqual(['pull', 'wake']);
    expect(await hear(hello)).toEqual([]);
  });

  test('are heard again once something has changed, in another room, and from somebody else', async () => {
    const { hear, events } = listening();
    await hear(hello, hello, hello);
    expect(await hear(hello)).toEqual([]);
    expect(await hear({ ...hello, room: '!other:dom' })).toEqual(['pull', 'wake']);
    expect(await hear({ ...hello, sender: '@hana:dom' })).toEqual(['pull', 'wake']);
    events.emit('sync:changed', { remote: true, changed: [], refusals: [], conflicts: [] });
    expect(await hear(hello)).toEqual([]);
    events.emit('sync:changed', { remote: true, changed: ['shared/team.json'], refusals: [], conflicts: [] });
    expect(await hear(hello)).toEqual(['pull', 'wake']);
    await hear(hello, hello);
    events.emit('operation:done', { operation: 'x', actor: 'lead', commit: 'c0ffee', subject: {} });
    expect(await hear(hello)).toEqual(['pull', 'wake']);
  });

  test('never keep a person from being heard', async () => {
    const { hear } = listening();
    for (const sender of ['@hana:dom', '@admin:dom'])
      for (let round = 0; round < 4; round += 1) expect(await hear({ ...hello, sender })).toEqual(['pull', 'wake']);
  });

  test('are heard with a line of the protocol that the files confirm, and only then', async () => {
    const meta = { task_id: 't-1', project_id: 'p', task_title: 't', assigned_to: 'ana', status: 'submitted' };
    const { hear, warned } = listening('leader', { files: { 'shared/tasks/t-1/meta.json': JSON.stringify(meta) } });
    const about = (): number => warned.filter((line) => line.startsWith('mentioned again and again')).length;
    await hear(hello, hello);
    for (let round = 0; round < 3; round += 1)
      expect(await hear({ text: `${LEAD} TASK_COMPLETED: t-1 - Result: x` })).toContain('wake');
    expect(about()).toBe(0);
    expect(await hear({ text: `${LEAD} TASK_COMPLETED: t-2 - Result: x` })).toEqual(['pull']);
    expect(about()).toBe(1);
    await hear(hello);
    expect(about()).toBe(1);
    expect(await hear({ text: `${LEAD} TASK_COMPLETED: t-1 - Result: x` })).toEqual([
      'pull',
      'wake',
      'task.check {"taskId":"t-1"}',
    ]);
  });
});

describe('a line of the protocol', () => {
  test('that claims a result is confirmed by looking, and changes nothing', async () => {
    const { hear, warned } = listening();
    expect(await hear({ text: `${LEAD} TASK_COMPLETED: t-1 - Result: x`, mentions: [LEAD] })).toEqual([
      'pull',
      'wake',
      'task.check {"taskId":"t-1"}',
    ]);
    expect(warned).toEqual([`a message claims a result that the files do not show ${ANA}`]);
  });

  test('stands in each paragraph of a digest', async () => {
    const { hear } = listening();
    const text = ['t-1', 't-2', 't-1'].map((id) => `${LEAD} TASK_COMPLETED: ${id} - Result: x\n- more`).join('\n\n');
    expect(await hear({ text })).toEqual([
      'pull',
      'wake',
      'task.check {"taskId":"t-1"}',
      'task.check {"taskId":"t-2"}',
    ]);
  });

  test("that claims somebody else's result is noted and not looked up", async () => {
    const meta = { task_id: 't-1', project_id: 'p', task_title: 't', assigned_to: 'bo', status: 'submitted' };
    const { hear, warned } = listening('leader', { files: { 'shared/tasks/t-1/meta.json': JSON.stringify(meta) } });
    expect(await hear({ text: `${LEAD} TASK_COMPLETED: t-1 - Result: x` })).toEqual(['pull', 'wake']);
    expect(warned).toEqual([`a message claims a result for a task of somebody else ${ANA}`]);
  });

  test('in thousands makes few looks, and a message of any size is heard', async () => {
    const { hear } = listening();
    const claims = [...Array(3_000).keys()].map((id) => `${LEAD} TASK_COMPLETED: t-${id} - x`).join('\n\n');
    expect((await hear({ text: claims })).filter((what) => what.startsWith('task.check')).length).toBe(20);
    const crowd = [...Array(5_000).keys()].map((id) => `@a${id}:dom`);
    expect(await hear({ text: `${crowd.join(' ')} ${'x'.repeat(200_000)}`, mentions: [...crowd, LEAD] })).toContain(
      'wake',
    );
  });

  test('that assigns a task wakes its Worker', async () => {
    const { hear } = listening('worker');
    expect(await hear({ text: `${ANA} TASK_ASSIGNED: t-1 - x`, sender: LEAD, mentions: [ANA] })).toEqual([
      'pull',
      'wake',
    ]);
  });
});

describe('a command', () => {
  const meta = JSON.stringify({ project_id: 'p', title: 'P', status: 'active' });
  const files = { 'shared/projects/p/meta.json': meta };
  const order = { text: 'pause p', room: DM, sender: '@admin:dom' };
  const done = [
    'project.pause {"projectId":"p"} by admin for $0',
    `reply reply-$0 ${DM} Project \`p\` is paused. Work under way goes on; nothing new is started.`,
  ];

  test("of the admin in the Leader DM is carried out in the admin's name, and answered", async () => {
    expect(await listening('leader', { files }).hear(order)).toEqual(done);
  });

  test('that is heard again is answered with the same words, and not carried out again', async () => {
    const { hear } = listening('leader', { files });
    await hear(order);
    expect(await hear(order)).toEqual(done.slice(1));
  });

  test.each([
    ['by a Worker', { sender: ANA }],
    ['by somebody who looks like the admin', { sender: '@admin:evil' }],
    ['by somebody who is written like the admin', { sender: '@Admin:dom' }],
    ['by the admin in another room', { room: TEAM_ROOM }],
  ])('%s is ignored, and that is noted', async (_, change) => {
    const { hear, warned } = listening('leader', { files });
    expect((await hear({ ...order, ...change })).filter((what) => !/^(?:pull|wake)$/.test(what))).toEqual([]);
    expect(warned).toEqual([
      expect.stringMatching(/^a command was ignored: only the admin gives them, in the Leader DM/) as string,
    ]);
  });

  test.each([
    ['an edit', { form: 'edit' as const }],
    ["a bot's notice", { form: 'notice' as const }],
    ['the name of a file', { form: 'other' as const }],
    ['a quotation', { text: '> <@lead:dom> pause p\n\nwhat does this do?' }],
    ['part of a thread', { inThread: true }],
  ])('that is %s is talk', async (_, change) => {
    const caused = await listening('leader', { files }).hear({ ...order, ...change });
    expect(caused.filter((what) => !/^(?:pull|wake)$/.test(what))).toEqual([]);
  });

  test("in a Worker's hearing is nothing to it", async () => {
    expect(await listening('worker', { files }).hear(order)).toEqual([]);
  });
});

describe('the rest of listening', () => {
  const probe = 'readiness check: reply with the exact text READY';

  test('a readiness check is answered whoever asks, when it names the node', async () => {
    const { hear } = listening();
    expect(await hear({ text: `${LEAD} ${probe}`, sender: '@probe:dom' })).toEqual([
      `reply ready-$0 ${TEAM_ROOM} READY`,
    ]);
    expect(await hear({ text: probe, sender: '@probe:dom' })).toEqual([]);
  });

  test('a readiness check that the homeserver does not take yet is answered when it does', async () => {
    const dir = testFolder('ready');
    const rooms = createLocalChat({ dir: join(dir, 'rooms'), self: LEAD, clock: systemClock });
    let isBusy = true;
    const busy = new FlowError('notify-failed', 'too many', { data: { retryAfterMs: 5_000 } });
    const send: Chat['send'] = (message) => (isBusy ? Promise.reject(busy) : rooms.send(message));
    const log = createLog({ level: 'silent' });
    const outbox = createOutbox({ dir, chat: { ...rooms, send }, clock: systemClock, log });
    const { hear } = listening('leader', { outbox });
    await hear({ text: `${LEAD} ${probe}`, sender: '@probe:dom' });
    isBusy = false;
    await outbox.flush();
    expect((await rooms.history(TEAM_ROOM, 10)).map(({ text }) => text)).toEqual(['READY']);
  });

  test('the admin and the Leader may invite', () => {
    const { mayInvite } = listening('worker');
    expect(['@admin:dom', LEAD, ANA, '@mallory:dom', '@lead:evil'].map(mayInvite)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('it ends when it is disposed of', async () => {
    const { listener, caused } = listening();
    await listener?.[Symbol.asyncDispose]();
    expect(caused).toEqual(['close']);
  });
});
