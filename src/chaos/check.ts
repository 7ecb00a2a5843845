import { checkHistories } from './check-histories.ts';
import { checkRooms } from './check-rooms.ts';
import type { Acknowledged, LateFacts, Reading, TaskFacts, Violation } from './facts.ts';

/**
 * What must hold once all faults are over and all clones are quiet (quality.md R1 to R5): one tree, no acknowledged
 * write lost, one winner, legal histories, every announcement after its commit and once. Pure; empty when all holds.
 */
export function check(reading: Reading, acknowledged: readonly Acknowledged[]): readonly Violation[] {
  return [
    ...checkConvergence(reading),
    ...checkWhole(reading),
    ...acknowledged.flatMap((entry) => checkKept(reading, entry)),
    ...checkHistories(reading),
    ...checkRooms(reading),
  ];
}

function checkConvergence({ main, clones }: Reading): readonly Violation[] {
  return clones.flatMap(({ seat, tree, dirty }): readonly Violation[] => [
    ...(tree === main
      ? []
      : [{ rule: 'converges', message: `${seat} ends on tree ${tree}, main on ${main}` } as const]),
    ...(dirty.length === 0
      ? []
      : [{ rule: 'converges', message: `${seat} has changes that nobody took up: ${dirty.join(', ')}` } as const]),
  ]);
}

function checkWhole({ clones, broken, strays }: Reading): readonly Violation[] {
  const whole = (message: string): Violation => ({ rule: 'whole', message });
  return [
    ...clones.flatMap(({ seat, damaged }) => damaged.map((line) => whole(`the repository of ${seat}: ${line}`))),
    ...broken.map(whole),
    ...strays.map((path) => whole(`${path} does not belong on main`)),
  ];
}

/** Whether what was answered is there. What the Leader has ended meanwhile may have gone over a step of the Worker. */
function checkKept(reading: Reading, entry: Acknowledged): readonly Violation[] {
  if (entry.kind === 'written') return reading.plan.includes(entry.text) ? [] : [lost(`"${entry.text}" in the plan`)];
  const task = reading.tasks.find(({ id }) => id === entry.task);
  // A node that nobody was given has no record: its marker alone tells the decision.
  if (task === undefined && entry.kind === 'decided' && reading.markers[entry.task] === entry.to) return [];
  if (task === undefined) return [lost(`${entry.task} as a whole`)];
  switch (entry.kind) {
    case 'delegated':
      return hasEvent(reading, entry.task, /^task\.(re)?delegated$/, `to ${entry.to}`)
        ? []
        : [lost(`the delegation of ${entry.task} to ${entry.to}`)];
    case 'started':
      // Who has submitted already starts nothing any more, and is told so (protocol.md §10.2).
      return hasEvent(reading, entry.task, /^task\.(acknowledged|submitted)$/)
        ? []
        : [lost(`that ${entry.by} started ${entry.task}`)];
    case 'noted':
      return hasEvent(reading, entry.task, /^task\.progress$/, entry.text) ? [] : [lost(`the note "${entry.text}"`)];
    case 'submitted':
      return checkSubmitted(reading, task, entry);
    case 'decided':
      return checkEnd(task, entry.to, `the decision on ${entry.task}: ${entry.to}`);
    case 'cancelled':
      return checkEnd(task, 'cancelled', `the cancellation of ${entry.task}`);
  }
  return entry satisfies never;
}

function checkSubmitted(
  reading: Reading,
  task: TaskFacts,
  { by, summary, submissionId }: Extract<Acknowledged, { kind: 'submitted' }>,
): readonly Violation[] {
  if (!hasEvent(reading, task.id, /^task\.submitted$/)) return [lost(`that ${by} submitted ${task.id}`)];
  if (task.submissionId === submissionId && (task.result ?? '').includes(summary)) return [];
  const kept = task.late.find((late) => late.by === by && late.submissionId === submissionId);
  if (kept?.result?.includes(summary) === true) return checkKeptAside(reading, task, kept);
  // The Leader was faster: what came late stays in the lane's history and never decides anything.
  if (task.status === 'cancelled' || task.status === 'superseded') return [];
  return [lost(`the result of ${task.id} by ${by}: "${summary}" (${submissionId})`)];
}

/** A result is kept aside only of who had to give the task away, and never in silence. */
function checkKeptAside({ events, clones }: Reading, task: TaskFacts, { by, dir }: LateFacts): readonly Violation[] {
  if (!task.earlierAssignees.includes(by)) {
    return [
      { rule: 'kept', message: `the result of ${task.id} by ${by} is kept aside, and the task was never given away` },
    ];
  }
  const refused = events.filter(({ type, note }) => type === 'lane.refused' && note?.includes(dir) === true);
  if (refused.length === 0) return [{ rule: 'announced', message: `nothing is written down of ${dir}` }];
  const concerned = new Set([by, ...refused.map(({ actor }) => actor)]);
  return clones
    .filter(({ seat, said }) => concerned.has(seat) && !said.some(({ text }) => text.includes(dir)))
    .map(({ seat }) => ({ rule: 'announced', message: `${seat} was never told of ${dir}` }));
}

function checkEnd({ status }: TaskFacts, wanted: string, what: string): readonly Violation[] {
  return status === wanted ? [] : [lost(`${what} (it is ${status})`)];
}

function hasEvent({ events }: Reading, subject: string, type: RegExp, note?: string): boolean {
  return events.some(
    (event) => event.subject === subject && type.test(event.type) && (note === undefined || event.note === note),
  );
}

const lost = (what: string): Violation => ({ rule: 'kept', message: `an acknowledged write is lost: ${what}` });
