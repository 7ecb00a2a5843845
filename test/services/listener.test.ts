import { describe, expect, test } from 'vitest';
import type { Execute } from '../../src/flows/operation.ts';
import type { Chat, Ear, OutgoingMessage, RoomMessage, Sync, WorkTree } from '../../src/ports.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import type { Role } from '../../src/protocol/records/types.ts';
import { startListener } from '../../src/services/listener.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';

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
};

function agent(id: string, role: string): string {
  return JSON.stringify({ schema: 1, agent_id: id, name: id, matrix_user_id: `@${id}:dom`, role });
}

/** A listener whose room is in the test's hands; what it causes is noted. */
function listening(role: Role = 'leader', more: { files?: Record<string, string>; offline?: boolean } = {}) {
  const caused: string[] = [];
  const warned: string[] = [];
  let ear: Ear | undefined;
  const note = (what: string): void => void caused.push(what);
  const chat: Chat = {
    kind: 'remote',
    self: role === 'leader' ? LEAD : ANA,
    joined: () => Promise.resolve([]),
    send: ({ txn, text }: OutgoingMessage) => {
      note(`send ${txn} ${text}`);
      return Promise.resolve({ eventId: '$1', reused: false });
    },
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
  const execute: Execute = (name, input) => {
    note(`${name} ${JSON.stringify(input)}`);
    return Promise.resolve({ submitted: false });
  };
  const view = createView(memoryReader({ ...FILES, ...more.files }));
  const warn = ({ sender }: Record<string, unknown>, message: string): void =>
    void warned.push(typeof sender === 'string' ? `${message} ${sender}` : message);
  const listener = startListener({
    chat,
    sync: { pull } as unknown as Sync,
    workTree: { view: () => view } as WorkTree,
    reconciler: { wake: () => note('wake'), idle: () => Promise.resolve(), close: () => Promise.resolve() },
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
  return { hear, warned, caused, listener, mayInvite: (user: string) => ear?.mayInvite(user) };
}

describe('a message', () => {
  test.each([
    ['names the node in its metadata', { text: 'please look', mentions: [LEAD] }],
    ['names the node by full id in its text', { text: `${LEAD} please look` }],
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

  test('that assigns a task wakes its Worker', async () => {
    const { hear } = listening('worker');
    expect(await hear({ text: `${ANA} TASK_ASSIGNED: t-1 - x`, sender: LEAD, mentions: [ANA] })).toEqual([
      'pull',
      'wake',
    ]);
  });
});

describe('the rest of listening', () => {
  const probe = 'readiness check: reply with the exact text READY';

  test('a readiness check is answered whoever asks, when it names the node', async () => {
    const { hear } = listening();
    expect(await hear({ text: `${LEAD} ${probe}`, sender: '@probe:dom' })).toEqual(['send ready-$0 READY']);
    expect(await hear({ text: probe, sender: '@probe:dom' })).toEqual([]);
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
