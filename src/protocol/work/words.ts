import type { Phase, ProjectStatus, TaskStatus } from '../records/types.ts';

/** The task engine's words for the state of a subtask (features.md §3.3); `undefined`: it is not shown. */
const SUBTASK: Readonly<Record<TaskStatus, string | undefined>> = {
  pending: 'PENDING',
  prepared: 'ASSIGNED',
  assigned: 'ASSIGNED',
  in_progress: 'IN_PROGRESS',
  submitted: 'IN_PROGRESS',
  blocked: 'BLOCKED',
  revision: 'FAILED',
  completed: 'DONE',
  failed: 'FAILED',
  cancelled: 'FAILED',
  superseded: undefined,
};

/** The same for a task that is a work item by itself. */
const TASK: Readonly<Record<TaskStatus, string | undefined>> = {
  pending: 'APPROVED',
  prepared: 'IN_PROGRESS',
  assigned: 'IN_PROGRESS',
  in_progress: 'IN_PROGRESS',
  submitted: 'REVIEW',
  blocked: 'BLOCKED',
  revision: 'FAILED',
  completed: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'REJECTED',
  superseded: undefined,
};

const PROJECT: Readonly<Record<Exclude<ProjectStatus, 'active'>, string>> = {
  planning: 'PLANNING',
  paused: 'BLOCKED',
  blocked: 'BLOCKED',
  completed: 'COMPLETED',
  failed: 'FAILED',
  rejected: 'REJECTED',
};

export function subtaskWord(status: TaskStatus): string | undefined {
  return SUBTASK[status];
}

export function taskWord(status: TaskStatus): string | undefined {
  return TASK[status];
}

/** A record without a phase is approved (features.md §3.2). */
export function projectWord({ status, phase }: { readonly status: ProjectStatus; readonly phase?: Phase }): string {
  return status === 'active' ? (phase ?? 'approved').toUpperCase() : PROJECT[status];
}
