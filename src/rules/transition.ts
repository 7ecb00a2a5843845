import { FlowError } from '../protocol/errors.ts';

/** The key of a step in a table of steps. */
export function stepKey(from: string, event: string): string {
  return `${from} ${event}`;
}

export interface IllegalStep {
  readonly from: string;
  readonly event: string;
  /** What may be done in that state instead. */
  readonly legal: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
}

/** What every door says of a step that the tables do not hold (features.md S002-36). */
function invalidTransitionText(from: string, event: string): string {
  return `Invalid transition: ${from.toUpperCase()} + '${event}'`;
}

/** The refusal of a step that the table holds, but for what does not hold besides the state. */
export function guardFailed(
  from: string,
  event: string,
  reason: string,
  data: Readonly<Record<string, unknown>>,
): FlowError {
  return new FlowError('illegal-transition', `${invalidTransitionText(from, event)}: ${reason}`, {
    data: { ...data, state: from, event },
  });
}

/** The refusal of such a step; `data` tells state and event apart, for doors with words of their own. */
export function invalidTransition({ from, event, legal, data }: IllegalStep): FlowError {
  const choices = [...new Set(legal)];
  return new FlowError('illegal-transition', invalidTransitionText(from, event), {
    remedy: choices.length === 0 ? `${from} is final` : `what may follow ${from}: ${choices.join(', ')}`,
    data: { ...data, state: from, event },
  });
}
