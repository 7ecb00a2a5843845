import type { App, CallActor } from '../app-types.ts';
import { localpartOf, sameLocalpart } from '../protocol/identity.ts';
import { agentPath, TEAM_PATH } from '../protocol/paths.ts';
import { parseAgent } from '../protocol/records/agent.ts';
import { parseTeam } from '../protocol/records/team.ts';

/** Who acts, as a caller says it: `--as` and `--role`. */
export interface Acting {
  readonly as?: string;
  readonly role?: string;
}

/**
 * Who acts: nothing given means the configured identity. A name without a role takes the role of its agent record, and
 * without one it is a Worker, the role that can do least harm.
 */
export async function actorOf(app: App, { as, role }: Acting): Promise<CallActor | undefined> {
  if (as === undefined && role === undefined) return undefined;
  const localpart = as === undefined ? app.identity.localpart : localpartOf(as);
  if (role !== undefined) return { localpart, role };
  if (sameLocalpart(localpart, app.identity.localpart)) return { localpart, role: app.identity.role };
  const record = await app.text(agentPath(localpart));
  const leads = record !== undefined && parseAgent(record, localpart).agent?.role === 'leader';
  return { localpart, role: leads ? 'leader' : 'worker' };
}

/** The team's room; `undefined` when `shared/team.json` names none. */
export async function teamRoom(app: App): Promise<string | undefined> {
  const { team } = parseTeam(await app.text(TEAM_PATH));
  return team.teamRoomId === '' ? undefined : team.teamRoomId;
}
