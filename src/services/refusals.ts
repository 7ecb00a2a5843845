import { byLog } from '../protocol/event-logs.ts';
import { classifyPath, eventsDir } from '../protocol/paths.ts';
import { parseEventLines } from '../protocol/records/event.ts';
import type { EventRecord } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';

/** A `lane.refused` event, and in whose log it stands. */
export interface RecordedRefusal {
  readonly writer: string;
  readonly event: EventRecord;
}

/**
 * Reads the event logs of the month for what was refused of lanes since the last call. Logs only grow, so of a part that
 * has the same where it ended before, only the rest is read. Parts that another follows are looked at once, and again with
 * `all`: what two clones of one writer have written is merged into them.
 */
export function createRefusalReader(): (view: WorkspaceView, now: string, all?: boolean) => readonly RecordedRefusal[] {
  /** How far the parts were read, by path. */
  const read = new Map<string, Mark>();
  /** Parts that were read after another followed them, and so to their end. */
  const over = new Set<string>();

  function newIn(view: WorkspaceView, path: string): readonly RecordedRefusal[] {
    const log = classifyPath(path);
    if (log.kind !== 'events') return [];
    const text = view.text(path) ?? '';
    const before = read.get(path);
    read.set(path, markAt(text));
    const added = before !== undefined && isAsBefore(text, before) ? text.slice(before.at) : text;
    if (!added.includes('lane.refused')) return [];
    const { events } = parseEventLines(added, path);
    return events.filter(({ type }) => type === 'lane.refused').map((event) => ({ writer: log.writer, event }));
  }

  return (view, now, all = false) => {
    const dir = eventsDir(now);
    return byLog(view.list(dir).map((name) => `${dir}${name}`)).flatMap((parts) => {
      const found = parts.filter((path) => all || !over.has(path)).flatMap((path) => newIn(view, path));
      for (const path of parts.slice(0, -1)) over.add(path);
      return found;
    });
  };
}

/** Where a text ended, and the end of it: ids of events are in it, so nothing else ends like that. */
interface Mark {
  readonly at: number;
  readonly end: string;
}

const END = 200;

/** A slice would hold the whole text. */
const markAt = (text: string): Mark => ({ at: text.length, end: structuredClone(text.slice(-END)) });

const isAsBefore = (text: string, { at, end }: Mark): boolean => text.slice(Math.max(0, at - END), at) === end;
