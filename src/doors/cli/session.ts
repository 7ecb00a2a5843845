import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type {
  App,
  AppModule,
  AppOptions,
  ChaosModule,
  DemoModule,
  Envelope,
  MergeDriverModule,
  ToolCall,
} from '../../app-types.ts';
import { FlowError } from '../../protocol/errors.ts';
import { connect, type Loaders } from '../connect.ts';
import { requireWorkspace } from '../workspace.ts';
import { renderEnvelope } from './render.ts';
import type { Draw, Output } from './output.ts';

/** The world outside, so that a verb can be tested without a process. */
export interface Io {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** All of standard input as text. */
  readonly stdin: () => Promise<string>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborts when nobody reads standard output any more. */
  readonly unread?: AbortSignal;
  readonly terminal: { readonly stdout: boolean; readonly columns: number; readonly rows?: number };
  readonly load: CliLoaders;
}

interface CliLoaders extends Loaders {
  app(): Promise<Pick<AppModule, 'openApp' | 'startNode' | 'initWorkspace' | 'lookAt'>>;
  demo(): Promise<DemoModule>;
  chaos(): Promise<ChaosModule>;
  mergeDriver(): Promise<MergeDriverModule>;
}

/** The flags that every verb knows. */
export interface Globals {
  readonly workspace?: string;
  readonly as?: string;
  readonly role?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** False after `--no-color`. */
  readonly color?: boolean;
}

/** What a verb works with. Verbs set `exit` through the methods here and throw `FlowError` or `UsageError` to refuse. */
export interface Session {
  readonly io: Io;
  readonly output: Output;
  readonly globals: Globals;
  exit: number;
}

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  readonly seeAlso: string;

  constructor(message: string, seeAlso: string) {
    super(message);
    this.name = 'UsageError';
    this.seeAlso = seeAlso;
  }
}

/** The workspace of this command: `--workspace DIR`, else `BATON_WORKSPACE`, exactly; else the nearest one above the current directory. */
export function workspaceOf({ globals, io }: Session): string {
  const named = globals.workspace ?? io.env['BATON_WORKSPACE'];
  if (named === undefined || named === '') return requireWorkspace(io.cwd);
  const directory = resolve(io.cwd, named);
  if (existsSync(join(directory, 'baton.json'))) return realpathSync(directory);
  throw new FlowError('no-workspace', `no baton.json in ${named}`, {
    remedy: `make a workspace there with \`baton init ${named}\``,
  });
}

/** Runs `work` on the workspace's app and closes it again, whatever happens. */
export async function withApp<Value>(session: Session, work: (app: App) => Promise<Value>): Promise<Value> {
  const { io, output } = session;
  const app = await connect({ root: workspaceOf(session), env: io.env, load: io.load, log: terseLog(output) });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

const nothing = (): void => undefined;

/** A command that ends answers for itself, so of its log only what is broken is shown. A node that runs on keeps the whole. */
export function terseLog(output: Output): NonNullable<AppOptions['log']> {
  return { debug: nothing, info: nothing, warn: nothing, error: (_fields, message) => output.note(message) };
}

/** Calls one action as the actor of this command; who that is costs nothing to find out when nothing was said. */
export async function callAs(app: App, { as, role }: Globals, call: Omit<ToolCall, 'actor'>): Promise<Envelope> {
  if (as === undefined && role === undefined) return app.call(call);
  const { actorOf } = await import('../actor.ts');
  const actor = await actorOf(app, { ...(as === undefined ? {} : { as }), ...(role === undefined ? {} : { role }) });
  return app.call({ ...call, ...(actor === undefined ? {} : { actor }) });
}

/** Prints an answer and keeps its exit code; `draw` when the general rendering would say too little. */
export function show(session: Session, envelope: Envelope, draw?: Draw): void {
  session.exit = session.output.answer(
    envelope,
    draw ?? ((palette, width) => renderEnvelope(envelope, palette, width)),
  );
}
