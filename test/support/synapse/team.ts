import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initWorkspace, startNode } from '../../../src/app.ts';
import type { App, Envelope, RunningNode } from '../../../src/app-types.ts';
import type { Log } from '../../../src/ports.ts';
import { cleanEnvironment } from '../baton.ts';
import { testFolder } from '../folders.ts';
import { expect, onTestFinished } from 'vitest';
import { person } from './accounts.ts';
import type { Account, Homeserver } from './accounts.ts';

export const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * A Leader and Workers with accounts and clones of their own, and people who only have accounts; with rooms that all
 * have joined, unless the team is still without. Their nodes reach the homeserver at `through`.
 */
export async function matrixTeam(
  homeserver: Homeserver,
  { workers = ['ana'], rooms = true, through = homeserver.url } = {},
) {
  const folder = testFolder('mx');
  const remote = join(folder, 'team.git');
  const register = async (name: string) => {
    const account = await homeserver.register(name);
    return { account, ...person(homeserver, account), dir: join(folder, name) };
  };
  const suffix = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;
  const lead = await register(`lead-${suffix}`);
  const members = await Promise.all(workers.map((name) => register(`${name}-${suffix}`)));
  const admin = await register(`admin-${suffix}`);
  const observer = await register(`observer-${suffix}`);
  const room = async (name: string, others: readonly (typeof lead)[]): Promise<string> => {
    const id = await lead.createRoom({ name, invite: others.map(({ userId }) => userId) });
    for (const other of others) await other.join(id);
    return id;
  };
  const teamRoom = rooms ? await room('Team Room', [...members, admin, observer]) : '';
  const leaderDm = rooms ? await room('Leader DM', [admin, observer]) : '';

  const init = async (one: typeof lead, role: string): Promise<void> => {
    await initWorkspace({ dir: one.dir, env: cleanEnvironment(), role, as: one.userId, remote });
    configure(one.dir, one.account, role, remote, through);
  };
  await init(lead, 'leader');
  const team = {
    schema: 1,
    name: 'team',
    admin: { name: 'Admin', matrixUserId: admin.userId },
    ...(rooms ? { teamRoomId: teamRoom, leaderDmRoomId: leaderDm } : {}),
  };
  writeFileSync(join(lead.dir, 'shared/team.json'), `${JSON.stringify(team, undefined, 2)}\n`);
  for (const member of members) await init(member, 'worker');
  return { lead, members, admin, observer, teamRoom, leaderDm, remote };
}

function configure(dir: string, { userId }: Account, role: string, remote: string, homeserver: string): void {
  const config = {
    identity: { matrixUserId: userId, role },
    git: { remote },
    matrix: { homeserver, accessTokenEnv: 'TEST_MATRIX_TOKEN' },
  };
  writeFileSync(join(dir, 'baton.json'), `${JSON.stringify(config, undefined, 2)}\n`);
}

/** The environment in which somebody's node finds the token. */
export function tokenOf({ accessToken }: Account): NodeJS.ProcessEnv {
  return { ...cleanEnvironment(), TEST_MATRIX_TOKEN: accessToken };
}

/** The node of one of them, in this process, until the test ends. */
export async function startMatrixNode(
  { dir, account }: { readonly dir: string; readonly account: Account },
  log: Log = SILENT,
): Promise<RunningNode> {
  const node = await startNode({ root: dir, env: tokenOf(account), log });
  onTestFinished(() => node.stop());
  return node;
}

/** An action of the Leader, or of a Worker whom its node hosts. */
export function call(app: App, action: string, payload: object, worker?: string): Promise<Envelope> {
  return app.call({
    tool: action.endsWith('task') ? 'taskflow' : 'projectflow',
    action,
    payload,
    ...(worker === undefined ? {} : { actor: { localpart: worker, role: 'worker' } }),
  });
}

/** As `call`; fails the test unless the answer is ok. */
export async function must(app: App, action: string, payload: object, worker?: string): Promise<Envelope> {
  const answer = await call(app, action, payload, worker);
  expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
  return answer;
}
