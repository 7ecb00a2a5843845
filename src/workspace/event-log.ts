import type { Change } from '../protocol/changes.ts';
import { FlowError } from '../protocol/errors.ts';
import type { Diagnostic } from '../protocol/diagnostic.ts';
import { byLog, goingOn, isEventLog, newestPart } from '../protocol/event-logs.ts';
import type { LogPart } from '../protocol/event-logs.ts';
import { EVENTS, eventLogIn, eventsDir } from '../protocol/paths.ts';
import { renderEventLine } from '../protocol/records/event.ts';
import type { EventRecord } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';

/**
 * The change that appends `events` to the log of `writer` (features.md §2.3), which no two nodes ever write: one file a month,
 * and a new one once that is full. A last line that was torn by hand is closed, never joined to the next.
 */
export function eventChanges(view: WorkspaceView, writer: string, events: readonly EventRecord[]): Change[] {
  const months = Map.groupBy(events, ({ ts }) => eventsDir(ts));
  return [...months].flatMap(([dir, records]) => {
    const lines = records.map((record) => `${renderEventLine(record).replace(/\n$/, '')}\n`);
    return changesIn(dir, writer, logToExtend(view, dir, writer), lines);
  });
}

/** Fills one file after the other. */
function changesIn(dir: string, writer: string, { part, text: before }: LogPart, lines: readonly string[]): Change[] {
  const opening = before === '' || before.endsWith('\n') ? before : `${before}\n`;
  let [text, added] = [opening, ''];
  let taken = 0;
  for (; taken < lines.length && goingOn({ part, text }).part === part; taken += 1) {
    const line = lines[taken] ?? '';
    [text, added] = [text + line, added + line];
  }
  const change: Change = { kind: 'write', path: eventLogIn(dir, writer, part), text, appended: added };
  const left = lines.slice(taken);
  return [change, ...(left.length === 0 ? [] : changesIn(dir, writer, goingOn({ part, text }), left))];
}

/** What events are appended to, and what it holds. */
function logToExtend(view: WorkspaceView, dir: string, writer: string): LogPart {
  const part = newestPart(view.list(dir), writer);
  const path = eventLogIn(dir, writer, part);
  const text = view.text(path);
  // What cannot be read must not be replaced: the log is append-only.
  if (text === undefined && view.exists(path)) {
    throw new FlowError('broken-file', `${path} cannot be read, so nothing can be added to it`, {
      remedy: `move ${path} aside, or restore it from git`,
    });
  }
  return goingOn({ part, text: text ?? '' });
}

/** Paths of all logs, those of the oldest month first. */
export function eventLogs({ list }: Pick<WorkspaceView, 'list'>): readonly string[] {
  return list(EVENTS)
    .filter((month) => month.endsWith('/'))
    .flatMap((month) => list(`${EVENTS}${month}`).map((name) => `${EVENTS}${month}${name}`))
    .filter(isEventLog);
}

/**
 * The newest parts of the logs of the newest month with a line that is no event, as a merge as text may leave one. Events are
 * not read one by one: logs are long, and whoever needs an event skips what is none.
 */
export function brokenLogs(
  list: (directory: string) => readonly string[],
  text: (path: string) => string | undefined,
): readonly Diagnostic[] {
  const month = list(EVENTS)
    .filter((name) => name.endsWith('/'))
    .at(-1);
  if (month === undefined) return [];
  const logs = list(`${EVENTS}${month}`).map((name) => `${EVENTS}${month}${name}`);
  return byLog(logs.filter(isEventLog)).flatMap((parts) => {
    const file = parts.at(-1) ?? '';
    const content = text(file) ?? '';
    const found = /^[^{\s]/m.exec(content);
    if (found === null) return [];
    const message = 'a line of this log is no event';
    const line = content.slice(0, found.index).split('\n').length;
    return [
      { rule: 'event-invalid', severity: 'warning', message, file, line, column: 1, expected: 'the line removed' },
    ];
  });
}
