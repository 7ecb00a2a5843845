import { z } from 'zod';
import { eventsDir } from '../../protocol/paths.ts';
import type { EventDraft } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { LEADERS } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';

const input = z.object({
  lane: z.string(),
  localpart: z.string(),
  commit: z.string(),
  path: z.string(),
  reason: z.string(),
  detail: z.string(),
});

type Refusal = z.output<typeof input>;

/**
 * Records a lane that could not be integrated at all. Refused parts of a lane need no operation: they are recorded in
 * the very commit that integrates the rest (architecture.md, "Lanes").
 */
export const recordRefusal = defineOperation({
  name: 'lane.record_refusal',
  kind: 'command',
  roles: LEADERS,
  summary: 'Record a lane that could not be integrated.',
  input,
  fresh: 'no',
  internal: true,
  run({ view, input: refusal, now }): Decision<Readonly<Record<string, unknown>>> {
    const reused = isRecorded(view, refusal, now);
    return { changes: [], events: reused ? [] : [eventOf(refusal)], announcements: [], output: { ...refusal, reused } };
  },
});

function eventOf({ lane, localpart, commit, path, reason, detail }: Refusal): EventDraft {
  return {
    type: 'lane.refused',
    action: 'integrate',
    subject: { kind: 'lane', id: lane },
    note: `${path}: ${reason} (${detail})`,
    data: { worker: localpart, path, reason, detail, commit },
  };
}

/** Looks into this month's event files only: a lane is tried again only when it has moved. */
function isRecorded(view: WorkspaceView, { commit, path }: Refusal, now: string): boolean {
  const directory = eventsDir(now);
  return view
    .list(directory)
    .map((name) => view.text(`${directory}${name}`) ?? '')
    .flatMap((text) => (text.includes(commit) ? text.split('\n') : []))
    .some((line) => line.includes('"lane.refused"') && line.includes(JSON.stringify(path)));
}
