import { setImmediate } from 'node:timers/promises';
import type { Committed, Transaction } from '../ports.ts';
import type { Pending } from './committer.ts';
import type { Brought, SyncContext } from './context.ts';
import { commitEarly, outrun, runGroup } from './publish.ts';
import { MOST_ATTEMPTS } from './pull.ts';
import { owesPush, pushAll } from './push.ts';

type Turn = <Result>(task: () => Promise<Result>) => Promise<Result>;

/** Gathers what waits for the next push, and sees to it that it comes. */
export interface Gathering {
  transact<Output>(transaction: Transaction<Output>): Promise<Committed<Output>>;
  /** Pushes what is committed here, or has it pushed as soon as that may be. */
  push(): Promise<void>;
  /** As `push`, without waiting for it. */
  owe(): void;
  /** Callers who wait for a push. */
  waiting(): number;
  /** From now on nothing is held back. */
  hurry(): void;
  /** Runs what still waits. */
  finish(): Promise<void>;
}

/**
 * Milliseconds for which calls that come in together are waited for at most. A thousand are read in some three hundred, and each
 * group costs a commit and a push.
 */
const MOMENT = 500;

export interface GatheringOptions {
  /** Runs a task after those before it; pulls take turns too, so nobody waits for a push while holding one. */
  readonly takeTurn: Turn;
  /** Told what a turn brought, and that something was pushed for which no caller had waited. */
  readonly tell: (brought: Brought, after?: 'push') => void;
}

/**
 * While a turn is under way, or until the next push may be (`git.minPushInterval`), the steps that are asked for gather;
 * then they share a fetch, a commit and a push. Steps whose callers are answered once they are committed do not wait for
 * the push: they take a turn of their own at once, and are pushed with all else.
 */
export function createGathering(context: SyncContext, { takeTurn, tell }: GatheringOptions): Gathering {
  const { clock, log, quota, remote } = context;
  const waking = new AbortController();
  let isHurried = false;
  let isEnding = false;
  let early: Pending[] = [];
  let waiting: Pending[] = [];
  /** Something is committed here that no caller waits for and the remote lacks. */
  let isOwed = false;
  let isTurnTaken = false;
  let isTimed = false;
  /** How often a step was overtaken by other writers. */
  const overtaken = new WeakMap<Pending, number>();
  /** Since when a step has been held back. */
  const heldSince = new WeakMap<Pending, number>();
  /** When the present group stopped gathering. */
  let takenAt = 0;

  const heldBack = (): number => (isHurried ? 0 : quota.wait());

  /** One turn for all that has gathered. */
  function run(): void {
    if (isTurnTaken) return;
    isTurnTaken = true;
    void takeTurn(turn);
  }

  async function turn(): Promise<void> {
    isTurnTaken = false;
    await runEarly();
    if (heldBack() > 0) later();
    else if (waiting.length > 0) await runWaiting();
    else if (isOwed) await pushOwed();
  }

  /** A turn as soon as a push may be. */
  function later(): void {
    for (const pending of waiting) if (!heldSince.has(pending)) heldSince.set(pending, clock.elapsed());
    if (isTimed || isEnding || (waiting.length === 0 && !isOwed)) return;
    isTimed = true;
    void rest().then(run);
  }

  async function rest(): Promise<void> {
    // Rounded up, since a timer may be early by a fraction of a millisecond.
    await clock.sleep(Math.ceil(heldBack()) + 1, waking.signal);
    isTimed = false;
  }

  async function runEarly(): Promise<void> {
    const group = early;
    early = [];
    if (group.length === 0 || remote === undefined) return;
    isOwed = true;
    tell(await commitEarly(context, remote, group));
  }

  /** Calls come in one by one, as they are read: where several are here, more of the same moment share their turn. */
  async function untilAllAreHere(): Promise<void> {
    // What has been read already is on its way here.
    await setImmediate();
    const since = clock.elapsed();
    for (let before = 1; waiting.length > before && clock.elapsed() - since < MOMENT;) {
      before = waiting.length;
      await clock.sleep(1);
    }
  }

  async function runWaiting(): Promise<void> {
    await untilAllAreHere();
    const group = waiting;
    waiting = [];
    isOwed = false;
    takenAt = clock.elapsed();
    tell(await runGroup(context, group, postpone));
  }

  /** Other writers were faster: decided again, and pushed with what gathers until the next push may be. */
  function postpone(group: readonly Pending[]): void {
    const again = group.filter((pending) => {
      const times = (overtaken.get(pending) ?? 0) + 1;
      overtaken.set(pending, times);
      if (times < MOST_ATTEMPTS) return true;
      pending.reject(outrun(context));
      return false;
    });
    waiting = [...again, ...waiting];
    later();
  }

  async function pushOwed(): Promise<void> {
    isOwed = false;
    if (remote === undefined) return;
    try {
      const brought = await pushAll(context, remote);
      isOwed = heldBack() > 0 && (await owesPush(context));
      if (isOwed) later();
      tell(brought, 'push');
    } catch (error) {
      log.warn({ reason: String(error) }, 'what is committed here is not pushed yet; it is tried again');
    }
  }

  function hurry(): void {
    isHurried = true;
    waking.abort();
  }

  return {
    transact<Output>(transaction: Transaction<Output>) {
      return new Promise<Committed<Output>>((resolve, reject) => {
        const isEarly = transaction.answers === 'committed' && remote !== undefined;
        const pending: Pending = {
          transaction,
          reject,
          resolve(committed) {
            const since = heldSince.get(pending);
            const held = since === undefined ? {} : { heldBackMs: Math.round(takenAt - since) };
            resolve({ ...(committed as Committed<Output>), ...held });
          },
        };
        (isEarly ? early : waiting).push(pending);
        if (!isEarly && heldBack() > 0) later();
        else run();
      });
    },
    async push() {
      if (remote === undefined) return;
      if (heldBack() === 0) {
        await takeTurn(async () => tell(await pushAll(context, remote)));
        return;
      }
      isOwed ||= await owesPush(context);
      later();
    },
    owe() {
      isOwed = true;
      if (heldBack() > 0) later();
      else run();
    },
    waiting: () => waiting.length,
    hurry,
    async finish() {
      isEnding = true;
      if (waiting.length > 0 || context.lastPush !== 'when-due') hurry();
      else waking.abort();
      do await takeTurn(turn);
      while (waiting.length > 0);
    },
  };
}
