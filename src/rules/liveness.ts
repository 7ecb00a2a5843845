import type { TeamSettings } from '../protocol/records/team-types.ts';
import type { TaskMeta } from '../protocol/records/types.ts';
import { parseDuration, parseTime } from '../protocol/timestamps.ts';

export interface Liveness {
  readonly state: 'running' | 'idle' | 'unknown';
  /** When the record last showed a sign of life; milliseconds since the epoch. */
  readonly lastSign?: number;
}

/**
 * How work stands by the last sign of life in its record: an unacknowledged assignment waits for so long, acknowledged
 * work goes on for so long (`policies.ackWithin`, `policies.stallMinutes`). Nobody is probed (protocol.md §10.18).
 * `now` is in milliseconds since the epoch.
 */
export function livenessOf(meta: TaskMeta, { policies }: Pick<TeamSettings, 'policies'>, now: number): Liveness {
  const signs = [meta.assigned_at, meta.acknowledged_at, meta.submitted_at, ...(meta.history ?? []).map(({ ts }) => ts)]
    .map((stamp) => (stamp === undefined ? undefined : parseTime(stamp)))
    .filter((millis) => millis !== undefined);
  if (signs.length === 0) return { state: 'unknown' };
  const patience = isUnacknowledged(meta) ? parseDuration(policies.ackWithin) : undefined;
  const lastSign = Math.max(...signs);
  return { state: now - lastSign > (patience ?? policies.stallMinutes * 60_000) ? 'idle' : 'running', lastSign };
}

/** Whether its assignee has not taken it on yet. */
export const isUnacknowledged = ({ status }: TaskMeta): boolean => status === 'prepared' || status === 'assigned';
