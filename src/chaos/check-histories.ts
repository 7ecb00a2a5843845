import { TASK_TRANSITIONS, isTerminalTask } from '../rules/lifecycle.ts';
import { TASK_STATUSES } from '../protocol/records/types.ts';
import type { TaskStatus } from '../protocol/records/types.ts';
import { statusAgrees } from './check-status.ts';
import type { HistoryFacts, Reading, TaskFacts, Violation } from './facts.ts';

/** Every history is a path of the state machine (src/rules/lifecycle.ts), with one submission and one decision at most. */
export function checkHistories({ tasks, markers }: Reading): readonly Violation[] {
  return tasks.flatMap((task) => [...checkPath(task), ...checkWinners(task), ...statusAgrees(task, markers[task.id])]);
}

function checkPath({ id, history }: TaskFacts): readonly Violation[] {
  return history.flatMap((entry, index): readonly Violation[] => {
    const before = history[index - 1];
    const found: Violation[] = [];
    // What ends a task may have been decided while its Worker took a step in another clone: then both have happened.
    const isLate = before !== undefined && isEnded(stateOf(entry.to)) && isStep({ ...entry, from: before.to });
    if (before !== undefined && before.to !== entry.from && !isLate)
      found.push({ rule: 'legal', message: `${id}: ${told(entry)} follows ${told(before)}` });
    if (!isStep(entry)) found.push({ rule: 'legal', message: `${id}: ${told(entry)} is no step of the state machine` });
    return found;
  });
}

const told = ({ from, to, action, actor }: HistoryFacts): string => `${action} of ${actor} (${from} to ${to})`;

/** `planned` is the histories' word for a task that nobody was given yet (protocol.md §8.4). */
const stateOf = (word: string): TaskStatus | 'none' | undefined => {
  if (word === 'none') return word;
  return word === 'planned' ? 'pending' : TASK_STATUSES.find((status) => status === word);
};

function isStep({ from, to, action, actor }: HistoryFacts): boolean {
  const [source, target] = [stateOf(from), stateOf(to)];
  const role = /^(worker|remote-member):/.test(actor) ? 'worker' : 'leader';
  // A progress note moves nothing (protocol.md §10.6).
  if (action === 'progress') return from === to && role === 'worker' && (to === 'assigned' || to === 'in_progress');
  return TASK_TRANSITIONS.some(
    (step) =>
      (step.from === source || (source === 'pending' && step.from === 'none')) &&
      step.to === target &&
      step.role === role,
  );
}

const isEnded = (state: TaskStatus | 'none' | undefined): boolean =>
  state !== undefined && state !== 'none' && isTerminalTask(state);

/** Between two assignments one result is handed in, and in the whole life of a task one decision ends it. */
function checkWinners({ id, history }: TaskFacts): readonly Violation[] {
  const found: Violation[] = [];
  let submissions = 0;
  let endings = 0;
  for (const { action, from, to } of history) {
    if (action === 'delegate_task') submissions = 0;
    if (action === 'submit_task') submissions += 1;
    const [before, after] = [stateOf(from), stateOf(to)].map((state) => isEnded(state));
    if (after === true && from !== to) endings += 1;
    // A halt that is over, and a hand-over that was taken back, were no ends.
    else if (before === true && after === false) endings -= 1;
    if (submissions === 2) found.push({ rule: 'one-winner', message: `${id} was submitted twice` });
    if (endings === 2) found.push({ rule: 'one-winner', message: `${id} was ended twice, the second time as ${to}` });
  }
  return found;
}
