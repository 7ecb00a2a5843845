import { expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { createMatrixChat } from '../../../src/adapters/matrix/chat.ts';
import { testFolder } from '../../support/folders.ts';
import { person } from '../../support/synapse/accounts.ts';
import { onHomeserver } from '../../support/synapse/homeserver.ts';
import { relayTo } from '../../support/synapse/relay.ts';

onHomeserver('examining a homeserver', (homeserver) => {
  test('tells of each room who is in it and whether it is encrypted, and how far the clocks are apart', async () => {
    const account = await homeserver().register('examiner');
    const [self, other] = [
      person(homeserver(), account),
      person(homeserver(), await homeserver().register('examined')),
    ];
    const state = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
    const [open, secret, gone, asked] = [
      await self.createRoom({ invite: [other.userId] }),
      await self.createRoom({ initial_state: [state] }),
      await self.createRoom(),
      await other.createRoom({ invite: [self.userId] }),
    ];
    await self.call('POST', `/rooms/${encodeURIComponent(gone)}/leave`, {});
    const chat = createMatrixChat({
      homeserver: await relayTo(homeserver().url, { clockOff: -3_600_000 }),
      accessToken: account.accessToken,
      self: self.userId,
      dir: testFolder('examine'),
      clock: systemClock,
    });
    const report = await chat.examine?.([`matrix:room:${open}`, secret, gone, asked, '!nowhere:baton.test']);
    expect((await chat.rooms?.members(`room:${open}`))?.map(({ userId }) => userId).toSorted()).toEqual(
      [other.userId, self.userId].toSorted(),
    );
    await chat.close();
    const nobody = { encrypted: false, joined: [], invited: [] };
    expect(report?.rooms).toEqual([
      {
        room: `matrix:room:${open}`,
        state: 'joined',
        encrypted: false,
        joined: [self.userId],
        invited: [other.userId],
      },
      { room: secret, state: 'joined', encrypted: true, joined: [self.userId], invited: [] },
      { room: gone, state: 'left', ...nobody },
      { room: asked, state: 'invited', ...nobody },
      { room: '!nowhere:baton.test', state: 'unknown', ...nobody },
    ]);
    expect(Math.abs((report?.clockAhead ?? 0) - 3_600)).toBeLessThanOrEqual(2);
  });

  test('tells of a room that is not there, where all others are joined', async () => {
    const account = await homeserver().register('loner');
    // A homeserver leaves out what is empty: here the invitations, and the rooms that were left.
    await person(homeserver(), account).createRoom();
    const chat = createMatrixChat({
      homeserver: homeserver().url,
      accessToken: account.accessToken,
      self: account.userId,
      dir: testFolder('examine'),
      clock: systemClock,
    });
    const report = await chat.examine?.(['!nowhere:baton.test']);
    await chat.close();
    expect(report?.problem).toBeUndefined();
    expect(report?.rooms).toEqual([
      { room: '!nowhere:baton.test', state: 'unknown', encrypted: false, joined: [], invited: [] },
    ]);
  });
});
