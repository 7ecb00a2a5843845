import type { NodeStatus } from '../plan-types.ts';
import type { ProjectStatus } from '../records/types.ts';

/**
 * Every word that Baton says to people, in one language: reports and notices. Ids, paths, modes, result tokens, loop
 * decisions and the lines of protocol.md §13 are the protocol's and stay as they are in any language. Arguments come
 * in fit for Markdown.
 */
export interface Labels {
  /** Between a label and its value, the items of a list, two remarks, and two sentences. */
  readonly colon: string;
  readonly comma: string;
  readonly semicolon: string;
  readonly gap: string;

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

  /** A file or a result that somebody has to mend; both sentences are the diagnostic's own. */
  readonly noticeFinding: (message: string, remedy: string) => string;
  /** A part of a Worker's lane that integration did not take. */
  readonly noticeLaneRefused: (worker: string, reason: string | undefined) => string;
}
