import { existsSync, readFileSync, renameSync } from 'node:fs';
import { z } from 'zod';
import type { Log } from '../ports.ts';
import type { Announcement } from '../ports-chat.ts';
import { FlowError } from '../protocol/errors.ts';
import { writeAtomically } from '../workspace/atomic.ts';

/**
 * What is owed to a room and not yet said.
 * `waiting`: its commit is not known to be published; nothing may be said yet.
 * `due`: published; said now, or later when the room could not be reached.
 */
export interface Owed {
  readonly announcement: Announcement;
  readonly state: 'waiting' | 'due';
  /** The commit that must be published first, when it has been made. */
  readonly commit?: string;
  readonly since: string;
  /** Why it could not be said when it was last tried. */
  readonly error?: string;
  /** It waits for its turn only because a homeserver takes no more messages for now. */
  readonly heldBack?: true;
  /** The transaction of the digest that says it, decided before that was tried for the first time. */
  readonly digest?: string;
}

const STORED = z.object({
  schema: z.literal(1),
  owed: z.array(
    z.object({
      state: z.enum(['waiting', 'due']),
      commit: z.string().optional(),
      since: z.string(),
      error: z.string().optional(),
      heldBack: z.literal(true).optional(),
      digest: z.string().optional(),
      announcement: z.looseObject({
        kind: z.string(),
        txn: z.string(),
        room: z.string(),
        text: z.string(),
        mentions: z.array(z.string()),
      }),
    }),
  ),
});

/** By transaction, in the order in which it was owed. A file that cannot be read is set aside, with a line in the log. */
export function loadOwed(file: string, log: Log): Map<string, Owed> {
  if (!existsSync(file)) return new Map();
  try {
    const { owed } = STORED.parse(JSON.parse(readFileSync(file, 'utf8')));
    // Written by `saveOwed`, so what zod does not describe in detail is as it was given.
    return new Map((owed as unknown as readonly Owed[]).map((entry) => [entry.announcement.txn, entry]));
  } catch (error) {
    renameSync(file, `${file}.broken`);
    log.warn({ error, file: '.baton/outbox.json.broken' }, 'the outbox could not be read and was set aside');
    return new Map();
  }
}

/** Throws `bad-workspace`. */
function saveOwed(file: string, owed: ReadonlyMap<string, Owed>): void {
  const stored = { schema: 1, owed: [...owed.values()] };
  try {
    writeAtomically(file, Buffer.from(`${JSON.stringify(stored, undefined, 2)}\n`), 0o600);
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new FlowError('bad-workspace', `the record of what is to be said cannot be written (${code})`, {
      remedy: code === 'ENOSPC' ? 'free some space on the disk' : 'check that .baton may be written to',
      retryable: true,
      cause,
    });
  }
}

export interface Saving {
  /** Writes at once. */
  readonly save: () => void;
  /** Writes with the next turn of the event loop, once for all that changed until then; resolves when that is on disk. */
  readonly saveSoon: () => Promise<void>;
  /** What changed is written by `record`, or with whatever is written before. */
  readonly note: () => void;
  /** As `note`, and written after a second if nothing else has done it: for what may be lost without harm. */
  readonly saveLater: () => void;
  /** Everything that changed is on disk when this returns, or it throws. */
  readonly record: () => void;
  /**
   * As `record` for whoever gives the file to others, and to whom a failure is no reason to stay: it is in the log. From then on
   * nothing is written later.
   */
  readonly close: () => void;
}

/** Milliseconds after which is written what nobody waits for. */
const LATER = 1_000;

/**
 * Keeps the file as `owed` is; whoever changes that says so by one of these. `persist` is called before each write: what is owed
 * no longer is to stay said.
 */
export function keepSaved(
  file: string,
  owed: ReadonlyMap<string, Owed>,
  { log, persist }: { readonly log: Log; readonly persist: () => void },
): Saving {
  /** Whether something changed that is not on disk; only a write that succeeded clears it. */
  let isDirty = false;
  /** Settled by the next write; absent when none is on its way. */
  let saving: PromiseWithResolvers<void> | undefined;
  let later: NodeJS.Timeout | undefined;
  let closed = false;

  /** A room that cannot be kept is no reason to record nothing: work does not wait for the chat. */
  const keepSaid = (): void => {
    try {
      persist();
    } catch (error) {
      log.warn({ error: String(error) }, 'what was said may not outlive a loss of power');
    }
  };
  const save = (): void => {
    const waiting = saving;
    saving = undefined;
    isDirty = true;
    try {
      keepSaid();
      saveOwed(file, owed);
      isDirty = false;
      clearTimeout(later);
      later = undefined;
      waiting?.resolve();
    } catch (error) {
      waiting?.reject(error);
      throw error;
    }
  };
  const note = (): void => {
    isDirty = true;
  };
  const record = (): void => {
    if (isDirty) save();
  };
  /** Whoever waits is told; for all others there is the log. */
  const recordUnasked = (): void => {
    try {
      record();
    } catch (error) {
      log.warn({ error: String(error) }, 'the outbox cannot be written');
    }
  };
  const saveSoon = (): Promise<void> => {
    isDirty = true;
    if (saving === undefined) {
      saving = Promise.withResolvers();
      saving.promise.catch(() => undefined);
      setImmediate(recordUnasked);
    }
    return saving.promise;
  };
  const saveLater = (): void => {
    isDirty = true;
    if (closed) return;
    later ??= setTimeout(() => {
      later = undefined;
      recordUnasked();
    }, LATER).unref();
  };
  const close = (): void => {
    closed = true;
    clearTimeout(later);
    recordUnasked();
  };
  return { save, saveSoon, saveLater, note, record, close };
}
