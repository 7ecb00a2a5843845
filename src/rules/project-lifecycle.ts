import type { Plan } from '../protocol/plan-types.ts';
import { PHASES } from '../protocol/records/types.ts';
import type { Policies } from '../protocol/records/team-policies.ts';
import type { Phase, ProjectMeta, ProjectStatus } from '../protocol/records/types.ts';
import { INBOX } from '../protocol/ids.ts';
import { refusedStep, stepKey } from './transition.ts';

/** Where a project stands: the phase of an active one, else its status (features.md §3.2). */
export type ProjectState = Phase | 'paused' | 'completed' | 'failed' | 'rejected';

export const PROJECT_STATES: readonly ProjectState[] = [...PHASES, 'paused', 'completed', 'failed', 'rejected'];

export type ProjectEvent =
  | 'create'
  | 'create_project'
  | 'approve'
  | 'reject'
  | 'start'
  | 'test'
  | 'review'
  | 'reopen'
  | 'complete'
  | 'complete_project'
  | 'block'
  | 'unblock'
  | 'pause'
  | 'resume'
  | 'fail';

/** The reason that the plan shows for a node that another one has replaced. */
export const SUPERSEDED = 'superseded';

/** What must hold besides the state, by name; the flows check it. */
export const PROJECT_GUARDS = {
  'id-free': 'the id is free',
  'approval-off': '`policies.requireApproval` is off; it begins in planning otherwise',
  planned: 'its plan has a task, or a loop; subtasks of the task engine come later',
  'work-given-out': 'a node is given out',
  'dev-accepted': 'there are dev nodes, and all that are not withdrawn are accepted',
  'test-accepted': 'there are test nodes, and all that are not withdrawn are accepted',
  'all-ended': 'every node has ended, or it is forced',
  'already-so': 'it is so already: unchanged',
} as const;
export type ProjectGuard = keyof typeof PROJECT_GUARDS;

/** What a step brings about besides the state, by name. */
export const PROJECT_EFFECTS = {
  'approval-kept': 'who approved, and when, is kept',
  automatic: 'by itself, as soon as it may',
  'automatic-by-policy': 'the same, unless `policies.autoTransition` is off',
  'phase-kept': 'the phase is kept',
  'reason-kept': 'the reason is kept',
  'report-due': 'a report to the requester is due',
} as const;
export type ProjectEffect = keyof typeof PROJECT_EFFECTS;

export interface ProjectTransition {
  /** `none`: the project does not exist yet. */
  readonly from: ProjectState | 'none';
  readonly event: ProjectEvent;
  /** `kept`: the phase that it was in before the pause. */
  readonly to: ProjectState | 'kept';
  readonly guards: readonly ProjectGuard[];
  readonly effects: readonly ProjectEffect[];
}

function rows(
  from: readonly (ProjectState | 'none')[],
  event: ProjectEvent,
  to: ProjectState | 'kept',
  guards: readonly ProjectGuard[] = [],
  effects: readonly ProjectEffect[] = [],
): readonly ProjectTransition[] {
  return from.map((state) => ({ from: state, event, to, guards, effects }));
}

const WORKED = ['approved', 'in_progress', 'testing', 'review'] as const;

/**
 * Every legal step of a project (features.md §3.2; protocol.md §8.1, §10.10 is the part of the protocol's actions, which
 * answer `unchanged` where they repeat what is so). All steps are the Leader's.
 */
export const PROJECT_TRANSITIONS: readonly ProjectTransition[] = [
  ...rows(['none'], 'create', 'planning', ['id-free']),
  ...rows(['none'], 'create_project', 'approved', ['id-free', 'approval-off']),
  ...rows(['planning'], 'approve', 'approved', ['planned'], ['approval-kept']),
  ...rows(['planning'], 'reject', 'rejected', [], ['reason-kept']),
  ...rows(['approved'], 'start', 'in_progress', ['work-given-out'], ['automatic']),
  ...rows(['in_progress'], 'test', 'testing', ['dev-accepted'], ['automatic-by-policy']),
  ...rows(['testing'], 'review', 'review', ['test-accepted'], ['automatic-by-policy']),
  ...rows(['testing', 'review'], 'reopen', 'in_progress'),
  ...rows(['review'], 'complete', 'completed', [], ['report-due']),
  ...rows([...WORKED, 'paused'], 'complete_project', 'completed', ['all-ended'], ['report-due']),
  ...rows(['completed'], 'complete_project', 'completed', ['already-so']),
  ...rows(['approved', 'in_progress'], 'block', 'paused', [], ['phase-kept', 'reason-kept']),
  ...rows(['paused'], 'unblock', 'in_progress'),
  ...rows(WORKED, 'pause', 'paused', [], ['phase-kept', 'reason-kept']),
  ...rows(['paused'], 'pause', 'paused', ['already-so']),
  ...rows(['paused'], 'resume', 'kept'),
  ...WORKED.flatMap((state) => rows([state], 'resume', state, ['already-so'])),
  ...rows(['in_progress', 'testing', 'review', 'paused'], 'fail', 'failed', [], ['reason-kept']),
];

/** The events of a project in the order of the table. */
export const PROJECT_EVENTS: readonly ProjectEvent[] = [...new Set(PROJECT_TRANSITIONS.map(({ event }) => event))];

const STEPS: ReadonlyMap<string, ProjectState | 'kept'> = new Map(
  PROJECT_TRANSITIONS.map(({ from, event, to }) => [stepKey(from, event), to]),
);

/** `planning` and `blocked` as statuses are of older tools (protocol.md §4): they are read, and not written. */
export function projectState({ status, phase }: Pick<ProjectMeta, 'status' | 'phase'>): ProjectState {
  if (status === 'active') return phase ?? 'approved';
  return status === 'blocked' ? 'paused' : status;
}

/** Whether new work may be given out: active, and past its planning. */
export function isWorked(meta: Pick<ProjectMeta, 'status' | 'phase'>): boolean {
  return meta.status === 'active' && meta.phase !== 'planning';
}

/** Where an event leads, or `undefined` when it is not legal there; `phase` is what a paused project keeps. */
export function nextProjectState(
  from: ProjectState | 'none',
  event: ProjectEvent,
  phase: Phase = 'approved',
): ProjectState | undefined {
  const to = STEPS.get(stepKey(from, event));
  return to === 'kept' ? phase : to;
}

/** Where an event leads a project. Throws `illegal-transition`, as `taskStep` does. */
export function projectStep(meta: ProjectMeta, event: ProjectEvent): ProjectState {
  const from = projectState(meta);
  const next = nextProjectState(from, event, meta.phase);
  if (next !== undefined && meta.mode === INBOX && isTerminalProject(inState(meta, next).status)) {
    throw refusedStep({ from, event, because: 'the inbox never ends', data: { projectId: meta.project_id } });
  }
  if (next !== undefined) return next;
  throw refusedStep({ from, event, legal: legalProjectEvents(from), data: { projectId: meta.project_id } });
}

/** What may happen to a project in a state; what only repeats what is so is no way on. */
export function legalProjectEvents(from: ProjectState): readonly ProjectEvent[] {
  return PROJECT_TRANSITIONS.filter((step) => step.from === from && !step.guards.includes('already-so')).map(
    (step) => step.event,
  );
}

/** The record in a state; a pause and an end keep the phase. */
export function inState(meta: ProjectMeta, state: ProjectState): ProjectMeta {
  const phase = PHASES.find((known) => known === state);
  if (phase === undefined) return { ...meta, status: state as Exclude<ProjectState, Phase> };
  // A record of the protocol alone says nothing of phases, and need not until work begins.
  if (phase === 'approved' && meta.phase === undefined) return { ...meta, status: 'active' };
  return { ...meta, status: 'active', phase };
}

/** Ended: nothing is planned, delegated or accepted any more. */
export function isTerminalProject(status: ProjectStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'rejected';
}

/**
 * Whether all nodes of a kind are accepted, and there is one (features.md S002-19). What was handed over or cancelled is no
 * part of the work any more; what has failed is, until it is handed over (features.md §3.1, "supersede").
 */
function allAccepted(plan: Pick<Plan, 'nodes'>, type: string): boolean {
  return partsOf(plan, type).length > 0 && openNodes(plan, type).length === 0;
}

/** The nodes of a kind that are not accepted. A step by hand waits for them, and needs none of that kind (S002-08). */
export function openNodes(plan: Pick<Plan, 'nodes'>, type: string): Plan['nodes'] {
  return partsOf(plan, type).filter(({ status }) => status !== 'completed');
}

const partsOf = ({ nodes }: Pick<Plan, 'nodes'>, type: string): Plan['nodes'] =>
  nodes.filter((node) => node.type === type && node.status !== 'cancelled');

export function acceptedNodes({ nodes }: Pick<Plan, 'nodes'>): number {
  return nodes.filter(({ status }) => status === 'completed').length;
}

/** What a team says of the steps that projects take by themselves. */
export type AutomaticPolicy = Pick<Policies, 'autoTransition'>;

/**
 * The steps that a project takes by itself, in order, as its plan stands (features.md §3.2). One that was reopened waits
 * until something more was accepted, or it would be closed again at once. Without `autoTransition` (S002-34) only the start
 * is left, which is part of giving work out (S002-12).
 */
export function automaticSteps(
  meta: ProjectMeta,
  plan: Pick<Plan, 'nodes'>,
  { autoTransition }: AutomaticPolicy,
): readonly ProjectEvent[] {
  // The inbox is no work with an end, however far its tasks are.
  if (meta.mode === INBOX || meta.reopened === acceptedNodes(plan)) return [];
  const steps: ProjectEvent[] = [];
  let state = projectState(meta);
  if (state === 'approved' && plan.nodes.some(({ status }) => status !== 'pending')) {
    steps.push('start');
    state = 'in_progress';
  }
  if (!autoTransition) return steps;
  if (state === 'in_progress' && allAccepted(plan, 'dev')) {
    steps.push('test');
    state = 'testing';
  }
  if (state === 'testing' && allAccepted(plan, 'test')) steps.push('review');
  return steps;
}
