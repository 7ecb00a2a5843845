import { classifyPath, eventLogPath } from '../protocol/paths.ts';
import { parseEventLines } from '../protocol/records/event.ts';
import type { EventRecord } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';

/** A `lane.refused` event, and in whose log it stands. */
export interface RecordedRefusal {
  readonly writer: string;
  readonly event: EventRecord;
}

/**
 * Reads the event logs of the month for what was refused of lanes since the last call. Logs only grow, so of a log
 * that begins as it did before, only the rest is read.
 */
export function createRefusalReader(): (view: WorkspaceView, now: string) => readonly RecordedRefusal[] {
  const read = new Map<string, string>();
  return (view, now) => {
    const month = eventLogPath(now, 'x').split('/').slice(0, -1).join('/');
    return view.list(`${month}/`).flatMap((name) => {
      const path = `${month}/${name}`;
      const log = classifyPath(path);
      if (log.kind !== 'events') return [];
      const text = view.text(path) ?? '';
      const before = read.get(path) ?? '';
      read.set(path, text);
      const added = text.startsWith(before) ? text.slice(before.length) : text;
      if (!added.includes('lane.refused')) return [];
      const { events } = parseEventLines(added, path);
      return events.filter(({ type }) => type === 'lane.refused').map((event) => ({ writer: log.writer, event }));
    });
  };
}
