import type { NodeStatus } from './plan-types.ts';
import type { ProjectStatus } from './records/types.ts';

/** The five states that a report tells apart by a symbol (protocol.md §14.3). */
export type Mark = 'done' | 'active' | 'pending' | 'blocked' | 'revision';

const EMOJI: Readonly<Record<Mark, string>> = {
  done: '✅',
  active: '🔄',
  pending: '⏳',
  blocked: '❌',
  revision: '🔁',
};

export function symbolOf(mark: Mark, style: 'emoji' | 'plain'): string {
  return style === 'emoji' ? EMOJI[mark] : `[${mark}]`;
}

export const NODE_MARKS: Readonly<Record<NodeStatus, Mark>> = {
  pending: 'pending',
  delegated: 'active',
  completed: 'done',
  blocked: 'blocked',
  cancelled: 'blocked',
  revision: 'revision',
};

export const PROJECT_MARKS: Readonly<Record<ProjectStatus, Mark>> = {
  planning: 'pending',
  active: 'active',
  paused: 'pending',
  blocked: 'blocked',
  completed: 'done',
  failed: 'blocked',
  rejected: 'blocked',
};

/**
 * Every word of a report that people read. Ids, paths, modes, result tokens and loop decisions are the protocol's
 * and stay as they are in any language. Arguments come in fit for Markdown.
 */
export interface ReportLabels {
  readonly heading: string;
  readonly project: string;
  readonly id: string;
  readonly mode: string;
  readonly status: string;
  readonly focus: string;
  readonly columns: readonly [id: string, task: string, owner: string, status: string, context: string];
  readonly deliverables: string;
  readonly nextSteps: string;
  readonly notes: string;
  readonly projectStatus: Readonly<Record<ProjectStatus, string>>;
  readonly nodeStatus: Readonly<Record<NodeStatus, string>>;
  readonly nobody: string;
  readonly iteration: string;
  readonly max: string;
  readonly topic: string;
  readonly lastDecision: string;
  readonly more: (count: number) => string;

  readonly nothingPlanned: string;
  readonly counts: (total: number, counts: readonly (readonly [NodeStatus, number])[]) => string;
  readonly changed: (items: string) => string;
  readonly waitingForCheck: (ids: string, paused: boolean) => string;

  readonly focusComplete: string;
  readonly focusPaused: string;
  readonly focusPlanning: string;
  readonly focusReady: (items: string) => string;
  readonly focusDecision: (items: string) => string;
  readonly focusAllDone: string;

  readonly ready: string;
  readonly after: (ids: string) => string;
  readonly submitted: string;
  readonly working: string;
  readonly notAcknowledged: string;
  readonly asks: (question: string) => string;
  readonly replacedBy: (id: string) => string;

  readonly stepNone: string;
  readonly stepResume: string;
  readonly stepPlan: string;
  readonly stepAnswer: (id: string, question: string) => string;
  readonly stepCheck: (id: string) => string;
  readonly stepReplan: (id: string) => string;
  readonly stepUnblock: (id: string) => string;
  readonly stepStart: (id: string, title: string, owner: string) => string;
  readonly stepWait: (id: string, owner: string) => string;
  readonly stepComplete: string;
  readonly stepDecideLoop: (iteration: number) => string;
  readonly stepAskUser: string;

  readonly notePause: (reason: string) => string;
  readonly noteResult: (id: string, path: string) => string;
  readonly notePlanProblems: (count: number) => string;
}

const en: ReportLabels = {
  heading: 'Project report',
  project: 'Project',
  id: 'ID',
  mode: 'Mode',
  status: 'Status',
  focus: 'Current focus',
  columns: ['ID', 'Task', 'Owner', 'Status', 'Context'],
  deliverables: 'Deliverables',
  nextSteps: 'Next steps',
  notes: 'Notes',
  projectStatus: {
    planning: 'planning',
    active: 'active',
    paused: 'paused',
    blocked: 'blocked',
    completed: 'completed',
    failed: 'failed',
    rejected: 'rejected',
  },
  nodeStatus: {
    completed: 'completed',
    delegated: 'in progress',
    revision: 'needs revision',
    blocked: 'blocked',
    cancelled: 'cancelled',
    pending: 'pending',
  },
  nobody: '—',
  iteration: 'Iteration',
  max: 'Max',
  topic: 'Topic',
  lastDecision: 'Last decision',
  more: (count) => `… and ${count} more`,

  nothingPlanned: 'No tasks are planned yet.',
  counts: (total, counts) => {
    const done = counts.find(([status]) => status === 'completed')?.[1] ?? 0;
    const rest = counts
      .filter(([status, count]) => status !== 'completed' && count > 0)
      .map(([status, count]) => `, ${count} ${en.nodeStatus[status]}`);
    return `${done} of ${total} ${total === 1 ? 'task is' : 'tasks are'} completed${rest.join('')}.`;
  },
  changed: (items) => `Changed: ${items}.`,
  waitingForCheck: (ids, paused) =>
    paused
      ? `Results arrived while the project is paused and wait: ${ids}.`
      : `Results wait for the Leader's check: ${ids}.`,

  focusComplete: 'none, the project is completed',
  focusPaused: 'paused, no new work is started',
  focusPlanning: 'planning',
  focusReady: (items) => `ready to start: ${items}`,
  focusDecision: (items) => `a decision is needed on ${items}`,
  focusAllDone: 'all tasks are completed',

  ready: 'ready to start',
  after: (ids) => `after ${ids}`,
  submitted: "result waits for the Leader's check",
  working: 'being worked on',
  notAcknowledged: 'not acknowledged yet',
  asks: (question) => `asks: ${question}`,
  replacedBy: (id) => `replaced by ${id}`,

  stepNone: 'None.',
  stepResume: 'Resume the project when new work should start.',
  stepPlan: 'Plan the tasks.',
  stepAnswer: (id, question) => `Answer ${id}: ${question}`,
  stepCheck: (id) => `Check the result of ${id}.`,
  stepReplan: (id) => `Plan new work for ${id}.`,
  stepUnblock: (id) => `Resolve what blocks ${id}.`,
  stepStart: (id, title, owner) => `Start ${id}: ${title} (${owner}).`,
  stepWait: (id, owner) => `Wait for the result of ${id} (${owner}).`,
  stepComplete: 'Complete the project.',
  stepDecideLoop: (iteration) => `Decide how to go on after iteration ${iteration}.`,
  stepAskUser: 'Decide how the loop goes on: it waits for you.',

  notePause: (reason) => `Paused: ${reason}`,
  noteResult: (id, path) => `${id} was accepted with notes: ${path}`,
  notePlanProblems: (count) =>
    `plan.md has ${count} ${count === 1 ? 'problem' : 'problems'} that a person should look at.`,
};

const TABLE: ReadonlyMap<string, ReportLabels> = new Map([['en', en]]);

/** The words of a language (`policies.language`); a regional tag falls back to its language, an unknown one to `en`. */
export function labelsFor(language: string): ReportLabels {
  const tag = language.trim().toLowerCase();
  return TABLE.get(tag) ?? TABLE.get(tag.split(/[-_]/)[0] ?? '') ?? en;
}
