import type { NodeStatus } from '../protocol/plan-types.ts';
import type { ProjectStatus, TaskStatus } from '../protocol/records/types.ts';

export type TaskEvent =
  | 'create'
  | 'prepare'
  | 'redelegate'
  | 'notified'
  | 'ack'
  | 'progress'
  | 'submit'
  | 'accept'
  | 'revise'
  | 'hold'
  | 'block'
  | 'unblock'
  | 'fail'
  | 'cancel'
  | 'supersede'
  | 'takeback';

/** Who takes a step: the Leader's side, or the assignee. */
export type StepRole = 'leader' | 'worker';

export interface TaskTransition {
  /** `none`: the task has no record yet. */
  readonly from: TaskStatus | 'none';
  readonly event: TaskEvent;
  readonly to: TaskStatus;
  readonly role: StepRole;
  /** What must hold besides the state, in words; the flows check it. */
  readonly guard: string;
}

const rows = (
  from: readonly (TaskStatus | 'none')[],
  event: TaskEvent,
  to: TaskStatus,
  role: StepRole,
  guard: string,
): readonly TaskTransition[] => from.map((state) => ({ from: state, event, to, role, guard }));

/**
 * Every legal step of a task (features.md §3.1; protocol.md §8.2 is the Leader/Worker part). A state and an event
 * lead to one state only.
 */
export const TASK_TRANSITIONS: readonly TaskTransition[] = [
  ...rows(['none'], 'create', 'pending', 'leader', 'the id is free, dependencies are known and acyclic'),
  ...rows(['none', 'pending'], 'prepare', 'prepared', 'leader', 'project active, node pending, dependencies accepted'),
  ...rows(['prepared'], 'prepare', 'prepared', 'leader', 'a retry: same transaction id'),
  ...rows(['assigned'], 'prepare', 'assigned', 'leader', 'a retry: nothing is sent again'),
  ...rows(
    ['prepared', 'assigned'],
    'redelegate',
    'prepared',
    'leader',
    'another assignee or room: a new transaction id',
  ),
  ...rows(['prepared'], 'notified', 'assigned', 'leader', 'the assignment was sent, or needs no message'),
  ...rows(['prepared', 'assigned', 'in_progress'], 'ack', 'in_progress', 'worker', 'actor is the assignee'),
  ...rows(['assigned', 'in_progress'], 'progress', 'in_progress', 'worker', 'actor is the assignee'),
  ...rows(['prepared', 'assigned', 'in_progress'], 'submit', 'submitted', 'worker', 'assignee; the result is valid'),
  ...rows(['submitted'], 'accept', 'completed', 'leader', 'result effective, project active'),
  ...rows(['submitted'], 'revise', 'revision', 'leader', 'project active'),
  ...rows(['submitted'], 'hold', 'blocked', 'leader', 'result BLOCKED or INTERRUPTED, or the Leader says so'),
  ...rows(['assigned', 'in_progress'], 'block', 'blocked', 'leader', 'a reason is given'),
  ...rows(['blocked'], 'unblock', 'assigned', 'leader', 'no result was submitted'),
  ...rows(
    ['pending', 'prepared', 'assigned', 'in_progress', 'submitted', 'blocked'],
    'fail',
    'failed',
    'leader',
    'a reason is given',
  ),
  ...rows(
    ['pending', 'prepared', 'assigned', 'in_progress', 'submitted'],
    'cancel',
    'cancelled',
    'leader',
    'a reason is given; the current submission is named',
  ),
  ...rows(
    ['pending', 'assigned', 'in_progress', 'blocked', 'failed'],
    'supersede',
    'superseded',
    'leader',
    'a replacement node exists',
  ),
  ...rows(['superseded'], 'takeback', 'in_progress', 'leader', 'the replacement was not started'),
];

const stepKey = (from: string, event: string): string => `${from} ${event}`;
const TASK_STEPS: ReadonlyMap<string, TaskStatus> = new Map(
  TASK_TRANSITIONS.map(({ from, event, to }) => [stepKey(from, event), to]),
);

/** Where an event leads, or `undefined` when it is not legal in that state. */
export function nextTaskStatus(from: TaskStatus | 'none', event: TaskEvent): TaskStatus | undefined {
  return TASK_STEPS.get(stepKey(from, event));
}

const TERMINAL: ReadonlySet<TaskStatus> = new Set([
  'completed',
  'revision',
  'blocked',
  'failed',
  'cancelled',
  'superseded',
]);

/** Ended as far as ack, submit, delegate, accept and cancel are concerned (protocol.md §8.2). */
export function isTerminalTask(status: TaskStatus): boolean {
  return TERMINAL.has(status);
}

const MARKERS: Readonly<Record<TaskStatus, NodeStatus>> = {
  pending: 'pending',
  prepared: 'delegated',
  assigned: 'delegated',
  in_progress: 'delegated',
  submitted: 'delegated',
  blocked: 'blocked',
  revision: 'revision',
  completed: 'completed',
  failed: 'blocked',
  cancelled: 'cancelled',
  superseded: 'cancelled',
};

/** The marker that a plan shows for a task in this state (features.md §3.3). */
export function markerFor(status: TaskStatus): NodeStatus {
  return MARKERS[status];
}

const RANKS: Readonly<Record<TaskStatus, number>> = {
  pending: 0,
  prepared: 1,
  assigned: 2,
  in_progress: 3,
  submitted: 4,
  blocked: 5,
  revision: 6,
  failed: 7,
  cancelled: 8,
  superseded: 9,
  completed: 10,
};

/**
 * Which of two concurrent states stands after a merge: the greater (protocol.md §11.5). Terminal beats submitted
 * beats in progress; among the terminal ones an acceptance stands, since dependents may already build on it.
 */
export function statusRank(status: TaskStatus): number {
  return RANKS[status];
}

/**
 * Whether legal steps lead from one state to another, as when a lane brings several steps at once. A path may end in
 * a terminal state but never leads out of one, so a late step of a Worker cannot revive what the Leader has ended.
 * With `role`, only steps that this side may take count.
 */
export function isLegalPath(from: TaskStatus | 'none', to: TaskStatus, role?: StepRole): boolean {
  if (from === to) return true;
  const seen = new Set<TaskStatus | 'none'>([from]);
  const open: (TaskStatus | 'none')[] = [from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (state !== 'none' && isTerminalTask(state)) continue;
    for (const step of TASK_TRANSITIONS) {
      if (step.from !== state || seen.has(step.to) || (role !== undefined && step.role !== role)) continue;
      if (step.to === to) return true;
      seen.add(step.to);
      open.push(step.to);
    }
  }
  return false;
}

export type ProjectEvent = 'approve' | 'reject' | 'pause' | 'resume' | 'complete' | 'fail';

export interface ProjectTransition {
  readonly from: ProjectStatus;
  readonly event: ProjectEvent;
  readonly to: ProjectStatus;
  readonly guard: string;
}

const steps = (
  from: readonly ProjectStatus[],
  event: ProjectEvent,
  to: ProjectStatus,
  guard: string,
): readonly ProjectTransition[] => from.map((state) => ({ from: state, event, to, guard }));

/**
 * Every legal step of a project's status (protocol.md §8.1, §10.10; features.md §3.2), with same-state entries for
 * what answers `unchanged`. All steps are the Leader's.
 */
export const PROJECT_TRANSITIONS: readonly ProjectTransition[] = [
  ...steps(['planning'], 'approve', 'active', 'none'),
  ...steps(['planning'], 'reject', 'rejected', 'none'),
  ...steps(['active', 'paused', 'blocked'], 'pause', 'paused', 'paused already: unchanged'),
  ...steps(['paused', 'active', 'blocked', 'planning'], 'resume', 'active', 'active already: unchanged'),
  ...steps(['active', 'paused', 'blocked', 'completed'], 'complete', 'completed', 'every node terminal, or forced'),
  ...steps(['active', 'paused', 'blocked'], 'fail', 'failed', 'a reason is given'),
];

const PROJECT_STEPS: ReadonlyMap<string, ProjectStatus> = new Map(
  PROJECT_TRANSITIONS.map(({ from, event, to }) => [stepKey(from, event), to]),
);

/** Where an event leads a project, or `undefined` when it is not legal in that status. */
export function nextProjectStatus(from: ProjectStatus, event: ProjectEvent): ProjectStatus | undefined {
  return PROJECT_STEPS.get(stepKey(from, event));
}

/** Ended: nothing is planned, delegated or accepted any more. */
export function isTerminalProject(status: ProjectStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'rejected';
}
