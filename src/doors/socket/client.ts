import { realpathSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import {
  createMessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import type { App, Envelope, Happening, Marks, ToolCall } from '../../app-types.ts';
import { FlowError } from '../../protocol/errors.ts';
import {
  fromFailure,
  HAPPENED,
  METHODS,
  type Answer,
  type CallRequest,
  type FollowRequest,
  type Hello,
  type TextRequest,
} from './wire.ts';

/** A workspace whose node runs in another process. */
export interface RemoteApp extends App {
  /** Settles when the connection ends, whoever ended it. */
  readonly closed: Promise<void>;
  /** Tells what happens there, until the connection ends; see `RunningNode.follow`. Throws `FlowError`. */
  follow(marks: Marks | undefined, tell: (happening: Happening) => void): Promise<Marks>;
}

/** Whether some process accepts connections at `path`. */
export async function answers(path: string): Promise<boolean> {
  const socket = await dial(path);
  socket?.destroy();
  return socket !== undefined;
}

/**
 * Talks to the node that listens at `path`; `undefined` when nobody does. Throws `bad-workspace` when the node there
 * serves another workspace, which a shared `BATON_SOCKET` can bring about.
 */
export async function connectSocket(path: string, root: string): Promise<RemoteApp | undefined> {
  const socket = await dial(path);
  if (socket === undefined) return undefined;
  const connection = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
  const closed = new Promise<void>((resolve) => {
    connection.onClose(() => {
      connection.dispose();
      resolve();
    });
    connection.onDispose(() => resolve());
  });
  connection.onError(() => socket.destroy());
  connection.listen();
  let hello: Hello;
  try {
    hello = await connection.sendRequest<Hello>(METHODS.hello);
  } catch {
    // The node stopped between accepting and answering: as good as not there.
    socket.destroy();
    return undefined;
  }
  if (hello.root !== realpathSync(root)) {
    hangUp(connection, socket);
    throw new FlowError('bad-workspace', `the node that listens here serves another workspace (${hello.root})`, {
      remedy: 'give each workspace a BATON_SOCKET of its own, or unset it',
    });
  }
  return remoteApp(connection, socket, hello, closed);
}

function remoteApp(connection: MessageConnection, socket: Socket, hello: Hello, closed: Promise<void>): RemoteApp {
  const ask = async <Value>(method: string, params: object): Promise<Value> => {
    let answer: Answer<Value>;
    try {
      answer = await connection.sendRequest<Answer<Value>>(method, params);
    } catch (cause) {
      throw new FlowError('internal', 'the node stopped before it answered', {
        remedy: 'look whether it was done (`baton board`), then run the command again',
        retryable: true,
        cause,
      });
    }
    if ('failure' in answer) throw fromFailure(answer.failure);
    return answer.value;
  };
  let hasChanged = false;
  return {
    root: hello.root,
    identity: hello.identity,
    mode: hello.mode,
    closed,
    async call(call: ToolCall) {
      const envelope = await ask<Envelope>(METHODS.call, { call } satisfies CallRequest);
      hasChanged ||= 'durability' in envelope;
      return envelope;
    },
    sync: (options = {}) => ask<Envelope>(METHODS.sync, options),
    text: async (path) => (await ask<string | null>(METHODS.text, { path } satisfies TextRequest)) ?? undefined,
    follow: (marks, tell) => {
      connection.onNotification(HAPPENED, tell);
      return ask<Marks>(METHODS.follow, (marks === undefined ? {} : { marks }) satisfies FollowRequest);
    },
    async close() {
      if (hasChanged) await Promise.race([indexed(connection), closed, wait(LONGEST, undefined, { ref: false })]);
      hangUp(connection, socket);
    },
  };
}

/** Milliseconds: another git may hold the index for as long as it likes. */
const LONGEST = 2_000;

/** A script goes on with plain git next, which reads the index. Where the node has gone, there is nothing to wait for. */
async function indexed(connection: MessageConnection): Promise<void> {
  try {
    await connection.sendRequest(METHODS.indexed);
  } catch {
    // Ended with the node.
  }
}

function hangUp(connection: MessageConnection, socket: Socket): void {
  connection.dispose();
  socket.destroy();
}

/** An open connection, or `undefined` when nobody listens (no file, a stale file, or a node that just went). */
async function dial(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', () => resolve(undefined));
  });
}
