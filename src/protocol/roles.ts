import { ROLES } from './records/types.ts';
import type { Role } from './records/types.ts';

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
