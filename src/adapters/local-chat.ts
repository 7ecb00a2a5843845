import { readdirSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../ports.ts';
import type { Chat, OutgoingMessage, RoomMessage } from '../ports-chat.ts';
import { FlowError } from '../protocol/errors.ts';
import { normaliseRoom } from '../protocol/rooms.ts';
import { addJsonLines, makeLinesDurable, readJsonLines } from './json-lines.ts';

export interface LocalChatOptions {
  /** Where the room logs lie: `.baton/rooms`, one file per room. */
  readonly dir: string;
  /** Own full Matrix id: the sender of every message that names no other. */
  readonly self: string;
  readonly clock: Clock;
  /** Full ids of the team's members; in a local room everybody has joined. */
  readonly members?: () => readonly string[];
}

/** One line of a room log. The event id sorts by time, so that several rooms can be shown as one story. */
interface Line extends RoomMessage {
  readonly txn: string;
  /** The transactions that a digest says besides. */
  readonly covers?: readonly string[];
}

const SUFFIX = '.jsonl';
/** Longer encoded names are cut and made unique by a digest: file systems end at 255 bytes. */
const MAX_NAME = 200;

/**
 * Chat without a homeserver (interface.md §7): messages are appended to a log on this machine, and are there once
 * `send` returns; a loss of power leaves them once `persist` has returned. One process at a time: whoever holds the
 * workspace's lock.
 */
export function createLocalChat({ dir, self, clock, members }: LocalChatOptions): Chat {
  /** Transaction id → event id of everything ever sent from here; read from the logs when first needed. */
  let sent: Map<string, string> | undefined;
  const known = (): Map<string, string> => {
    sent ??= new Map(readAll(dir).flatMap(eventsOf));
    return sent;
  };

  const beingWritten = new Map<string, Promise<string>>();
  /** Room logs with lines that a loss of power may take. */
  const unsynced = new Set<string>();
  const write = createWriter(dir, unsynced);

  return {
    kind: 'local',
    self,
    joined: () => Promise.resolve([...new Set([self, ...(members?.() ?? [])])]),
    async send(message) {
      const earlier = known().get(message.txn);
      if (earlier !== undefined) {
        // An earlier process may have ended before it had made that outlive a loss of power.
        unsynced.add(fileOf(dir, roomKey(message.room)));
        return { eventId: earlier, reused: true };
      }
      const running = beingWritten.get(message.txn);
      if (running !== undefined) return { eventId: await running, reused: true };
      const eventId = `$${clock.id()}`;
      const line = lineOf(message, eventId, message.sender ?? self, clock.now());
      const transactions = eventsOf(line).map(([txn]) => txn);
      const written = write(line)
        .then(() => eventId)
        .finally(() => transactions.forEach((txn) => beingWritten.delete(txn)));
      for (const txn of transactions) beingWritten.set(txn, written);
      await written;
      for (const txn of transactions) known().set(txn, eventId);
      return { eventId, reused: false };
    },
    async history(room, limit) {
      const wanted = room === undefined ? undefined : roomKey(room);
      const lines = wanted === undefined ? readAll(dir) : readRoom(dir, wanted);
      const newest = limit > 0 ? lines.slice(-limit) : [];
      return newest.map(messageOf);
    },
    persist() {
      const failures: unknown[] = [];
      for (const file of unsynced) {
        try {
          makeLinesDurable(file);
          unsynced.delete(file);
        } catch (cause) {
          failures.push(cause);
        }
      }
      if (failures.length > 0) throw unwritten(failures[0]);
    },
    close: () => Promise.resolve(),
  };
}

function lineOf(message: OutgoingMessage, eventId: string, sender: string, at: string): Line {
  const room = roomKey(message.room);
  if (room === '') {
    throw new FlowError('notify-failed', 'the message names no room', {
      remedy: 'set teamRoomId in shared/team.json, or name a room',
      retryable: false,
    });
  }
  const { txn, text, mentions, parts } = message;
  const covers = parts === undefined ? {} : { covers: parts.map((part) => part.txn) };
  return { eventId, txn, ...covers, room, sender, text, mentions, at };
}

/** Each transaction that a line says, with its event. */
function eventsOf({ txn, covers = [], eventId }: Line): readonly (readonly [string, string])[] {
  return [txn, ...covers].map((said) => [said, eventId]);
}

function messageOf({ eventId, room, sender, text, mentions, at }: Line): RoomMessage {
  return { eventId, room, sender, text, mentions, at };
}

/** All spellings of a room are one room (protocol.md §1.4). */
function roomKey(room: string): string {
  return normaliseRoom(room) ?? room.trim();
}

function fileOf(dir: string, room: string): string {
  const safe = room.replace(/[^A-Za-z0-9._-]|^\./gu, (character) => encodeByte(character));
  const digest = createHash('sha256').update(room).digest('hex').slice(0, 16);
  const name = safe.length <= MAX_NAME ? safe : `${safe.slice(0, MAX_NAME)}-${digest}`;
  return join(dir, `${name}${SUFFIX}`);
}

function encodeByte(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** Lines that are given in one turn of the event loop share a write. The files that were written are added to `unsynced`. */
function createWriter(dir: string, unsynced: Set<string>): (line: Line) => Promise<void> {
  let waiting: { readonly line: Line; readonly written: PromiseWithResolvers<void> }[] = [];
  const writeAll = (): void => {
    const lines = Map.groupBy(waiting, ({ line }) => fileOf(dir, line.room));
    waiting = [];
    for (const [file, entries] of lines) {
      try {
        addJsonLines(
          file,
          entries.map(({ line }) => line),
        );
        unsynced.add(file);
        for (const { written } of entries) written.resolve();
      } catch (cause) {
        for (const { written } of entries) written.reject(unwritten(cause));
      }
    }
  };
  return (line) => {
    const written = Promise.withResolvers<void>();
    if (waiting.length === 0) setImmediate(writeAll);
    waiting.push({ line, written });
    return written.promise;
  };
}

function unwritten(cause: unknown): FlowError {
  return new FlowError('notify-failed', `the local room log cannot be written (${codeOf(cause)})`, { cause });
}

function readRoom(dir: string, room: string): readonly Line[] {
  return readLines(fileOf(dir, room)).filter((line) => line.room === room);
}

function readAll(dir: string): readonly Line[] {
  let names: readonly string[];
  try {
    names = readdirSync(dir);
  } catch (error) {
    return absent(error);
  }
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .flatMap((name) => readLines(join(dir, name)))
    .sort((a, b) => (a.eventId < b.eventId ? -1 : a.eventId > b.eventId ? 1 : 0));
}

/** A log that is not there holds nothing; any other reason is told. */
function absent(cause: unknown): readonly [] {
  const code = codeOf(cause);
  if (code === 'ENOENT') return [];
  throw new FlowError('notify-failed', `the local room log cannot be read (${code})`, { cause });
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? 'unknown error';
}

/** What was torn or edited away is passed over: the log is a record for people, and all else goes on. */
function readLines(file: string): readonly Line[] {
  try {
    return readJsonLines(file).flatMap((record) => lineIn(record) ?? []);
  } catch (error) {
    return absent(error);
  }
}

function lineIn(value: Readonly<Partial<Record<keyof Line, unknown>>>): Line | undefined {
  const { covers, ...fields } = value;
  const { eventId, txn, room, sender, text: body, mentions, at } = fields;
  const texts = [eventId, txn, room, sender, body, at];
  if (texts.some((field) => typeof field !== 'string') || !Array.isArray(mentions)) return undefined;
  const line = { ...fields, mentions: textsAmong(mentions) } as Line;
  return Array.isArray(covers) ? { ...line, covers: textsAmong(covers) } : line;
}

function textsAmong(values: readonly unknown[]): readonly string[] {
  return values.filter((value) => typeof value === 'string');
}
