import { FlowError } from '../../protocol/errors.ts';
import { requireReportRoute } from '../report-reach.ts';
import { checkAssignmentRoom } from '../shared.ts';
import type { OperationContext } from '../types.ts';
import { assignmentRoom, requireRecipient } from './give-out.ts';
import type { Waiting } from './waiting.ts';

/** Throws `FlowError` for what may not be given out, whoever is free. */
type Guard = (context: OperationContext<unknown>, waiting: Waiting, agent: string) => void;

/** The one place where more than order, dependencies and capacity can keep a task back: each that applies, in turn. */
const GUARDS: readonly Guard[] = [haltedLoop, reportRoute, room, assignee];

/** Why a guard says no, or `undefined` when all agree. */
export function guardOf(context: OperationContext<unknown>): (waiting: Waiting, agent: string) => string | undefined {
  return (waiting, agent) => {
    try {
      for (const guard of GUARDS) guard(context, waiting, agent);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof FlowError) return thrown.message;
      throw thrown;
    }
  };
}

/** protocol.md §10.13: a loop that waits for a person, or has ended, starts nothing. */
function haltedLoop(_context: OperationContext<unknown>, { project: { id, plan } }: Waiting): void {
  const status = plan.loop?.status;
  if (status === 'waiting_user' || status === 'completed' || status === 'blocked') {
    throw new FlowError('illegal-transition', `the loop of ${id} is ${status}`);
  }
}

/** protocol.md §14.1: work on which nobody could be told does not start. */
function reportRoute(context: OperationContext<unknown>, { project }: Waiting): void {
  requireReportRoute(context, project.meta);
}

/** protocol.md §10.1 item 3: not every room may hold an assignment. */
function room({ view }: OperationContext<unknown>, waiting: Waiting): void {
  const wanted = assignmentRoom(view, waiting);
  if (wanted !== '') checkAssignmentRoom(view.team, wanted, waiting.project.meta);
}

/** protocol.md §10.1 item 8. */
function assignee(context: OperationContext<unknown>, waiting: Waiting, agent: string): void {
  requireRecipient(context, waiting, agent);
}
