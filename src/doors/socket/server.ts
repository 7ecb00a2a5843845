import { createServer, type Server, type Socket } from 'node:net';
import { createMessageConnection, Message, SocketMessageReader, SocketMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection, MessageReader, MessageWriter } from 'vscode-jsonrpc/node';
import type { App, Following, Happening, RunningNode, SyncRequest } from '../../app-types.ts';
import { FlowError } from '../../protocol/errors.ts';
import { clearStaleSocket, keepToOwner } from '../workspace.ts';
import { answers } from './client.ts';
import {
  HAPPENED,
  METHODS,
  toFailure,
  type Answer,
  type CallAnswer,
  type CallRequest,
  type FollowAnswer,
  type FollowRequest,
  type Hello,
  type IndexedAnswer,
  type TextAnswer,
  type TextRequest,
} from './wire.ts';

/** What callers may ask of a node. */
type ServedApp = App & Pick<RunningNode, 'follow' | 'indexed'>;

export interface SocketDoor {
  readonly path: string;
  /** Takes no more callers, lets what is being answered finish, then closes. Repeatable. */
  close(): Promise<void>;
}

/**
 * Opens the local socket of a running node. The caller holds the workspace's lock, so a socket on which nobody answers
 * is what a killed node left behind, and is replaced. Throws `locked` when another process answers there.
 */
export async function serveSocket(app: ServedApp, path: string): Promise<SocketDoor> {
  if (await answers(path)) {
    throw new FlowError('locked', 'another process already answers on the local socket', {
      remedy: 'stop the other node, or give this one a socket of its own with BATON_SOCKET=/short/path',
    });
  }
  clearStaleSocket(path);
  const callers = new Set<Caller>();
  const server = createServer((socket) => {
    const caller = attend(app, socket, () => callers.delete(caller));
    callers.add(caller);
  });
  await open(server, path);
  let closing: Promise<void> | undefined;
  return {
    path,
    close: () => {
      closing ??= (async () => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        await Promise.all([...callers].map((caller) => caller.finish()));
        await closed;
      })();
      return closing;
    },
  };
}

async function open(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const reason = 'code' in error ? String(error.code) : error.message;
      reject(
        new FlowError('bad-workspace', `cannot open the local socket: ${reason}`, {
          remedy: 'set BATON_SOCKET=/short/path to a place where a socket can be made',
          cause: error,
        }),
      );
    });
    server.listen(path, () => resolve());
    // Whoever can connect acts as this node's agent, whatever the person's umask lets others do.
    if (server.listening) keepToOwner(path);
  });
}

interface Caller {
  finish(): Promise<void>;
}

function attend(app: ServedApp, socket: Socket, gone: () => void): Caller {
  const { reader, writer, answered } = countingEnds(socket);
  const connection = createMessageConnection(reader, writer);
  connection.onError(() => socket.destroy());
  const follower = followerOf(connection, app);
  connection.onClose(() => {
    follower.stop();
    connection.dispose();
    gone();
  });
  handle(connection, app);
  connection.listen();
  return {
    finish: async () => {
      await answered();
      follower.stop();
      connection.end();
      socket.end();
      gone();
    },
  };
}

/**
 * Both ends of a connection, and when every request that was read has its answer written. The library tells when a
 * handler is done, but the answer leaves later.
 */
function countingEnds(socket: Socket): {
  readonly reader: MessageReader;
  readonly writer: MessageWriter;
  readonly answered: () => Promise<void>;
} {
  const reader = new SocketMessageReader(socket);
  const writer = new SocketMessageWriter(socket);
  const unanswered = new Set<unknown>();
  let whenIdle: (() => void) | undefined;
  const listen = reader.listen.bind(reader);
  reader.listen = (callback) =>
    listen((message) => {
      if (Message.isRequest(message)) unanswered.add(message.id);
      callback(message);
    });
  const write = writer.write.bind(writer);
  writer.write = async (message) => {
    await write(message);
    if (Message.isResponse(message) && unanswered.delete(message.id) && unanswered.size === 0) whenIdle?.();
  };
  return {
    reader,
    writer,
    answered: () =>
      new Promise((resolve) => {
        // A caller that hung up waits for nothing.
        socket.once('close', () => resolve());
        whenIdle = resolve;
        if (unanswered.size === 0 || socket.destroyed) resolve();
      }),
  };
}

function handle(connection: MessageConnection, app: ServedApp): void {
  connection.onRequest(METHODS.hello, (): Hello => ({
    protocol: 1,
    root: app.root,
    identity: app.identity,
    mode: app.mode,
    pid: process.pid,
  }));
  connection.onRequest<CallAnswer, void>(METHODS.call, ({ call }: CallRequest) =>
    settled(app.call(call), `${call.tool} ${call.action}`),
  );
  connection.onRequest<CallAnswer, void>(METHODS.sync, ({ wait }: SyncRequest) =>
    settled(app.sync(wait === undefined ? {} : { wait }), 'sync'),
  );
  connection.onRequest<TextAnswer, void>(METHODS.text, ({ path }: TextRequest) =>
    settled(
      app.text(path).then((text) => text ?? null),
      'text',
    ),
  );
  connection.onRequest<IndexedAnswer, void>(METHODS.indexed, () =>
    settled(
      app.indexed().then(() => null),
      'indexed',
    ),
  );
}

/** Happenings that may wait for a follower who does not read; what comes then is only counted. */
const MOST_WAITING = 1_000;

/** Lets a caller follow the node, once for each connection: following again replaces it. */
function followerOf(connection: MessageConnection, app: ServedApp): { stop(): void } {
  let following: Following | undefined;
  let waiting = 0;
  let missed = 0;
  const sent = (): void => {
    waiting -= 1;
    if (waiting > 0 || missed === 0) return;
    const note = `${missed} happenings were not told, because they were not read`;
    missed = 0;
    tell({ at: new Date().toISOString().replace(/\.\d+/, ''), kind: 'gap', what: 'reader', note });
  };
  const tell = (happening: Happening): void => {
    if (waiting >= MOST_WAITING) {
      missed += 1;
      return;
    }
    waiting += 1;
    void connection.sendNotification(HAPPENED, happening).then(sent, sent);
  };
  const stop = (): void => following?.stop();
  connection.onRequest<FollowAnswer, void>(METHODS.follow, ({ marks }: FollowRequest) => {
    stop();
    const follow = async () => {
      following = app.follow(marks, tell);
      return following.marks;
    };
    return settled(follow(), 'follow');
  });
  return { stop };
}

async function settled<Value>(work: Promise<Value>, context: string): Promise<Answer<Value>> {
  try {
    return { value: await work };
  } catch (thrown) {
    return { failure: toFailure(thrown, context) };
  }
}
