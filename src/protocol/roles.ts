import { ROLES } from './records/types.ts';
import type { Actor, Role } from './records/types.ts';

const ALIASES: Readonly<Record<string, Role>> = {
  'team-leader': 'leader',
  teamleader: 'leader',
  'team-leader-agent': 'leader',
  remote: 'remote-member',
  'remote-member-agent': 'remote-member',
};

/** A role token or one of its aliases, in any letter case and with `_` for `-` (protocol.md §0.3). */
export function parseRole(text: string): Role | undefined {
  const token = text.trim().toLowerCase().replaceAll('_', '-');
  return ROLES.find((role) => role === token) ?? ALIASES[token];
}

/** Whose node publishes for the team: the Leader's, or the admin's. */
export const leads = ({ role }: Pick<Actor, 'role'>): boolean => role === 'leader' || role === 'admin';

/** Who may write the Leader's files (architecture.md, "Files and owners"). */
export const isLeading = (actor: Pick<Actor, 'role'>): boolean => leads(actor) || actor.role === 'manager';

/** Whose node works on a lane of its own. */
export const hasLane = (role: Role): boolean => role === 'worker' || role === 'remote-member';
