import type { Execute } from '../flows/operation.ts';
import type { Clock, Sync, WorkTree } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import { partsIn } from '../protocol/event-logs.ts';
import { eventLogIn, eventsDir } from '../protocol/paths.ts';
import type { Actor } from '../protocol/records/types.ts';
import type { Outbox } from './outbox.ts';

export interface DeliveryDependencies {
  readonly outbox: Outbox;
  readonly sync: Sync;
  readonly workTree: WorkTree;
  readonly clock: Clock;
  readonly execute: Execute;
  readonly identity: Actor;
}

/**
 * Decides what may be said by now of what is still owed: what an earlier process left behind, what waited for the
 * remote. Which changes became true is read from the own event log, whose entries name the messages that their commit
 * owes. Asks nothing of the chat.
 */
export async function decideOwed(dependencies: DeliveryDependencies): Promise<void> {
  const { outbox, sync } = dependencies;
  if (outbox.overdue().length === 0) return;
  const decidable = await lookUp(dependencies);
  const recorded = recordedTransactions(dependencies);
  const { ahead, head } = await sync.status();
  for (const { announcement, state, commit } of outbox.overdue()) {
    // Committed by a process that died before it could note the commit: it waits for the remote like any other.
    if (state === 'waiting' && commit === undefined && ahead > 0 && recorded(announcement.txn))
      outbox.owe([announcement], head);
  }
  await outbox.confirm(({ announcement: { txn } }) =>
    recorded(txn) ? ahead === 0 : decidable.has(txn) ? false : undefined,
  );
}

/** Says what may be said, also what a room refused before, and records what it calls for. */
export async function sayOwed({ outbox, execute }: DeliveryDependencies): Promise<void> {
  await outbox.flush(async ({ operation, input, actor }, eventId) => {
    await execute(operation, { ...input, eventId }, { actor });
  });
}

/**
 * Brings what the remote holds, where only that tells whether something was published. Returns the transactions of which
 * the files tell it from now on; none while the remote cannot be reached.
 */
async function lookUp({ outbox, sync }: DeliveryDependencies): Promise<ReadonlySet<string>> {
  const undecided = outbox.overdue().filter((owed) => outbox.isUndecided(owed));
  if (undecided.length === 0) return new Set();
  try {
    await sync.pull();
  } catch (error) {
    if (!(error instanceof FlowError) || error.code !== 'sync-failed') throw error;
    return new Set();
  }
  return new Set(undecided.map(({ announcement: { txn } }) => txn));
}

/** Tells whether the own event log of this month or the last one names a transaction. */
function recordedTransactions(dependencies: DeliveryDependencies): (txn: string) => boolean {
  const unread = recentEvents(dependencies);
  const read: string[] = [];
  return (txn) => {
    const quoted = JSON.stringify(txn);
    if (read.some((text) => text.includes(quoted))) return true;
    for (let next = unread.next(); next.done !== true; next = unread.next()) {
      read.push(next.value);
      if (next.value.includes(quoted)) return true;
    }
    return false;
  };
}

/** What this node has written into its event log this month and in the last one, the newest part first. */
export function* recentEvents({
  workTree,
  clock,
  identity: { localpart },
}: Pick<DeliveryDependencies, 'workTree' | 'clock' | 'identity'>): Generator<string> {
  const view = workTree.view();
  const now = clock.now();
  for (const dir of [now, monthBefore(now)].map(eventsDir)) {
    for (const part of partsIn(view.list(dir), localpart)) yield view.text(eventLogIn(dir, localpart, part)) ?? '';
  }
}

function monthBefore(time: string): string {
  const [year = 1970, month = 1] = time.split('-').map(Number);
  const [lastYear, lastMonth] = month === 1 ? [year - 1, 12] : [year, month - 1];
  return `${lastYear}-${String(lastMonth).padStart(2, '0')}-01T00:00:00Z`;
}
