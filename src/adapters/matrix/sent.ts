import { FlowError } from '../../protocol/errors.ts';
import { textsIn } from '../../protocol/json.ts';
import { writeAtomically } from '../../workspace/atomic.ts';
import { appendJsonLines, readJsonLines } from '../json-lines.ts';

/** What is known of one transaction. */
export interface SentRecord {
  readonly eventId?: string;
  /** When it was first tried, milliseconds since the epoch. */
  readonly begunAt: number;
  /** Tried by a process that is gone, or so long ago that the homeserver may have forgotten it. */
  readonly doubtful: boolean;
}

export interface SentJournal {
  find(txn: string): SentRecord | undefined;
  /** `covers`: the transactions that a digest says besides. */
  begin(txn: string, covers?: readonly string[]): void;
  /** The homeserver refused it when it was tried for the first time: it is not in the room. */
  refused(txn: string, covers?: readonly string[]): void;
  done(txn: string, eventId: string, covers?: readonly string[]): void;
}

/** Synapse knows a transaction of the same device again for a day; well before that it is looked up in the room. */
const TRUSTED_MS = 3_600_000;
/** Lines of the file, and transactions in memory, that are kept; nobody repeats a message older than so many others. */
const KEPT = 5_000;

/**
 * Which transactions were begun and which reached the room, on disk: a homeserver remembers them for hours only, and
 * a node may be down for longer.
 */
export function openSentJournal(file: string, millis: () => number): SentJournal {
  const records = new Map<string, SentRecord>();
  const note = (txn: string, record: SentRecord): void => {
    // Behind all others, so that the oldest stands first.
    records.delete(txn);
    records.set(txn, record);
    for (const oldest of records.keys()) {
      if (records.size <= KEPT) return;
      records.delete(oldest);
    }
  };
  const lines = guarded('read', () => readJsonLines(file));
  for (const { txn, eventId, at, covers, refused } of lines.slice(-KEPT)) {
    if (typeof txn !== 'string' || typeof at !== 'number') continue;
    for (const said of [txn, ...textsIn(covers)]) {
      if (refused === true) records.delete(said);
      else {
        const begunAt = records.get(said)?.begunAt ?? at;
        note(said, { begunAt, doubtful: true, ...(typeof eventId === 'string' ? { eventId } : {}) });
      }
    }
  }
  if (lines.length > 2 * KEPT) guarded('written', () => rewrite(file, lines.slice(-KEPT)));

  const append = (line: object): void => guarded('written', () => appendJsonLines(file, [line]));
  return {
    find(txn) {
      const record = records.get(txn);
      return record === undefined
        ? undefined
        : { ...record, doubtful: record.doubtful || millis() - record.begunAt > TRUSTED_MS };
    },
    begin(txn, covers = []) {
      const at = millis();
      append({ txn, at, ...named(covers) });
      note(txn, { begunAt: at, doubtful: false });
      // The homeserver knows the digest again, and not what it says besides.
      for (const said of covers) note(said, { begunAt: at, doubtful: true });
    },
    refused(txn, covers = []) {
      append({ txn, at: millis(), refused: true, ...named(covers) });
      for (const said of [txn, ...covers]) records.delete(said);
    },
    done(txn, eventId, covers = []) {
      const at = millis();
      append({ txn, at, eventId, ...named(covers) });
      for (const said of [txn, ...covers]) {
        note(said, { begunAt: records.get(said)?.begunAt ?? at, doubtful: false, eventId });
      }
    },
  };
}

function named(covers: readonly string[]): { readonly covers?: readonly string[] } {
  return covers.length === 0 ? {} : { covers };
}

function rewrite(file: string, lines: readonly object[]): void {
  writeAtomically(file, Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')), 0o600);
}

function guarded<Value>(how: string, work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new FlowError('notify-failed', `the journal of sent messages cannot be ${how} (${code})`, { cause });
  }
}
