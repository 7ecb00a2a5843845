import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../app-types.ts';
import { CONFIG_FILE } from '../config.ts';
import { FlowError } from '../protocol/errors.ts';
import { renderJson } from '../protocol/json.ts';
import { TEAM_PATH } from '../protocol/paths.ts';
import { parseTeam } from '../protocol/records/team.ts';
import { call, until } from './calls.ts';
import { person } from './homeserver/accounts.ts';
import type { Account, Homeserver, Person } from './homeserver/accounts.ts';
import { findHomeserver } from './homeserver/find.ts';
import { startSynapse } from './homeserver/server.ts';
import type { House, Login, Rooms } from './house.ts';

/** Where each node finds its token: in its own environment, so that none is left in a folder. */
const TOKEN = 'BATON_MATRIX_TOKEN';

/** How often the homeserver is asked for news, milliseconds: all of the demo shares one machine with it. */
const PACE = 500;

interface MatrixHouseOptions {
  /** The Leader first. */
  readonly members: readonly string[];
  readonly signal: AbortSignal;
  /** Called with a sentence before what takes a while. */
  readonly say: (sentence: string) => void;
}

/**
 * A homeserver for one demo, whose limits are those that Synapse has by default, with an account for each of `members`
 * and for their requester. What is started is registered on `stack`, whose disposal takes it down. Throws
 * `bad-config` where there is no homeserver and none can be started.
 */
export async function openMatrixHouse(
  { members, signal, say }: MatrixHouseOptions,
  stack: AsyncDisposableStack,
): Promise<House & { readonly login: Login }> {
  const homeserver = await homeserverFor(stack, say);
  signal.throwIfAborted();
  const accounts = new Map<string, Account>();
  for (const name of members) accounts.set(name, await homeserver.register(name));
  const account = await homeserver.register('admin');
  const requester = person(homeserver, account);
  const login: Login = { homeserver: homeserver.url, userId: account.userId, password: account.password };
  const accountOf = (name: string): Account => {
    const found = accounts.get(name);
    if (found === undefined) throw new Error(`${name} has no account`);
    return found;
  };
  const envOf = (name: string): NodeJS.ProcessEnv => ({ [TOKEN]: accountOf(name).accessToken });

  return {
    login,
    envOf,
    idOf: (name) => accountOf(name).userId,
    furnish(name, root) {
      edit(join(root, CONFIG_FILE), { matrix: { homeserver: homeserver.url, accessTokenEnv: TOKEN } });
      const admin = { name: 'The requester', matrixUserId: account.userId };
      if (name === members[0]) edit(join(root, TEAM_PATH), { admin });
    },
    async gather(leader) {
      await leader.sync();
      const invite = members.slice(1).map((worker) => accountOf(worker).userId);
      await call(leader, 'team', 'setup', { invite });
      const rooms = await roomsOf(leader);
      for (const room of [rooms.team, rooms.requester]) await requester.join(room);
      await everybodyIn(requester, rooms.team, [...accounts.values()], signal);
      return { ...rooms, login, pace: PACE, read: (room) => readAs(requester, room) };
    },
  };
}

async function homeserverFor(stack: AsyncDisposableStack, say: (sentence: string) => void): Promise<Homeserver> {
  say('Looking for a homeserver; the first time, Synapse is installed, which takes a minute.');
  const source = await findHomeserver(process.env);
  if ('foreign' in source) return source.foreign;
  if ('missing' in source) {
    throw new FlowError('bad-config', source.missing, {
      remedy:
        'mend that (a Synapse of its own needs Python 3.10 or newer with venv), or play the demo without --matrix',
    });
  }
  const synapse = await startSynapse(source.own, { rateLimits: 'default' });
  stack.defer(() => synapse.stop());
  return synapse;
}

/** As a person adds a section to a file that `baton init` has made. */
function edit(path: string, section: Readonly<Record<string, unknown>>): void {
  const known = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, renderJson({ ...known, ...section }));
}

async function roomsOf(leader: App): Promise<Pick<Rooms, 'team' | 'requester'>> {
  const { team } = parseTeam(await leader.text(TEAM_PATH));
  return { team: team.teamRoomId, requester: team.leaderDmRoomId };
}

/** Nodes follow their Leader's invitations by themselves; nobody is written to before that. */
async function everybodyIn(
  requester: Person,
  room: string,
  accounts: readonly Account[],
  signal: AbortSignal,
): Promise<void> {
  await until(
    async () => {
      const joined = await requester.joined(room);
      return accounts.every(({ userId }) => joined.includes(userId)) || undefined;
    },
    signal,
    PACE,
  );
}

/** What a room holds, as the homeserver gives it to somebody who is no part of Baton. */
async function readAs(requester: Person, room: string): ReturnType<Rooms['read']> {
  const events = await requester.messages(room);
  return events.map(({ sender, content }) => ({ sender, text: content.body ?? '' }));
}
