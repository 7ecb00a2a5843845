/**
 * What every door says first of a step that the state does not allow (features.md S002-09, S002-36; decision 0030):
 * `Invalid transition: <STATE> + '<event>'`.
 */
export function pairText(state: string, event: string): string {
  return `Invalid transition: ${state.toUpperCase()} + '${event}'`;
}

/** The steps of a project that are taken by hand, in the order of its table (features.md S002-07, S002-08). */
export const HAND_EVENTS = [
  'approve',
  'reject',
  'start',
  'test',
  'review',
  'reopen',
  'complete',
  'block',
  'unblock',
  'fail',
] as const;

/** What may be done in a state, in the words of who asks; `final` is said where that is nothing. */
export function wayOn(state: string, choices: readonly string[], final = `${state} is final`): string {
  return choices.length === 0 ? final : `what may follow ${state}: ${choices.join(', ')}`;
}

/** The pair, and behind it why, where there is more to say. */
export function refusalText(state: string, event: string, because = ''): string {
  return `${pairText(state, event)}${because === '' ? '' : `: ${because}`}`;
}

export interface Pair {
  readonly state: string;
  readonly event: string;
  /** What the refusal says behind the pair; `''` where the pair says it all. */
  readonly because: string;
}

/** The pair that a refusal begins with, by its data; `undefined` of one that is about something else. */
export function pairOf(message: string, { state, event }: Readonly<Record<string, unknown>>): Pair | undefined {
  if (typeof state !== 'string' || typeof event !== 'string') return undefined;
  const pair = pairText(state, event);
  if (!message.startsWith(pair)) return undefined;
  return { state, event, because: message.slice(pair.length).replace(/^: /, '') };
}
