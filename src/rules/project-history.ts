import { EVENTS } from '../protocol/paths.ts';
import { parseEventLines } from '../protocol/records/event.ts';
import type { EventRecord, ProjectMeta } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';

/** One step of a project's life, as the log of events tells it (S002-10). */
export interface ProjectStep {
  readonly ts: string;
  /** `created`, `approved`, …: the event's type without its subject. */
  readonly event: string;
  readonly from?: string;
  readonly to?: string;
  readonly actor: string;
  readonly note?: string;
}

/**
 * What has happened to a project, oldest first, from the logs of all writers since the month of its creation. Other lines
 * of the logs are not even parsed: they are long.
 */
export function projectHistory(
  view: WorkspaceView,
  { project_id: id, created_at: created = '' }: Pick<ProjectMeta, 'project_id' | 'created_at'>,
): readonly ProjectStep[] {
  const months = view.list(EVENTS).filter((name) => name.endsWith('/') && name.slice(0, -1) >= created.slice(0, 7));
  const subject = `"id":${JSON.stringify(id)}`;
  const found = months.flatMap((month) =>
    view
      .list(EVENTS + month)
      .filter((name) => name.endsWith('.jsonl'))
      .flatMap((name) => eventsIn(view.text(EVENTS + month + name) ?? '', name, subject)),
  );
  return found
    .filter((event) => event.subject?.kind === 'project' && event.subject.id === id && event.type.startsWith(PREFIX))
    .sort((a, b) => (a.ts === b.ts ? (a.id < b.id ? -1 : 1) : a.ts < b.ts ? -1 : 1))
    .map(stepOf);
}

const PREFIX = 'project.';

function eventsIn(text: string, name: string, subject: string): readonly EventRecord[] {
  if (!text.includes(subject)) return [];
  const lines = text.split('\n').filter((line) => line.includes(subject));
  return parseEventLines(lines.join('\n'), name).events;
}

function stepOf({ ts, type, from, to, actor, note }: EventRecord): ProjectStep {
  return {
    ts,
    event: type.slice(PREFIX.length),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    actor: `${actor.role}:${actor.id}`,
    ...(note === undefined ? {} : { note }),
  };
}
