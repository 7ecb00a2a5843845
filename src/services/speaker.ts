import type { EventBus } from '../events.ts';
import type { Clock } from '../ports.ts';
import type { Announcement, Chat } from '../ports-chat.ts';
import { toFlowError } from '../protocol/errors.ts';
import type { Secrets } from '../protocol/secrets/known.ts';
import { redactSecrets } from '../protocol/secrets/scan.ts';
import { sameIdentity } from '../protocol/identity.ts';
import { digestMessage, singleMessage } from './digest.ts';
import type { Owed } from './outbox-file.ts';

/** What became of one message to a room, whether it says one announcement or gathers several. */
export type Outcome =
  | { readonly sent: true; readonly eventId: string; readonly reused: boolean }
  | { readonly sent: false; readonly error: string; readonly retryable: boolean; readonly queued?: true };

/** Says what the outbox gives it, and keeps nothing. */
export interface Speaker {
  /** One entry, or all of a digest. The same transaction again while it is being said: the same outcome. */
  say(head: Owed, ...others: readonly Owed[]): Promise<Outcome>;
  isSaying(txn: string): boolean;
  /** Looks whose addressee has not joined the room. Throws `notify-failed` when that cannot be told. */
  lookWhoJoined(entries: readonly Owed[]): Promise<void>;
  /** Whether only its addressee keeps it from being said, as last seen. */
  isAwaited(txn: string): boolean;
  /**
   * Whether others in the room need not wait for it: only its addressee keeps it from being said, or the homeserver,
   * which is there, has failed over it so often that it is most likely the message itself. `txn` may be a digest's.
   */
  mayBePassed(txn: string): boolean;
}

/** So often a message may meet a bad moment of the homeserver. */
const BAD_MOMENTS = 5;

export function createSpeaker({
  chat,
  clock,
  events,
  secrets,
}: {
  readonly chat: Chat;
  readonly clock: Clock;
  readonly events: EventBus | undefined;
  readonly secrets: Secrets | undefined;
}): Speaker {
  /** By transaction, a digest's by its own. */
  const underWay = new Map<string, Promise<Outcome>>();
  const awaited = new Set<string>();
  /** How often the homeserver has failed over a message; by transaction. */
  const failures = new Map<string, number>();

  async function attempt(entries: readonly [Owed, ...Owed[]]): Promise<Outcome> {
    const outcome = await send(entries);
    if (outcome.sent) failures.delete(nameOf(entries[0]));
    for (const { announcement } of entries) {
      const { txn, room } = announcement;
      if (!outcome.sent) events?.emit('message:failed', { txn, room, error: outcome.error });
      else if (!outcome.reused) events?.emit('message:sent', { txn, room, eventId: outcome.eventId });
    }
    return outcome;
  }

  async function send([head, ...others]: readonly [Owed, ...Owed[]]): Promise<Outcome> {
    const { digest, announcement } = head;
    const { txn, room, mustHaveJoined = '' } = announcement;
    try {
      // For a digest it was looked at when its members were chosen; they stay the same.
      if (digest === undefined) await lookWhoJoined([head]);
      if (awaited.has(txn)) return failed(`worker ${mustHaveJoined} is not a joined member of room ${room}`);
      const now = clock.millis();
      const message = digest === undefined ? singleMessage(head, now) : digestMessage(digest, [head, ...others], now);
      const sent = await chat.send(message);
      if ([head, ...others].some((entry) => isLastWord(entry.announcement))) chat.persist?.();
      return { sent: true, ...sent };
    } catch (thrown) {
      const { code, message, retryable, data } = toFlowError(thrown, 'sending the message');
      if (Number(data['httpStatus']) >= 500) failures.set(nameOf(head), (failures.get(nameOf(head)) ?? 0) + 1);
      return failed(redactSecrets(message, secrets?.known()), {
        retryable: retryable || code === 'internal',
        queued: 'retryAfterMs' in data,
      });
    }
  }

  async function lookWhoJoined(entries: readonly Owed[]): Promise<void> {
    const [first, ...others] = entries.filter(({ announcement }) => announcement.mustHaveJoined !== undefined);
    // Nobody joins a room that is a log on this machine.
    if (first === undefined || chat.kind === 'local') return;
    const joined = await chat.joined(first.announcement.room);
    for (const { announcement } of [first, ...others]) {
      const { txn, mustHaveJoined = '' } = announcement;
      if (joined.some((member) => sameIdentity(member, mustHaveJoined))) awaited.delete(txn);
      else awaited.add(txn);
    }
  }

  return {
    say(head, ...others) {
      const txn = nameOf(head);
      const running = underWay.get(txn) ?? attempt([head, ...others]).finally(() => underWay.delete(txn));
      underWay.set(txn, running);
      return running;
    },
    isSaying: (txn) => underWay.has(txn),
    lookWhoJoined,
    isAwaited: (txn) => awaited.has(txn),
    mayBePassed: (txn) => awaited.has(txn) || (failures.get(txn) ?? 0) >= BAD_MOMENTS,
  };
}

/**
 * Whether nobody could say it again after a loss of power: what follows it tells everybody that it was said, or no commit tells
 * that it was to be said.
 */
function isLastWord({ kind, followUp }: Announcement): boolean {
  return followUp !== undefined || kind === 'message';
}

/** The transaction under which it is said. */
function nameOf({ digest, announcement }: Owed): string {
  return digest ?? announcement.txn;
}

export function failed(error: string, { retryable = true, queued = false } = {}): Outcome {
  return { sent: false, error, retryable, ...(queued ? { queued: true } : {}) };
}
