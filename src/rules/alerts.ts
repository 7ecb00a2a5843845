import type { ProjectMeta, TaskMeta } from '../protocol/records/types.ts';
import type { LatenessFacts } from './lateness/lateness.ts';
import { lateProject, lateTask } from './lateness/lateness.ts';
import type { Late, LateKind } from './lateness/ladder.ts';
import { haltNeed, sentBackNeed } from './needs.ts';
import { word } from './shell.ts';

/** What a check warns of (features.md S002-20), the most pressing first. */
const ALERT_TYPES = ['failed', 'stuck', 'slow', 'sla', 'overdue', 'blocked', 'unacknowledged', 'unchecked'] as const;
export type AlertType = (typeof ALERT_TYPES)[number];

export interface Alert {
  readonly type: AlertType;
  readonly projectId: string;
  /** Absent when it is about the project as a whole. */
  readonly taskId?: string;
  readonly title: string;
  readonly agent?: string;
  readonly message: string;
  /** What mends it, as it is typed. */
  readonly command: string;
  /** UTC. */
  readonly since?: string;
  /** Of what is late: how far up its ladder it has come. */
  readonly level?: number;
}

const LATE: Readonly<Record<LateKind, AlertType | undefined>> = {
  unacknowledged: 'unacknowledged',
  unchecked: 'unchecked',
  stuck: 'stuck',
  slow: 'slow',
  overdue: 'overdue',
  'sla-violated': 'sla',
  overloaded: undefined,
};

/** What is to be said of a task of an open project; `sentBack`: its result was, and something waits for what follows it. */
export function taskAlerts(
  facts: LatenessFacts,
  project: ProjectMeta,
  meta: TaskMeta,
  sentBack: boolean,
): readonly Alert[] {
  const { task_id: taskId, task_title: title, assigned_to: agent, status } = meta;
  const about = { projectId: project.project_id, taskId, title, ...(agent === '' ? {} : { agent }) };
  const late = lateTask(facts, { meta: project }, meta).flatMap((found) => lateAlert(about, found));
  const isHalted = status === 'failed' || status === 'blocked';
  if (!sentBack && !isHalted) return late;
  const { message, command, since } = isHalted ? haltNeed(meta, status) : sentBackNeed(meta);
  const type = isHalted ? status : 'failed';
  return [{ ...about, type, message, command, ...(since === undefined ? {} : { since }) }, ...late];
}

/** What is to be said of an open project as a whole. */
export function projectAlerts(facts: LatenessFacts, meta: ProjectMeta): readonly Alert[] {
  const { project_id: projectId, title, status, blocked_reason: blocked, pause_reason: paused, mode } = meta;
  const about = { projectId, title };
  const late = lateProject(facts, meta).flatMap((found) => lateAlert(about, found));
  if (status !== 'paused' && status !== 'blocked') return late;
  const reason = blocked ?? paused;
  const message = `${projectId} is ${mode === 'composite' ? 'blocked' : 'paused'}${reason === undefined ? '' : `: ${reason}`}`;
  const command =
    mode === 'composite' ? `baton transition ${word(projectId)} unblock` : `baton project resume ${word(projectId)}`;
  return [{ ...about, type: 'blocked', message, command }, ...late];
}

function lateAlert(
  about: Pick<Alert, 'projectId' | 'taskId' | 'title' | 'agent'>,
  { kind, message, command, since, level }: Late,
): readonly Alert[] {
  const type = LATE[kind];
  return type === undefined ? [] : [{ ...about, type, message, command, since, level }];
}

/** The most pressing first; otherwise as they were found. */
export function sortAlerts(alerts: readonly Alert[]): readonly Alert[] {
  return alerts.toSorted((a, b) => ALERT_TYPES.indexOf(a.type) - ALERT_TYPES.indexOf(b.type));
}
