import { FlowError } from '../protocol/errors.ts';
import type { Loop, LoopStatus, Plan, PlanNode } from '../protocol/plan-types.ts';
import type { ProjectMeta } from '../protocol/records/types.ts';
import { readyNodes } from './dag.ts';
import { inOneLine } from '../protocol/one-line.ts';

/** What a decision makes of the loop (protocol.md §8.5). */
const LOOP_DECISIONS = {
  continue: 'running',
  replan: 'running',
  ask_user: 'waiting_user',
  stop_success: 'completed',
  stop_blocked: 'blocked',
} as const satisfies Readonly<Record<string, LoopStatus>>;

type LoopDecision = keyof typeof LOOP_DECISIONS;

export interface IterationRecord {
  readonly iteration: number;
  /** As the caller gave it. */
  readonly decision: string;
  readonly summary: string;
  readonly nextAction?: string;
}

export interface RecordedIteration {
  readonly loop: Loop;
  /** The last entry says exactly this already; nothing changed. */
  readonly reused: boolean;
  readonly warning?: string;
}

/**
 * Records the Leader's decision on one iteration (protocol.md §10.14). Tasks and markers stay as they are: the next
 * iteration is planned with plan_loop. Throws `invalid-argument`.
 */
export function recordIteration(loop: Loop, record: IterationRecord): RecordedIteration {
  const { iteration } = record;
  const decision = checkIteration(record);
  if (iteration > loop.maxIterations) {
    throw new FlowError('invalid-argument', 'iteration cannot exceed maxIterations', {
      remedy: `this loop ends with iteration ${loop.maxIterations}; plan_loop can raise it`,
    });
  }
  const line = historyLine(record);
  if (loop.history.at(-1) === line) return { loop, reused: true };
  const last = decision === 'continue' && iteration >= loop.maxIterations;
  return {
    loop: {
      ...loop,
      currentIteration: Math.max(loop.currentIteration, iteration),
      status: LOOP_DECISIONS[decision],
      history: [...loop.history, line],
    },
    reused: false,
    ...(last
      ? { warning: `iteration ${iteration} is the last of ${loop.maxIterations}: there is none to go on to` }
      : {}),
  };
}

/** What can be said of a record without its loop. Throws `invalid-argument`. */
export function checkIteration({ iteration, decision }: Pick<IterationRecord, 'iteration' | 'decision'>): LoopDecision {
  if (iteration < 1) throw new FlowError('invalid-argument', 'iteration must be greater than zero');
  if (isDecision(decision)) return decision;
  throw new FlowError('invalid-argument', `invalid loop decision: ${decision}`, {
    remedy: `use one of ${Object.keys(LOOP_DECISIONS).join(', ')}`,
  });
}

function isDecision(word: string): word is LoopDecision {
  return Object.hasOwn(LOOP_DECISIONS, word);
}

/** `Iteration <n>: <decision> — <summary>[ Next: <next action>]`, on one line. */
function historyLine({ iteration, decision, summary, nextAction = '' }: IterationRecord): string {
  const next = inOneLine(nextAction);
  return `Iteration ${iteration}: ${decision} — ${inOneLine(summary)}${next === '' ? '' : ` Next: ${next}`}`;
}

/** What may be delegated of the current iteration; nothing when the plan is no loop. */
export function readyLoopNodes(plan: Plan, project: Pick<ProjectMeta, 'status' | 'phase'>): readonly PlanNode[] {
  return plan.kind === 'loop' ? readyNodes(plan, project) : [];
}
