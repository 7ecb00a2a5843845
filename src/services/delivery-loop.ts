import type { EventBus } from '../events.ts';
import type { Announcement } from '../ports-chat.ts';
import { sayOwed } from './deliveries.ts';
import type { DeliveryDependencies } from './deliveries.ts';

/** Says what is owed, beside the rounds of the reconciler: work never waits for the chat. */
export interface DeliveryLoop {
  /** Asks for one go more over all that is due, and for `notices` behind it; calls during a go share the next one. */
  wake(notices?: readonly Announcement[]): void;
  /** The go that is under way; `undefined` when nothing is. */
  running(): Promise<void> | undefined;
  /** No further goes; resolves when the present one is over. */
  close(): Promise<void>;
}

export function createDeliveryLoop(dependencies: DeliveryDependencies & { readonly events: EventBus }): DeliveryLoop {
  const { outbox, events } = dependencies;
  /** By transaction, so that what is found again while it waits waits once. */
  let waiting = new Map<string, Announcement>();
  let wanted = false;
  let closed = false;
  let running: Promise<void> | undefined;

  async function attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // What was not said is still owed, and tried with the next wake.
      events.emit('node:problem', { what: 'delivering messages', error });
    }
  }

  async function goes(): Promise<void> {
    while (wanted && !closed) {
      wanted = false;
      const notices = [...waiting.values()];
      waiting = new Map();
      await attempt(() => sayOwed(dependencies));
      if (notices.length > 0) await attempt(() => outbox.deliver(notices));
    }
    running = undefined;
  }

  return {
    wake(notices = []) {
      if (closed) return;
      for (const notice of notices) waiting.set(notice.txn, notice);
      wanted = true;
      running ??= goes();
    },
    running: () => running,
    async close() {
      closed = true;
      await running;
    },
  };
}
