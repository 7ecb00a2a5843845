import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openApp } from '../app.ts';
import type { App, Envelope } from '../app-types.ts';
import { connectSocket } from '../doors/socket/client.ts';
import { socketPath } from '../doors/workspace.ts';
import { LAUNCHER } from '../launcher.ts';
import type { Log } from '../ports.ts';
import { toFlowError } from '../protocol/errors.ts';
import { createTurn } from '../sync/turn.ts';

/** One member of the team with a clone of its own. */
export interface Seat {
  readonly name: string;
  readonly role: 'leader' | 'worker';
  readonly root: string;
  /** Whether it is a process of its own, and can be killed. */
  readonly mortal: boolean;
  /** Never throws: what could not be answered is an answer with the code that says why. */
  call(tool: string, action: string, payload: object): Promise<Envelope>;
  sync(): Promise<Envelope>;
  /** Ends it as a power cut would, where it is mortal. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Opens it again after `kill` or `stop`; nothing when it is open. */
  start(): Promise<void>;
}

export interface SeatOptions {
  readonly name: string;
  readonly role: 'leader' | 'worker';
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

/** The code of an answer that never came, since the node was killed meanwhile. */
const NO_ANSWER = 'no-answer';

/** A seat in this process: quick, and it cannot be killed. */
export function localSeat({ name, role, root, env, log }: SeatOptions): Seat {
  let app: App | undefined;
  const stop = async (): Promise<void> => {
    const open = app;
    app = undefined;
    await open?.close();
  };
  return {
    ...asked({ name, role, root }, () => app),
    mortal: false,
    kill: stop,
    stop,
    async start() {
      app ??= await openApp({ root, env, log });
    },
  };
}

/** A seat whose node is a process: `baton up`. Its log goes nowhere; what it says is in the answers and the rooms. */
export function mortalSeat({ name, role, root, env }: SeatOptions): Seat {
  let running: { readonly child: ChildProcess; readonly app: App } | undefined;
  // A seat that is killed twice at once is started twice as well, one after the other.
  const inTurn = createTurn();
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const { child, app } = running ?? {};
    running = undefined;
    if (child === undefined) return;
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill(signal);
    await ended;
    await app?.close();
  };
  return {
    ...asked({ name, role, root }, () => running?.app),
    mortal: true,
    kill: () => inTurn(() => end('SIGKILL')),
    stop: () => inTurn(() => end('SIGTERM')),
    start: () => inTurn(start),
  };

  async function start(): Promise<void> {
    if (running !== undefined) return;
    const child = spawn(LAUNCHER.node, [LAUNCHER.script, 'up', '--json'], {
      cwd: root,
      env: { ...env, BATON_LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString('utf8')));
    const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => undefined)]);
    const app = said === undefined ? undefined : await connectSocket(socketPath(root, env), root);
    if (app === undefined) {
      child.kill('SIGKILL');
      throw new Error(`the node of ${name} did not start: ${complaint}`);
    }
    running = { child, app };
  }
}

function asked(
  seat: Pick<Seat, 'name' | 'role' | 'root'>,
  open: () => App | undefined,
): Pick<Seat, 'name' | 'role' | 'root' | 'call' | 'sync'> {
  const answer = async (
    { tool, action }: { readonly tool: string; readonly action: string },
    ask: (app: App) => Promise<Envelope>,
  ): Promise<Envelope> => {
    const app = open();
    const refuse = (error: string, code: string): Envelope => ({ ok: false, tool, action, error, code });
    if (app === undefined) return refuse('the node is not running', NO_ANSWER);
    try {
      return await ask(app);
    } catch (thrown) {
      // A node that was killed under the call answers nothing; any other failure is told as it is.
      if (open() !== app) return refuse('the node was killed before it answered', NO_ANSWER);
      const error = toFlowError(thrown, `${tool} ${action}`);
      return refuse(error.message, error.code);
    }
  };
  return {
    ...seat,
    call: (tool, action, payload) => answer({ tool, action }, (app) => app.call({ tool, action, payload })),
    sync: () => answer({ tool: 'node', action: 'sync' }, (app) => app.sync()),
  };
}
