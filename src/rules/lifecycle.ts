import type { NodeStatus } from '../protocol/plan-types.ts';
import type { TaskStatus } from '../protocol/records/types.ts';
import { refusedStep, stepKey } from './transition.ts';

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

/** What must hold besides the state, by name; the flows check it. */
export const TASK_GUARDS = {
  'id-free': 'the id is free',
  'graph-sound': 'its dependencies are known and acyclic',
  'project-open': 'its project has not ended',
  'project-worked': 'the project is active and its plan approved',
  'node-pending': 'its node is pending',
  'dependencies-accepted': 'its dependencies are accepted',
  'same-assignment': 'a retry for the same assignee and room',
  'other-assignment': 'another assignee or room',
  'sent-or-silent': 'the assignment was sent, or needs no message',
  'by-assignee': 'by the assignee, or for it by the leader',
  'result-valid': 'the result is valid',
  'result-effective': 'the result is effective',
  'result-halts': 'the result is BLOCKED or INTERRUPTED, or the leader says so',
  'may-accept': 'by the leader, or by the policy `auto`',
  'project-active': 'the project is active',
  'no-result': 'no result was submitted',
  'reason-given': 'a reason is given',
  'submission-named': 'the current submission is named',
  'has-owner': 'a pending task has an owner',
  'replacement-idle': 'the replacement was not started',
} as const;
export type TaskGuard = keyof typeof TASK_GUARDS;

/** What a step brings about besides the state and its line in the history, by name. The marker follows the state. */
export const TASK_EFFECTS = {
  record: 'the record and spec.md are written',
  'same-txn': 'the message keeps its transaction id',
  'new-txn': 'a new message is owed',
  'starts-project': 'an approved project starts',
  'set-once': 'its time is set once',
  progress: 'the progress is kept; the first one acknowledges',
  result: 'result.md is published and verified',
  'report-due': 'a report to the requester is due',
  'advances-project': 'the project may go on to testing or review',
  released: 'the agent is released',
  'reason-kept': 'the reason is kept',
  replaced: 'a new pending node takes its place, and what depends on it waits for that one',
  'replacement-cancelled': 'the replacement is cancelled, and what depends on it waits for this one again',
} as const;
export type TaskEffect = keyof typeof TASK_EFFECTS;

export interface TaskTransition {
  /** `none`: the task has no record yet. */
  readonly from: TaskStatus | 'none';
  readonly event: TaskEvent;
  readonly to: TaskStatus;
  readonly role: StepRole;
  readonly guards: readonly TaskGuard[];
  readonly effects: readonly TaskEffect[];
}

/** Steps that differ only by where they come from. */
function rows(
  from: readonly (TaskStatus | 'none')[],
  step: Pick<TaskTransition, 'event' | 'to' | 'role'>,
  guards: readonly TaskGuard[] = [],
  effects: readonly TaskEffect[] = [],
): readonly TaskTransition[] {
  return from.map((state) => ({ from: state, ...step, guards, effects }));
}

const leader = <Event extends TaskEvent>(event: Event, to: TaskStatus) => ({ event, to, role: 'leader' }) as const;
const worker = <Event extends TaskEvent>(event: Event, to: TaskStatus) => ({ event, to, role: 'worker' }) as const;

/**
 * Every legal step of a task (features.md §3.1; protocol.md §8.2 is the Leader/Worker part). A state and an event
 * lead to one state only.
 */
export const TASK_TRANSITIONS: readonly TaskTransition[] = [
  ...rows(['none'], leader('create', 'pending'), ['id-free', 'graph-sound', 'project-open']),
  ...rows(
    ['none', 'pending'],
    leader('prepare', 'prepared'),
    ['project-worked', 'node-pending', 'dependencies-accepted'],
    ['record', 'new-txn', 'starts-project'],
  ),
  ...rows(['prepared'], leader('prepare', 'prepared'), ['same-assignment'], ['same-txn']),
  ...rows(['assigned'], leader('prepare', 'assigned'), ['same-assignment'], ['same-txn']),
  ...rows(['prepared', 'assigned'], leader('redelegate', 'prepared'), ['other-assignment'], ['new-txn']),
  ...rows(['prepared'], leader('notified', 'assigned'), ['sent-or-silent']),
  ...rows(['prepared', 'assigned', 'in_progress'], worker('ack', 'in_progress'), ['by-assignee'], ['set-once']),
  ...rows(['assigned', 'in_progress'], worker('progress', 'in_progress'), ['by-assignee'], ['progress']),
  ...rows(
    ['prepared', 'assigned', 'in_progress'],
    worker('submit', 'submitted'),
    ['by-assignee', 'result-valid'],
    ['result', 'set-once'],
  ),
  ...rows(
    ['submitted'],
    leader('accept', 'completed'),
    ['may-accept', 'result-effective', 'project-active'],
    ['report-due', 'advances-project'],
  ),
  ...rows(['submitted'], leader('revise', 'revision'), ['may-accept', 'project-active'], ['report-due']),
  ...rows(['submitted'], leader('hold', 'blocked'), ['may-accept', 'result-halts', 'project-active'], ['report-due']),
  ...rows(['assigned', 'in_progress'], leader('block', 'blocked'), [], ['reason-kept', 'released']),
  ...rows(['blocked'], leader('unblock', 'assigned'), ['no-result']),
  ...rows(['none', 'pending'], leader('fail', 'failed'), ['project-open'], ['reason-kept', 'released']),
  ...rows(
    ['prepared', 'assigned', 'in_progress', 'submitted', 'blocked'],
    leader('fail', 'failed'),
    [],
    ['reason-kept', 'released'],
  ),
  ...rows(
    ['pending', 'prepared', 'assigned', 'in_progress', 'submitted'],
    leader('cancel', 'cancelled'),
    ['reason-given', 'submission-named'],
    ['reason-kept', 'released'],
  ),
  ...rows(['blocked'], leader('cancel', 'cancelled'), ['reason-given', 'no-result'], ['reason-kept']),
  ...rows(['none', 'pending'], leader('supersede', 'superseded'), ['has-owner', 'project-open'], ['replaced']),
  ...rows(
    ['assigned', 'in_progress', 'blocked', 'failed'],
    leader('supersede', 'superseded'),
    ['project-open'],
    ['replaced', 'released'],
  ),
  ...rows(['superseded'], leader('takeback', 'in_progress'), ['replacement-idle'], ['replacement-cancelled']),
];

/** The events of a task in the order of the table. */
export const TASK_EVENTS: readonly TaskEvent[] = [...new Set(TASK_TRANSITIONS.map(({ event }) => event))];

const TASK_STEPS: ReadonlyMap<string, TaskStatus> = new Map(
  TASK_TRANSITIONS.map(({ from, event, to }) => [stepKey(from, event), to]),
);

/** Where an event leads, or `undefined` when it is not legal in that state. */
export function nextTaskStatus(from: TaskStatus | 'none', event: TaskEvent): TaskStatus | undefined {
  return TASK_STEPS.get(stepKey(from, event));
}

/**
 * Where an event leads a task. Throws `illegal-transition` (`Invalid transition: <STATE> + '<event>'`) when it is not
 * legal in that state; the protocol's actions refuse before they ask, and add its sentence (decision 0030).
 */
export function taskStep(taskId: string, from: TaskStatus | 'none', event: TaskEvent): TaskStatus {
  const next = nextTaskStatus(from, event);
  if (next !== undefined) return next;
  throw refusedStep({ from, event, legal: eventsFrom(from), data: { taskId } });
}

/** What may happen to a task in a state. */
export function eventsFrom(from: TaskStatus | 'none'): readonly TaskEvent[] {
  return TASK_TRANSITIONS.filter((step) => step.from === from).map(({ event }) => event);
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

/** Ended by a decision of its own that no marker stands for; a marker that lags behind follows it. */
export function isWithdrawn(status: TaskStatus): boolean {
  return status === 'failed' || status === 'cancelled' || status === 'superseded';
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
