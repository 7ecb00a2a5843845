import type { Change } from '../protocol/changes.ts';
import { FlowError } from '../protocol/errors.ts';
import type { Diagnostic } from '../protocol/diagnostic.ts';
import { eventLogPath } from '../protocol/paths.ts';
import { renderEventLine } from '../protocol/records/event.ts';
import type { EventRecord } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';

/**
 * The change that appends `events` to the log of `writer` (features.md §2.3): one file per month and writer, so that
 * no two nodes ever write the same one. A last line that was torn by hand is closed, never joined to the next.
 */
export function eventChanges(view: WorkspaceView, writer: string, events: readonly EventRecord[]): Change[] {
  const lines = Map.groupBy(events, (event) => eventLogPath(event.ts, writer));
  return [...lines].map(([path, records]) => {
    const before = logBefore(view, path);
    const opening = before === '' || isClosed(before) ? before : `${before}\n`;
    const added = records.map((record) => `${renderEventLine(record).replace(/\n$/, '')}\n`).join('');
    lastWritten = opening + added;
    return { kind: 'write', path, text: lastWritten, appended: added };
  });
}

/** What the last change made of a log, which the next one of a group goes on from. */
let lastWritten = '';

/** To look at the end of a text that was put together piece by piece copies all of it, for every step of a group. */
const isClosed = (text: string): boolean => text === lastWritten || text.endsWith('\n');

/** What cannot be read must not be replaced: the log is append-only. */
function logBefore(view: WorkspaceView, path: string): string {
  const text = view.text(path);
  if (text !== undefined) return text;
  if (!view.exists(path)) return '';
  throw new FlowError('broken-file', `${path} cannot be read, so nothing can be added to it`, {
    remedy: `move ${path} aside, or restore it from git`,
  });
}

const EVENTS = 'shared/events/';

export const isEventLog = (path: string): boolean => path.startsWith(EVENTS) && path.endsWith('.jsonl');

/** Paths of all logs, those of the oldest month first. */
export function eventLogs({ list }: Pick<WorkspaceView, 'list'>): readonly string[] {
  return list(EVENTS)
    .filter((month) => month.endsWith('/'))
    .flatMap((month) => list(`${EVENTS}${month}`).map((name) => `${EVENTS}${month}${name}`))
    .filter(isEventLog);
}

/**
 * Logs of the newest month with a line that is no event, as a merge as text may leave one. Events are not read one by
 * one: logs are long, and whoever needs an event skips what is none.
 */
export function brokenLogs(
  list: (directory: string) => readonly string[],
  text: (path: string) => string | undefined,
): readonly Diagnostic[] {
  const month = list(EVENTS)
    .filter((name) => name.endsWith('/'))
    .at(-1);
  if (month === undefined) return [];
  return list(`${EVENTS}${month}`).flatMap((name) => {
    const file = `${EVENTS}${month}${name}`;
    const content = name.endsWith('.jsonl') ? (text(file) ?? '') : '';
    const found = /^[^{\s]/m.exec(content);
    if (found === null) return [];
    const message = 'a line of this log is no event';
    const line = content.slice(0, found.index).split('\n').length;
    return [
      { rule: 'event-invalid', severity: 'warning', message, file, line, column: 1, expected: 'the line removed' },
    ];
  });
}
