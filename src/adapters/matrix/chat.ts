import { ConnectionError, EventType } from 'matrix-js-sdk';
import type { MatrixClient } from 'matrix-js-sdk';
import type { RoomMessageEventContent } from 'matrix-js-sdk/lib/types.js';
import { join } from 'node:path';
import type { Chat, Clock, OutgoingMessage, RoomMessage } from '../../ports.ts';
import { FlowError } from '../../protocol/errors.ts';
import { sameIdentity } from '../../protocol/identity.ts';
import { normaliseRoom } from '../../protocol/rooms.ts';
import { createClient, messagesBackwards } from './client.ts';
import type { ClientOptions } from './client.ts';
import { TXN_KEY, messageContent } from './content.ts';
import { isNotFound, rateLimitMs, rateLimited, toNotifyError } from './errors.ts';
import { listenToRooms } from './listen.ts';
import { readMessage } from './message.ts';
import { keepRooms } from './rooms.ts';
import { openSentJournal } from './sent.ts';

export interface MatrixChatOptions extends ClientOptions {
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
  const client = createClient(options);
  const journal = openSentJournal(join(options.dir, 'sent.jsonl'), () => clock.millis());
  const closing = new AbortController();
  /** Last send per room, settled or not. */
  const queues = new Map<string, Promise<unknown>>();
  const underWay = new Map<string, Promise<Sent>>();
  const plain = new Set<string>();
  const ears: { close(): Promise<void> }[] = [];
  let account: Promise<void> | undefined;
  /** Before this moment the homeserver takes no message. */
  let notBefore = 0;
  /** Before this moment it is not asked again whether it is there. */
  let awayUntil = 0;

  async function asking<Value>(what: string, room: string | undefined, work: () => Promise<Value>): Promise<Value> {
    try {
      if (closing.signal.aborted) throw new Error('the node is stopping');
      if (clock.millis() < awayUntil) throw new ConnectionError('not asked again so soon');
      account ??= checkAccount(client, self).catch((error: unknown) => {
        account = undefined;
        throw error;
      });
      await account;
      return await work();
    } catch (thrown) {
      if (thrown instanceof ConnectionError && clock.millis() >= awayUntil) awayUntil = clock.millis() + AWAY;
      throw toNotifyError(thrown, { what, self, homeserver, ...(room === undefined ? {} : { room }) });
    }
  }

  async function deliver(message: OutgoingMessage, room: string): Promise<Sent> {
    const { txn } = message;
    const record = journal.find(txn);
    if (record?.eventId !== undefined) return { eventId: record.eventId, reused: true };
    return asking(SENDING, room, async () => {
      await requirePlain(room);
      if (record?.doubtful === true) {
        const eventId = await findSent(client, room, txn, record.begunAt - CLOCK_MARGIN);
        if (eventId !== undefined) {
          journal.done(txn, eventId);
          return { eventId, reused: true };
        }
      }
      await untilTaken();
      if (record === undefined) journal.begin(txn);
      const eventId = await put(message, room);
      journal.done(txn, eventId);
      return { eventId, reused: false };
    });
  }

  /** Encrypted rooms would need keys that nobody has given to this account; their members do not expect plain text. */
  async function requirePlain(room: string): Promise<void> {
    if (plain.has(room)) return;
    const encryption = await client.getStateEvent(room, 'm.room.encryption', '').catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (encryption !== undefined) {
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

  async function put({ txn, text, mentions }: OutgoingMessage, room: string): Promise<string> {
    const content = messageContent({ text, mentions, txn }) as unknown as RoomMessageEventContent;
    for (;;) {
      try {
        return (await client.sendEvent(room, EventType.RoomMessage, content, txn)).event_id;
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
    await clock.sleep(wait, closing.signal);
    if (!closing.signal.aborted && clock.millis() >= notBefore) options.onReady?.();
  }

  return {
    kind: 'remote',
    self,
    rooms: keepRooms(client, clock, asking),

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
        self,
        clock,
        ear,
        file: join(options.dir, 'since'),
        explain: (thrown) => toNotifyError(thrown, { what: 'the rooms cannot be heard', self, homeserver }),
        onReachable: () => options.onReady?.(),
      });
      ears.push(listening);
      return listening;
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

/** The token is one's own, or messages would speak in another's name. */
async function checkAccount(client: MatrixClient, self: string): Promise<void> {
  const { user_id: owner } = await client.whoami();
  if (sameIdentity(owner, self)) return;
  throw new FlowError('notify-failed', `the access token belongs to ${owner}, and this node is ${self}`, {
    remedy: `put ${self}'s own token where the matrix section of baton.json says, or correct identity.matrixUserId`,
  });
}

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
    if (event.sender === self && event.content[TXN_KEY] === txn) return event.event_id;
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
