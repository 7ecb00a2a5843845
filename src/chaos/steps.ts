import { FAULTS } from './faults.ts';
import type { Fault } from './faults.ts';

/** One step of a schedule, as data. Seats and tasks are named; what comes of a step is seen when it is played. */
export type Step =
  | { readonly do: 'delegate'; readonly task: string; readonly to: string }
  | { readonly do: 'ack' | 'submit'; readonly task: string }
  | { readonly do: 'note'; readonly task: string; readonly text: string }
  | { readonly do: 'accept'; readonly task: string; readonly accepted: boolean }
  | { readonly do: 'cancel'; readonly task: string }
  | { readonly do: 'sync'; readonly seat: string }
  | { readonly do: 'kill' | 'restart'; readonly seat: string }
  | { readonly do: 'rename' | 'remark'; readonly task: string; readonly text: string }
  | { readonly do: 'fault'; readonly fault: Fault; readonly seat: string }
  | { readonly do: 'heal'; readonly seat: string }
  | { readonly do: 'together'; readonly steps: readonly Step[] };

/** The step as a sentence. */
export function inWords(step: Step): string {
  switch (step.do) {
    case 'delegate':
      return `the Leader delegates ${step.task} to ${step.to}`;
    case 'ack':
      return `the Worker of ${step.task} acknowledges it`;
    case 'submit':
      return `the Worker of ${step.task} submits a result`;
    case 'note':
      return `the Worker of ${step.task} reports "${step.text}"`;
    case 'accept':
      return step.accepted ? `the Leader accepts ${step.task}` : `the Leader asks for a revision of ${step.task}`;
    case 'cancel':
      return `the Leader cancels ${step.task}`;
    case 'sync':
      return `${step.seat} syncs`;
    case 'kill':
      return `${step.seat} is killed in the middle of things, and started again`;
    case 'restart':
      return `${step.seat} is stopped, and started again`;
    case 'rename':
      return `a person renames ${step.task} on main to "${step.text}"`;
    case 'remark':
      return `a person writes "${step.text}" into the plan on main`;
    case 'fault':
      return `from now on ${step.seat} ${FAULTS[step.fault]}`;
    case 'heal':
      return `all is well again around ${step.seat}`;
    case 'together':
      return `at once: ${step.steps.map(inWords).join('; ')}`;
  }
  return step satisfies never;
}
