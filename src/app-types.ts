import type { Envelope } from './dialects/taskflow.ts';
import type { Clock, Log } from './ports.ts';
import type { Following, Happening, Marks } from './services/feed.ts';
import type { InitOutcome as InitReport, InitRequest as InitOptions } from './services/initializer.ts';
import type { WiringState } from './services/merge-wiring.ts';

export type { Envelope, Following, Happening, Marks, InitOptions, InitReport, WiringState };

/** One call of the protocol's surface (protocol.md §9.2). Doors pass on what they were given; the app normalises. */
export interface ToolCall {
  readonly tool: string;
  readonly action: string;
  /** An object, a JSON string of an object, or absent. */
  readonly payload?: unknown;
  readonly dryRun?: boolean;
  /** Flat top-level fields; they fill what `payload` lacks. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** Who acts; absent: the configured identity. Refused when the node does not host this actor. */
  readonly actor?: CallActor;
}

export interface CallActor {
  readonly localpart: string;
  readonly role: string;
}

export interface AppIdentity {
  readonly localpart: string;
  readonly role: string;
  readonly matrixUserId: string;
}

export interface SyncRequest {
  readonly wait?: boolean;
}

/** One open workspace, whether it lives in this process or behind a socket. */
export interface App {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly identity: AppIdentity;
  readonly mode: 'solo' | 'team';
  call(call: ToolCall): Promise<Envelope>;
  /**
   * Pull, integrate and push now; calls that come meanwhile share the next run. With `wait: false` a node only begins to
   * look at the remote, and answers at once.
   */
  sync(options?: SyncRequest): Promise<Envelope>;
  /** The text of a file under `shared/`; `undefined` when it is not there. Throws `FlowError` for a path that is not shared. */
  text(path: string): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface RunningNode extends App {
  /** Settles when the node has stopped, by `stop` or because it could not go on (then it rejects). */
  readonly stopped: Promise<void>;
  /** Tells what happens, until it is stopped; what the event logs gained since `marks` is told before it returns. */
  follow(marks: Marks | undefined, tell: (happening: Happening) => void): Following;
  /** Resolves when git's own index of the clone shows the steps so far; they are answered before that. */
  indexed(): Promise<void>;
  /** Nothing is held back any more (`git.minPushInterval`), so that whoever waits is answered before the node stops. */
  hurry(): void;
  /** Milliseconds since the node last worked on a step or took something in; none while it does. */
  quietFor(): number;
  /** Ends the ticks and the watcher, flushes, pushes (bounded) and gives up the lock. Repeatable. */
  stop(): Promise<void>;
}

export interface AppOptions {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where the node writes its log; absent: standard error at the configured level. */
  readonly log?: Log;
  /** Absent: the machine's. */
  readonly clock?: Clock;
}

/** What `src/app.ts` exports. */
export interface AppModule {
  /** In-process: takes the lock, pulls once, watches nothing. Throws `FlowError` (`locked`, `bad-config`, …). */
  openApp(options: AppOptions): Promise<App>;
  /** The node: lock, first pull, watcher, reconciler, outbox. */
  startNode(options: AppOptions): Promise<RunningNode>;
  initWorkspace(options: InitOptions): Promise<InitReport>;
  /** Answers a look at the files as they are: takes no lock, and asks no node, remote or homeserver. */
  lookAt(options: AppOptions, call: ToolCall): Promise<Envelope>;
}

export interface DemoOptions {
  /** The team talks on a homeserver of its own. */
  readonly matrix: boolean;
  /** Ends after the report; else a homeserver stays up until Ctrl-C, for a person to look in. */
  readonly once: boolean;
  /** Absolute; where the clones are made. */
  readonly dir?: string;
  /** Absolute; the git repository or bundle to report about. */
  readonly history?: string;
  readonly json: boolean;
  readonly color: boolean;
  /** Redraw in place: the output is a terminal, of so many columns and rows. */
  readonly live: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly write: (text: string) => void;
}

/** What `src/demo/main.ts` exports. */
export interface DemoModule {
  /** Resolves with the exit code. */
  runDemo(options: DemoOptions): Promise<number>;
}

/** What git tells a merge driver about one file (gitattributes(5)). */
export interface DriverCall {
  /** Absolute: the top of the work tree, where git starts the driver. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Absolute paths of the files in which the sides are passed; `ours` takes the result. */
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  /** Where the result belongs in the work tree. */
  readonly path: string;
  readonly markerSize: number;
  readonly labels: { readonly base: string; readonly ours: string; readonly theirs: string };
  /** Git merges common ancestors with each other, and nobody is there to be asked. */
  readonly ancestors: boolean;
}

/** What `src/merge-driver.ts` exports. */
export interface MergeDriverModule {
  /** Resolves with false when a person has to decide. */
  driveMerge(call: DriverCall): Promise<boolean>;
  /** Whether a person's own git is set to call it in this clone. */
  examineMerging(root: string, env: NodeJS.ProcessEnv): Promise<WiringState>;
}

export interface ChaosOptions {
  /** Address or path of a git remote that may be written to, below `prefix` only. */
  readonly remote: string;
  /** How many schedules to play. */
  readonly seeds: number;
  /** Plays this one only. */
  readonly seed?: number;
  /** No schedule begins after so long. */
  readonly minutes: number;
  /** Of the scratch branches; must begin with `chaos-`. Absent: a fresh one. */
  readonly prefix?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly json: boolean;
  readonly write: (text: string) => void;
}

/** What `src/chaos/main.ts` exports. */
export interface ChaosModule {
  /** Resolves with the exit code. */
  runChaos(options: ChaosOptions): Promise<number>;
}
