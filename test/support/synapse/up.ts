import { once } from 'node:events';
import { person } from '../../../src/demo/homeserver/accounts.ts';
import { installSynapse } from '../../../src/demo/homeserver/install.ts';
import { startSynapse } from '../../../src/demo/homeserver/server.ts';

/** `npm run matrix:up [-- PORT]`: a throw-away homeserver with a team's accounts and rooms, until Ctrl-C; 0: a free port. */
const NAMES = ['admin', 'lead', 'ana', 'bo'];
const PORT = 8008;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [wanted = `${PORT}`] = process.argv.slice(2);
const installed = await installSynapse();
if ('missing' in installed) {
  process.stderr.write(`There is no homeserver to start: ${installed.missing}\n`);
  process.exit(1);
}
const homeserver = await startSynapse(installed.python, { rateLimits: 'default', port: Number(wanted) }).catch(
  (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`The homeserver does not start: ${reason}\nanother port: npm run matrix:up -- 0\n`);
    process.exit(1);
  },
);
try {
  say(`Homeserver  ${homeserver.url}  (${homeserver.serverName}; everything in it is gone when it stops)\n`);
  const accounts = await Promise.all(NAMES.map((name) => homeserver.register(name)));
  say(`${'account'.padEnd(20)} ${'password'.padEnd(24)} access token`);
  for (const { userId, password, accessToken } of accounts) say(`${userId.padEnd(20)} ${password} ${accessToken}`);

  const people = accounts.map((account) => person(homeserver, account));
  const [admin, lead] = people;
  if (admin === undefined || lead === undefined) throw new Error('a team needs an admin and a Leader');
  const room = async (name: string, members: readonly (typeof lead)[]): Promise<string> => {
    const id = await lead.createRoom({ name, invite: members.map(({ userId }) => userId) });
    for (const member of members) await member.join(id);
    return id;
  };
  const others = people.filter((member) => member !== lead);
  say(`\nTeam Room   ${await room('Team Room', others)}`);
  say(`Leader DM   ${await room('Leader DM', [admin])}`);
  say('\nThe tests, and the demo, of another terminal use it with');
  say(
    `BATON_TEST_HOMESERVER=${homeserver.url} BATON_TEST_HOMESERVER_SECRET=${homeserver.secret} npm test -- test/scenario`,
  );
  say('\nCtrl-C stops it.');
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
} finally {
  await homeserver.stop();
}
