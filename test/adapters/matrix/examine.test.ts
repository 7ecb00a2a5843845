import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { createMatrixChat } from '../../../src/adapters/matrix/chat.ts';
import { testFolder } from '../../support/folders.ts';
import { person } from '../../support/synapse/accounts.ts';
import { onHomeserver } from '../../support/synapse/homeserver.ts';

/** The homeserver at `url`, with a clock that is wrong by `millis`. */
async function shifted(url: string, millis: number): Promise<string> {
  const server = createServer((incoming, answer) => {
    const { method, headers, url: path = '/' } = incoming;
    const outgoing = request(new URL(path, url), { method, headers }, (response) => {
      const date = new Date(Date.now() + millis).toUTCString();
      answer.writeHead(response.statusCode ?? 502, { ...response.headers, date });
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

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
      homeserver: await shifted(homeserver().url, -3_600_000),
      accessToken: account.accessToken,
      self: self.userId,
      dir: testFolder('examine'),
      clock: systemClock,
    });
    const report = await chat.examine?.([`matrix:room:${open}`, secret, gone, asked, '!nowhere:baton.test']);
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
});
