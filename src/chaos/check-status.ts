import { isTerminalTask, markerFor } from '../rules/lifecycle.ts';
import { TASK_STATUSES } from '../protocol/records/types.ts';
import type { TaskStatus } from '../protocol/records/types.ts';
import type { TaskFacts, Violation } from './facts.ts';

/** Whether a record and its marker tell the same, and the record ends where its history does. */
export function statusAgrees({ id, status, history }: TaskFacts, marker: string | undefined): readonly Violation[] {
  const known = TASK_STATUSES.find((one): one is TaskStatus => one === status);
  if (known === undefined) return [{ rule: 'legal', message: `${id} has a state that nobody knows: ${status}` }];
  const found: Violation[] = [];
  const last = history.at(-1)?.to ?? 'planned';
  const named = status === 'pending' ? 'planned' : status;
  if (last !== named) found.push({ rule: 'legal', message: `${id} is ${status}, but its history ends on ${last}` });
  if (marker !== undefined && marker !== markerFor(known))
    found.push({ rule: 'legal', message: `${id} is ${status}, but its marker says ${marker}` });
  if (marker === 'completed' && !isTerminalTask(known))
    found.push({ rule: 'one-winner', message: `${id} is marked [x] and not accepted: ${status}` });
  return found;
}
