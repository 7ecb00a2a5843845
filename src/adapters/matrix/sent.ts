import { renameSync, writeFileSync } from 'node:fs';
import { FlowError } from '../../protocol/errors.ts';
import { appendJsonLine, readJsonLines } from '../json-lines.ts';

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
  begin(txn: string): void;
  done(txn: string, eventId: string): void;
}

/** Synapse knows a transaction of the same device again for a day; well before that it is looked up in the room. */
const TRUSTED_MS = 3_600_000;
/** Lines that are kept when the file is read again; nobody repeats a message older than so many others. */
const KEPT = 5_000;

/**
 * Which transactions were begun and which reached the room, on disk: a homeserver remembers them for hours only, and
 * a node may be down for longer.
 */
export function openSentJournal(file: string, millis: () => number): SentJournal {
  const records = new Map<string, SentRecord>();
  const lines = guarded('read', () => readJsonLines(file));
  for (const { txn, eventId, at } of lines.slice(-KEPT)) {
    if (typeof txn !== 'string' || typeof at !== 'number') continue;
    const begunAt = records.get(txn)?.begunAt ?? at;
    records.set(txn, { begunAt, doubtful: true, ...(typeof eventId === 'string' ? { eventId } : {}) });
  }
  if (lines.length > 2 * KEPT) guarded('written', () => rewrite(file, lines.slice(-KEPT)));

  const write = (txn: string, record: SentRecord, line: object): void => {
    guarded('written', () => appendJsonLine(file, line));
    records.set(txn, record);
  };
  return {
    find(txn) {
      const record = records.get(txn);
      return record === undefined
        ? undefined
        : { ...record, doubtful: record.doubtful || millis() - record.begunAt > TRUSTED_MS };
    },
    begin(txn) {
      const at = millis();
      write(txn, { begunAt: at, doubtful: false }, { txn, at });
    },
    done(txn, eventId) {
      const at = millis();
      write(txn, { begunAt: records.get(txn)?.begunAt ?? at, doubtful: false, eventId }, { txn, at, eventId });
    },
  };
}

function rewrite(file: string, lines: readonly object[]): void {
  const next = `${file}.next`;
  writeFileSync(next, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
  renameSync(next, file);
}

function guarded<Value>(how: string, work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new FlowError('notify-failed', `the journal of sent messages cannot be ${how} (${code})`, { cause });
  }
}
