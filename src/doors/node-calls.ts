/** The calls that show what a node sees; for people, and not among the protocol's tools. */
export const NODE = {
  board: { tool: 'node', action: 'board' },
  inbox: { tool: 'node', action: 'inbox' },
  log: { tool: 'node', action: 'log' },
  status: { tool: 'node', action: 'status' },
  rooms: { tool: 'node', action: 'rooms' },
  needs: { tool: 'node', action: 'needs' },
  problems: { tool: 'node', action: 'problems' },
} as const;

/** The call that shows by which rules the team works. */
export const TEAM_SETTINGS = { tool: 'team', action: 'settings' } as const;
