import { FlowError } from '../protocol/errors.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { refusalText, wayOn } from '../protocol/pair.ts';

/** The key of a step in a table of steps. */
export function stepKey(from: string, event: string): string {
  return `${from} ${event}`;
}

/** A step that is not taken: the tables do not hold it, or what must hold besides the state does not. */
export interface RefusedStep {
  readonly from: string;
  readonly event: string;
  /** What is said behind the pair: what does not hold, or the sentence that protocol.md §8.2 has for it. */
  readonly because?: string | undefined;
  readonly remedy?: string | undefined;
  /** What may be done in that state instead; told as the remedy where there is no other. */
  readonly legal?: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
  /** Default: `illegal-transition`. */
  readonly code?: ErrorCode;
}

/**
 * The one refusal of every such step (features.md S002-36, decision 0030): the pair, then why. `data` tells state,
 * event and what is legal apart, for doors with words of their own.
 */
export function refusedStep({
  from,
  event,
  because,
  remedy,
  legal,
  data,
  code = 'illegal-transition',
}: RefusedStep): FlowError {
  const choices = legal === undefined ? undefined : [...new Set(legal)];
  const whatToDo = remedy ?? (choices === undefined ? undefined : wayOn(from, choices));
  return new FlowError(code, refusalText(from, event, because), {
    ...(whatToDo === undefined ? {} : { remedy: whatToDo }),
    data: { ...data, state: from, event, ...(choices === undefined ? {} : { legal: choices }) },
  });
}
