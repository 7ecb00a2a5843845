import { expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { createMatrixChat } from '../../../src/adapters/matrix/chat.ts';
import { testFolder } from '../../support/folders.ts';
import { person } from '../../support/synapse/accounts.ts';
import { onHomeserver } from '../../support/synapse/homeserver.ts';

onHomeserver('a room of a purpose', (homeserver) => {
  test('is found when this account made it and marked it, whatever others have marked', async () => {
    const account = await homeserver().register('keeper');
    const node = person(homeserver(), account);
    const mallory = person(homeserver(), await homeserver().register('mallory'));
    const chat = createMatrixChat({
      homeserver: homeserver().url,
      accessToken: account.accessToken,
      self: account.userId,
      dir: testFolder('rooms'),
      clock: systemClock,
    });
    const mark = { type: 'dev.batond.room', state_key: '', content: { purpose: 'team/teamRoomId' } };
    const trap = await mallory.createRoom({ invite: [account.userId], initial_state: [mark] });
    await node.join(trap);
    const shared = await node.createRoom({ invite: [mallory.userId], preset: 'trusted_private_chat' });
    await mallory.join(shared);
    await mallory.call('PUT', `/rooms/${encodeURIComponent(shared)}/state/${mark.type}/`, mark.content);
    expect(await chat.rooms?.find('team/teamRoomId')).toBeUndefined();

    const room = { purpose: 'team/teamRoomId', name: 'Team Room', topic: '', invite: [] };
    const made = await chat.rooms?.create(room);
    expect(await chat.rooms?.find('team/teamRoomId')).toBe(made);
    await chat.close();
  });
});
