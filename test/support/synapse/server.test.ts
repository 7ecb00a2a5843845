import { expect, test } from 'vitest';
import { person } from './accounts.ts';
import { onHomeserver, onOwnHomeserver } from './homeserver.ts';

onHomeserver('a homeserver for tests', (homeserver) => {
  test('has accounts that talk in rooms', async () => {
    const lead = person(homeserver(), await homeserver().register('lead'));
    const ana = person(homeserver(), await homeserver().register('ana'));
    const room = await lead.createRoom({ invite: [ana.userId] });
    await ana.join(room);
    const content = { msgtype: 'm.text', body: 'hello' };
    const path = `/rooms/${encodeURIComponent(room)}/send/m.room.message/1`;
    const { event_id: sent } = await ana.call('PUT', path, content);
    expect(await lead.messages(room)).toMatchObject([{ event_id: sent, sender: ana.userId, content }]);
  });
});

onOwnHomeserver('a throw-away Synapse', { rateLimits: 'default' }, (homeserver) => {
  test('keeps what it holds while it is down, and has the limits that Synapse has', async () => {
    const account = await homeserver().register('lead');
    const lead = person(homeserver(), account, { patient: false });
    const room = await lead.createRoom();
    const say = (txn: number): Promise<unknown> =>
      lead.call('PUT', `/rooms/${encodeURIComponent(room)}/send/m.room.message/${txn}`, {
        msgtype: 'm.text',
        body: `${txn}`,
      });
    await say(0);
    await homeserver().halt();
    await expect(say(1)).rejects.toThrow('fetch failed');
    await homeserver().start();
    await expect(
      (async () => {
        for (let txn = 1; txn < 20; txn += 1) await say(txn);
      })(),
    ).rejects.toThrow('M_LIMIT_EXCEEDED');
    const said = (await lead.messages(room)).map(({ content }) => content.body);
    expect(said.slice(0, 2)).toEqual(['0', '1']);
    expect(said.length).toBeLessThan(20);
    // Who waits as long as it says is not refused.
    await expect(lead.say(room, 'hasty')).rejects.toThrow('M_LIMIT_EXCEEDED');
    const patient = await person(homeserver(), account).say(room, 'patient');
    expect((await lead.messages(room)).at(-1)).toMatchObject({ event_id: patient, content: { body: 'patient' } });
  });
});
