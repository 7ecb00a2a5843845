import { ConnectionError, EventType } from 'matrix-js-sdk';
import type { MatrixClient } from 'matrix-js-sdk';
import type { RoomMessageEventContent } from 'matrix-js-sdk/lib/types.js';
import { join } from 'node:path';
import type { Clock } from '../../ports.ts';
import type { Chat, OutgoingMessage, RoomMessage } from '../../ports-chat.ts';
import { FlowError } from '../../protocol/errors.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import { openAccess } from './access.ts';
import type { SessionSource } from './access.ts';
import { createClient, messagesBackwards } from './client.ts';
import type { ClientOptions } from './client.ts';
import { fitsWhole, messageContent, saysTransaction } from './content.ts';
import { isRateLimit, rateLimitMs, rateLimited, toNotifyError } from './errors.ts';
import { examine, isEncrypted } from './examine.ts';
import { listenToRooms } from './listen.ts';
import type { Listening } from './listen.ts';
import { readMessage } from './message.ts';
import { keepRooms } from './rooms.ts';
import { openSentJournal } from './sent.ts';
import { heardFile } from './since.ts';

export interface MatrixChatOptions extends Omit<ClientOptions, 'onTime'> {
  /** Where the token comes from when none is given. */
  readonly session?: SessionSource;
  /** Where the journal of sent messages lies: `.baton/matrix`. */
  readonly dir: string;
  readonly clock: Clock;
  /** Called when the homeserver takes messages again after it had refused them for their number. */
  readonly onReady?: () => void;
  /** How long a send waits for the homeserver's limit before it is left to the outbox, milliseconds. */
  readonly patience?: number;
}

/** Work never waits for the chat: what cannot be said within this time is said later. */
const PATIENCE = 1_000;
/** A homeserver that did not answer is given so long before the next request, milliseconds. */
const AWAY = 3_000;
/** Clocks of node and homeserver may differ by so much when a message is looked for. */
const CLOCK_MARGIN = 3_600_000;
const PAGE = 100;

type Sent = Awaited<ReturnType<Chat['send']>>;

/**
 * Chat on a Matrix homeserver (protocol.md §13), as the account of one access token. Nothing is asked of the homeserver
 * before it is needed, so a node starts and works without it. Per room messages leave in the order in which they are
 * given; the homeserver's limit holds for the account, so all rooms wait for it.
 */
export function createMatrixChat(options: MatrixChatOptions): Chat {
  const { self, homeserver, clock, patience = PATIENCE } = options;
  let lastTime: { readonly there: number; readonly here: number } | undefined;
  const client = createClient({ ...options, onTime: (there) => (lastTime = { there, here: clock.millis() }) });
  const access = openAccess({ ...options, client });
  const heard = heardFile(join(options.dir, 'since'), options);
  const journal = openSentJournal(join(options.dir, 'sent.jsonl'), () => clock.millis());
  const closing = new AbortController();
  /** Last send per room, settled or not. */
  const queues = new Map<string, Promise<unknown>>();
  const underWay = new Map<string, Promise<Sent>>();
  const plain = new Set<string>();
  const ears: Listening[] = [];
  /** Before this moment the homeserver takes no message. */
  let notBefore = 0;
  /** Whether somebody waits for that moment. */
  let isWaiting = false;
  /** Before this moment it is not asked again whether it is there. */
  let awayUntil = 0;

  async function asking<Value>(what: string, room: string | undefined, work: () => Promise<Value>): Promise<Value> {
    try {
      if (closing.signal.aborted) throw new Error('the node is stopping');
      if (clock.millis() < awayUntil) throw new ConnectionError('not asked again so soon');
      return await access.as(work);
    } catch (thrown) {
      const wait = rateLimitMs(thrown);
      if (wait !== undefined) void holdBack(wait);
      if (thrown instanceof ConnectionError && clock.millis() >= awayUntil) awayUntil = clock.millis() + AWAY;
      throw toNotifyError(thrown, { what, self, homeserver, ...(room === undefined ? {} : { room }) });
    }
  }

  async function deliver(message: OutgoingMessage, room: string): Promise<Sent> {
    const { txn, parts = [] } = message;
    const covers = parts.map((part) => part.txn);
    const record = journal.find(txn);
    if (record?.eventId !== undefined) return { eventId: record.eventId, reused: true };
    return asking(SENDING, room, async () => {
      await requirePlain(room);
      if (record?.doubtful === true) {
        const eventId = await findSent(client, room, txn, record.begunAt - CLOCK_MARGIN);
        if (eventId !== undefined) {
          journal.done(txn, eventId, covers);
          return { eventId, reused: true };
        }
      }
      await untilTaken();
      if (record === undefined) journal.begin(txn, covers);
      try {
        const eventId = await put(message, room);
        journal.done(txn, eventId, covers);
        return { eventId, reused: false };
      } catch (thrown) {
        if (record === undefined && isRateLimit(thrown)) journal.refused(txn, covers);
        throw thrown;
      }
    });
  }

  /** Encrypted rooms would need keys that nobody has given to this account; their members do not expect plain text. */
  async function requirePlain(room: string): Promise<void> {
    if (plain.has(room)) return;
    if (await isEncrypted(client, room)) {
      throw new FlowError('notify-failed', `${SENDING}: room ${room} is encrypted, and Baton writes plain text only`, {
        remedy: 'make a room without encryption and name it in shared/team.json',
      });
    }
    plain.add(room);
  }

  async function untilTaken(): Promise<void> {
    const wait = notBefore - clock.millis();
    if (wait <= 0) return;
    if (wait > patience) throw rateLimited(SENDING, wait);
    await clock.sleep(wait, closing.signal);
  }

  async function put(message: OutgoingMessage, room: string): Promise<string> {
    const content = messageContent(message) as unknown as RoomMessageEventContent;
    for (;;) {
      try {
        return (await client.sendEvent(room, EventType.RoomMessage, content, message.txn)).event_id;
      } catch (thrown) {
        const wait = rateLimitMs(thrown);
        if (wait === undefined) throw thrown;
        void holdBack(wait);
        await untilTaken();
        if (closing.signal.aborted) throw thrown;
      }
    }
  }

  async function holdBack(wait: number): Promise<void> {
    notBefore = Math.max(notBefore, clock.millis() + wait);
    if (isWaiting) return;
    isWaiting = true;
    // Timers may be early by a little, and the moment may move on meanwhile.
    for (let left = wait; left > 0 && !closing.signal.aborted; left = notBefore - clock.millis())
      await clock.sleep(left, closing.signal);
    isWaiting = false;
    if (!closing.signal.aborted) options.onReady?.();
  }

  return {
    kind: 'remote',
    self,
    rooms: keepRooms(client, clock, asking),

    limit: {
      holds() {
        const wait = notBefore - clock.millis();
        return wait > 0 ? rateLimited(SENDING, wait) : undefined;
      },
      fits: fitsWhole,
      knows: (txn) => journal.find(txn) !== undefined,
    },

    joined(room) {
      const id = requireRoom(room);
      return asking('room membership check failed', id, async () => {
        const { joined } = await client.getJoinedRoomMembers(id);
        return Object.keys(joined);
      });
    },

    async send(message) {
      const running = underWay.get(message.txn);
      if (running !== undefined) return running;
      const room = requireRoom(message.room);
      const before = queues.get(room) ?? Promise.resolve();
      const sending = before.then(() => deliver(message, room)).finally(() => underWay.delete(message.txn));
      underWay.set(message.txn, sending);
      queues.set(
        room,
        sending.catch(() => undefined),
      );
      return sending;
    },

    async history(room, limit) {
      const what = 'reading the messages failed';
      if (limit <= 0) return [];
      if (room !== undefined) {
        const id = requireRoom(room);
        return asking(what, id, () => newest(client, id, limit));
      }
      return asking(what, undefined, async () => {
        const { joined_rooms: rooms } = await client.getJoinedRooms();
        const found: (readonly Said[])[] = [];
        for (const id of rooms) found.push(await said(client, id, limit));
        return found
          .flat()
          .sort((a, b) => a.ts - b.ts)
          .slice(-limit)
          .map(({ message }) => message);
      });
    },

    listen(ear) {
      const listening = listenToRooms({
        client,
        access,
        self,
        clock,
        ear,
        heardFile: heard,
        explain: (thrown) => toNotifyError(thrown, { what: 'the rooms cannot be heard', self, homeserver }),
        onReachable() {
          awayUntil = 0;
          options.onReady?.();
        },
      });
      ears.push(listening);
      return listening;
    },

    examine(rooms) {
      const before = heard.read();
      const now = ears.at(-1)?.state();
      const earlier = typeof before === 'object' ? { heardAt: before.at } : {};
      return examine(
        {
          client,
          access,
          homeserver,
          clock,
          lastTime: () => lastTime,
          listening: { ...earlier, ...now },
          explain: (thrown) => toNotifyError(thrown, { what: 'the rooms cannot be looked at', self, homeserver }),
        },
        rooms,
      );
    },

    async close() {
      closing.abort();
      await Promise.all(ears.map((ear) => ear.close()));
      await Promise.allSettled(underWay.values());
      client.stopClient();
    },
  };
}

const SENDING = 'Matrix send failed';

function requireRoom(room: string): string {
  const id = normaliseRoom(room);
  if (id !== undefined) return id;
  const message = room.trim() === '' ? 'the message names no room' : `invalid Matrix room target: ${room.trim()}`;
  throw new FlowError('notify-failed', `${SENDING}: ${message}`, {
    remedy: 'set teamRoomId in shared/team.json, or name a room such as !room:domain',
    retryable: false,
  });
}

/** The event that carries a transaction of one's own, looked for down to `since`; `undefined` when it never arrived. */
async function findSent(client: MatrixClient, room: string, txn: string, since: number): Promise<string | undefined> {
  const self = client.getUserId() ?? '';
  for await (const event of messagesBackwards(client, room, PAGE)) {
    if (event.origin_server_ts < since) return undefined;
    if (event.sender === self && saysTransaction(event.content, txn)) return event.event_id;
  }
  return undefined;
}

interface Said {
  readonly ts: number;
  readonly message: RoomMessage;
}

async function newest(client: MatrixClient, room: string, limit: number): Promise<readonly RoomMessage[]> {
  return (await said(client, room, limit)).map(({ message }) => message);
}

/** The newest messages of a room, oldest of them first. */
async function said(client: MatrixClient, room: string, limit: number): Promise<readonly Said[]> {
  const found: Said[] = [];
  for await (const event of messagesBackwards(client, room, Math.min(limit, PAGE))) {
    const message = readMessage(event, room);
    if (message !== undefined) found.push({ ts: event.origin_server_ts, message });
    if (found.length >= limit) break;
  }
  return found.toReversed();
}
