import type { Labels } from './labels.ts';

export const en: Labels = {
  colon: ': ',
  comma: ', ',
  semicolon: '; ',
  gap: ' ',

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

  noticeFinding: (message, remedy) => `${message} What to do: ${remedy}`,
  noticeLaneRefused: (worker, reason) => `A part of ${worker}'s lane was not taken: ${reason ?? 'see the event log'}`,
};
