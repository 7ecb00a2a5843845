import { MatrixError } from 'matrix-js-sdk';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { createMatrixChat } from '../../../src/adapters/matrix/chat.ts';
import { isUnknownMark } from '../../../src/adapters/matrix/listen.ts';
import type { Chat, RoomMessage } from '../../../src/ports-chat.ts';
import { testFolder } from '../../support/folders.ts';
import { person } from '../../support/synapse/accounts.ts';
import type { Account, Homeserver } from '../../support/synapse/accounts.ts';
import { onHomeserver } from '../../support/synapse/homeserver.ts';
import { eventually } from '../../support/waiting.ts';

let made = 0;

async function scene(homeserver: Homeserver) {
  made += 1;
  const account = await homeserver.register(`ear${made}`);
  const node = person(homeserver, account);
  const member = person(homeserver, await homeserver.register(`mouth${made}`));
  const room = await node.createRoom({ invite: [member.userId] });
  await member.join(room);
  return { account, node, member, room, dir: testFolder('listen') };
}

/** Much is said, by several hands at once; the room knows in which order. */
async function chatter(
  member: Awaited<ReturnType<typeof scene>>['member'],
  room: string,
  count: number,
): Promise<void> {
  const left = [...Array(count).keys()];
  const hand = async (): Promise<void> => {
    for (let number = left.shift(); number !== undefined; number = left.shift())
      await member.say(room, `line ${number}`);
  };
  await Promise.all([hand(), hand(), hand(), hand()]);
}

/** A chat that listens, and what it heard. */
function listen(homeserver: Homeserver, { userId, accessToken }: Account, dir: string, mayInvite = () => true) {
  const ready = Promise.withResolvers<void>();
  const heard: RoomMessage[] = [];
  const problems: string[] = [];
  const chat: Chat = createMatrixChat({
    homeserver: homeserver.url,
    accessToken,
    self: userId,
    clock: systemClock,
    dir,
    onReady: () => ready.resolve(),
  });
  chat.listen?.({
    hear: (messages) => Promise.resolve(void heard.push(...messages)),
    mayInvite: () => mayInvite,
    problem: ({ message }) => problems.push(message),
  });
  return { ready: ready.promise, texts: () => heard.map(({ text }) => text), problems, close: () => chat.close() };
}

onHomeserver('what was said while a node was away', (homeserver) => {
  test('is heard whole and in order, however much it is', async () => {
    const { account, member, node, dir, room } = await scene(homeserver());
    const other = await node.createRoom({ invite: [member.userId] });
    await member.join(other);
    await member.say(room, 'long ago');
    const before = listen(homeserver(), account, dir);
    await before.ready;
    await before.close();
    await chatter(member, room, 230);
    await member.say(other, 'elsewhere');
    const after = listen(homeserver(), account, dir);
    await eventually(() => after.texts().length >= 231, 'everything is heard');
    await after.close();
    const [, ...wanted] = (await node.messages(room)).map(({ content }) => content.body);
    expect(wanted.length).toBe(230);
    expect(after.texts().filter((text) => text !== 'elsewhere')).toEqual(wanted);
    expect(after.problems).toEqual([]);
  });

  test('in a room before the node came in is history, also when it is more than one answer holds', async () => {
    const { account, member, dir, room } = await scene(homeserver());
    const before = listen(homeserver(), account, dir);
    await before.ready;
    await before.close();
    const later = await member.createRoom();
    await chatter(member, later, 130);
    await member.invite(later, account.userId);
    const after = listen(homeserver(), account, dir);
    await eventually(async () => (await member.joined(later)).includes(account.userId), 'the node joins');
    await member.say(later, 'new');
    await member.say(room, 'new here');
    await eventually(() => after.texts().length >= 2, 'the news is heard');
    await after.close();
    expect(after.texts().toSorted()).toEqual(['new', 'new here']);
  });

  test('is not told twice after a new mark, which is a file of its owner only', async () => {
    const { account, member, dir, room } = await scene(homeserver());
    const first = listen(homeserver(), account, dir);
    await first.ready;
    await member.say(room, 'once');
    await eventually(() => first.texts().length > 0, 'it is heard');
    await first.close();
    expect(statSync(join(dir, 'since')).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(dir, 'since'), 'utf8'))).toMatchObject({ user_id: account.userId });
    const second = listen(homeserver(), account, dir);
    await second.ready;
    await second.close();
    expect(second.texts()).toEqual([]);
  });
});

onHomeserver('a mark of where listening stopped', (homeserver) => {
  const kept = (dir: string) => JSON.parse(readFileSync(join(dir, 'since'), 'utf8')) as Record<string, unknown>;

  test.each([
    ['that the homeserver does not know', { token: 'from-another-life' }, 'the homeserver does not know it'],
    ["of another account's", { user_id: '@other:b' }, 'the file is broken, or of another account or homeserver'],
    ['of another homeserver', { homeserver: 'http://gone' }, 'the file is broken, or of another account or homeserver'],
    ['that was torn', undefined, 'the file is broken, or of another account or homeserver'],
  ])('%s is given up: history is not taken for news, and listening goes on', async (_, change, reason) => {
    const { account, member, dir, room } = await scene(homeserver());
    const first = listen(homeserver(), account, dir);
    await first.ready;
    await first.close();
    await member.say(room, 'pause everything');
    const file = join(dir, 'since');
    writeFileSync(file, change === undefined ? '{"schema": 1, "to' : JSON.stringify({ ...kept(dir), ...change }));
    const second = listen(homeserver(), account, dir);
    await second.ready;
    await member.say(room, 'news');
    await eventually(() => second.texts().length > 0, 'the news is heard');
    await second.close();
    expect(second.texts()).toEqual(['news']);
    expect(second.problems).toEqual([`the mark in .baton/matrix/since is of no use (${reason})`]);
    expect(kept(dir)).toMatchObject({ user_id: account.userId, homeserver: homeserver().url });
  });
});

onHomeserver('an invitation', (homeserver) => {
  test('that came before the files said who may invite is followed once they do', async () => {
    const { account, member, dir, room } = await scene(homeserver());
    let allowed = false;
    const early = listen(homeserver(), account, dir, () => allowed);
    await early.ready;
    const wanted = await member.createRoom({ invite: [account.userId] });
    await eventually(() => early.problems.length > 0, 'the refusal is told');
    await member.say(room, 'something else');
    await eventually(() => early.texts().length > 0, 'it goes on listening');
    await early.close();
    expect(early.problems).toEqual([`${member.userId} invites to room ${wanted}, and is not one who may`]);
    allowed = true;
    const later = listen(homeserver(), account, dir, () => allowed);
    await eventually(async () => (await member.joined(wanted)).includes(account.userId), 'the node joins');
    await later.close();
  });
});

onHomeserver('an encrypted room', (homeserver) => {
  test('is told of once when something is said there that cannot be read', async () => {
    const { account, member, dir } = await scene(homeserver());
    const encryption = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
    const secret = await member.createRoom({ invite: [account.userId], initial_state: [encryption] });
    await person(homeserver(), account).join(secret);
    const ear = listen(homeserver(), account, dir);
    await ear.ready;
    const cipher = {
      algorithm: 'm.megolm.v1.aes-sha2',
      ciphertext: 'x',
      session_id: 's',
      sender_key: 'k',
      device_id: 'd',
    };
    for (const txn of ['1', '2']) {
      await member.call('PUT', `/rooms/${encodeURIComponent(secret)}/send/m.room.encrypted/${txn}`, cipher);
    }
    await member.say(secret, 'in the clear');
    await eventually(() => ear.texts().length > 0, 'the last message is heard');
    await ear.close();
    expect(ear.problems).toEqual([`room ${secret} is encrypted: what is said there cannot be read by Baton`]);
  });
});

test.each([
  [400, 'M_UNKNOWN', "Invalid stream token 'from-another-life'", true],
  [400, 'M_INVALID_PARAM', 'since is not a valid position', true],
  [400, 'M_UNKNOWN', 'Invalid filter JSON', false],
  [400, 'M_BAD_JSON', 'timeout must be a number', false],
  [401, 'M_UNKNOWN_TOKEN', 'Unrecognised access token', false],
  [500, 'M_UNKNOWN', 'Invalid stream token', false],
])('an answer %i %s (%s) means an unknown mark: %s', (status, errcode, error, expected) => {
  expect(isUnknownMark(new MatrixError({ errcode, error }, status))).toBe(expected);
});
