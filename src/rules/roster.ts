import type { AgentRecord } from '../protocol/records/types.ts';

/** What findings about projects and tasks, and the ways of reports, read of an agent: who it is, not how busy or able. */
export const NAMING_FIELDS = [
  'agent_id',
  'enabled',
  'matrix_user_id',
  'name',
  'role',
] as const satisfies readonly (keyof AgentRecord)[];

/** Equal for two rosters that no finding about a project or task, and no way of a report, can tell from each other. */
export function rosterFooting(agents: readonly AgentRecord[]): string {
  return JSON.stringify(agents.map((agent) => NAMING_FIELDS.map((field) => agent[field] ?? null)));
}
