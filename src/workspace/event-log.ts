import type { Change } from '../protocol/changes.ts';
import { FlowError } from '../protocol/errors.ts';
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
    const opening = before === '' || before.endsWith('\n') ? before : `${before}\n`;
    const added = records.map((record) => `${renderEventLine(record).replace(/\n$/, '')}\n`).join('');
    return { kind: 'write', path, text: opening + added };
  });
}

/** What cannot be read must not be replaced: the log is append-only. */
function logBefore(view: WorkspaceView, path: string): string {
  const text = view.text(path);
  if (text !== undefined) return text;
  if (!view.exists(path)) return '';
  throw new FlowError('broken-file', `${path} cannot be read, so nothing can be added to it`, {
    remedy: `move ${path} aside, or restore it from git`,
  });
}
