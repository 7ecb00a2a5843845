import { setTimeout as wait } from 'node:timers/promises';
import type { App, AppModule, AppOptions } from '../app-types.ts';
import { FlowError } from '../protocol/errors.ts';
import type { RemoteApp } from './socket/client.ts';
import { socketPath } from './workspace.ts';

/** The parts of the program that are loaded only when they are needed. */
export interface Loaders {
  app(): Promise<Pick<AppModule, 'openApp' | 'startNode' | 'initWorkspace'>>;
}

export interface ConnectOptions {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly load: Loaders;
  /** Where an app that is opened here writes its log; absent: as configured. */
  readonly log?: NonNullable<AppOptions['log']>;
  /** Milliseconds between attempts while another process holds the lock. */
  readonly backOff?: readonly number[];
}

/** About ten seconds together: longer than any single call holds the lock. */
const BACK_OFF: readonly number[] = [25, 50, 100, 200, ...Array.from({ length: 24 }, () => 400)];

/**
 * The workspace's app: the running node over its socket, else the workspace opened in this process. Another short call
 * may hold the lock meanwhile, or a node may be starting, so both are tried again for a while.
 * Throws `locked` when neither could be had.
 */
export async function connect(options: ConnectOptions): Promise<App> {
  return attach(options, async () => {
    const { openApp } = await options.load.app();
    return openApp({
      root: options.root,
      env: options.env,
      ...(options.log === undefined ? {} : { log: options.log }),
    });
  });
}

/**
 * As `connect`, but with `open` for the case that no node runs; `baton mcp` becomes the node then.
 */
export async function attach<Opened extends App>(
  { root, env, backOff = BACK_OFF }: ConnectOptions,
  open: () => Promise<Opened>,
): Promise<Opened | App> {
  const path = reachable(root, env);
  for (let attempt = 0; ; attempt += 1) {
    const remote = path instanceof FlowError ? undefined : await dial(path, root);
    if (remote !== undefined) return remote;
    try {
      return await open();
    } catch (error) {
      const delay = backOff[attempt];
      if (!(error instanceof FlowError) || error.code !== 'locked') throw error;
      // The holder may be a node that cannot be reached only because its socket's path is too long here.
      if (delay === undefined) throw path instanceof FlowError ? path : error;
      await wait(delay);
    }
  }
}

/** The node that runs for a workspace; `undefined` when none does. Throws `bad-workspace` when it could not be reached. */
export async function runningNode({ root, env }: Pick<ConnectOptions, 'root' | 'env'>): Promise<RemoteApp | undefined> {
  return dial(socketPath(root, env), root);
}

async function dial(path: string, root: string): Promise<RemoteApp | undefined> {
  const { connectSocket } = await import('./socket/client.ts');
  return connectSocket(path, root);
}

function reachable(root: string, env: NodeJS.ProcessEnv): string | FlowError {
  try {
    return socketPath(root, env);
  } catch (error) {
    if (error instanceof FlowError) return error;
    throw error;
  }
}
