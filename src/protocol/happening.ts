import type { EventRecord } from './records/types.ts';

/** An event as it is told to people and programs: flat, with the names that other answers use. */
export interface ToldEvent {
  /** UTC; when it happened, by the clock of the one who wrote it down. */
  readonly at: string;
  /** The event's type. */
  readonly what: string;
  readonly actor: string;
  readonly role: string;
  readonly project?: string;
  readonly task?: string;
  /** What it is about, when that is neither a project nor a task. */
  readonly subject?: string;
  readonly from?: string;
  readonly to?: string;
  readonly note?: string;
  readonly id: string;
}

/** The event as it is told. */
export function toldEvent({ id, ts, type, actor, subject, from, to, note }: EventRecord): ToldEvent {
  return {
    at: ts,
    what: type,
    actor: actor.id,
    role: actor.role,
    ...aboutOf(subject),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(note === undefined ? {} : { note }),
    id,
  };
}

function aboutOf(subject: EventRecord['subject']): Pick<ToldEvent, 'project' | 'task' | 'subject'> {
  if (subject === undefined) return {};
  const { kind, id, project_id: project } = subject;
  if (kind === 'project') return { project: id };
  const within = project === undefined ? {} : { project };
  return kind === 'task' ? { ...within, task: id } : { ...within, subject: `${kind} ${id}` };
}

/** Whether an event is about this project or task: also of a project's tasks, and of what was refused of its files. */
export function isAbout({ subject, data }: EventRecord, id: string): boolean {
  if (subject?.project_id === id) return true;
  if (subject?.id === id && (subject.kind === 'project' || subject.kind === 'task')) return true;
  const path = data?.['path'];
  return typeof path === 'string' && /^shared\/(?:projects|tasks)\/([^/]+)\//.exec(path)?.[1] === id;
}
