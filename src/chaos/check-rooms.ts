import type { CloneFacts, Reading, Violation } from './facts.ts';

/** Messages that tell of a change: an assignment, a result, a report, the end of a project. */
export const TELLS_OF_CHANGE = /^(delegate|submit|report|complete)-/;

/** The transactions of a line: its own, and those that a digest says besides. */
export const transactionsOf = ({ txn, covers = [] }: CloneFacts['said'][number]): readonly string[] => [txn, ...covers];

/** Reports may be overtaken by newer ones; an assignment and a result are always told. */
const ALWAYS_SAID = /^(delegate|submit)-/;

/** Each announcement stands in a room once, and only when its change is published; nothing stays unsaid. */
export function checkRooms({ clones, events }: Reading): readonly Violation[] {
  const published = new Set(events.flatMap(({ announces }) => announces));
  return clones.flatMap(({ seat, said, owed }) => {
    const counted = new Map<string, number>();
    for (const txn of said.flatMap(transactionsOf)) counted.set(txn, (counted.get(txn) ?? 0) + 1);
    const promised = events.filter(({ actor }) => actor === seat).flatMap(({ announces }) => announces);
    const announced = (message: string): Violation => ({ rule: 'announced', message });
    return [
      ...[...counted]
        .filter(([, times]) => times > 1)
        .map(([txn, times]) => announced(`${seat} heard ${txn} ${times} times`)),
      ...[...counted.keys()]
        .filter((txn) => TELLS_OF_CHANGE.test(txn) && !published.has(txn))
        .map((txn) => announced(`${seat} heard ${txn}, of which nothing is published`)),
      ...promised
        .filter((txn) => ALWAYS_SAID.test(txn) && !counted.has(txn))
        .map((txn) => announced(`${seat} never said ${txn}`)),
      ...owed.map((txn) => announced(`${seat} still owes ${txn}`)),
    ];
  });
}
