import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Envelope } from '../../src/app-types.ts';
import { connectSocket } from '../../src/doors/socket/client.ts';
import { must } from './bench.ts';
import type { Bench } from './bench.ts';
import { limitOf, within } from './limit.ts';
import { memoryOf, processorOf } from './processor.ts';
import type { Memory, ProcessorTime } from './processor.ts';
import type { NotedProcess } from './processes.ts';

/** `baton init` in a new folder of `place`, as a member of the team behind `remote`. */
export async function joinTeam(
  bench: Bench,
  place: string,
  { name, role, remote }: { readonly name: string; readonly role: 'leader' | 'worker'; readonly remote: string },
): Promise<string> {
  const words = [bench.program, 'init', name, '--role', role, '--as', name, '--remote', remote];
  await must(process.execPath, words, { cwd: place, env: bench.env });
  return join(place, name);
}

/** A node in a process of its own, and the agent that talks to it over its socket. */
export interface BenchNode {
  readonly root: string;
  readonly pid: number;
  /** Milliseconds from the start of the process until it said that it is up. */
  readonly startedIn: number;
  call(tool: string, action: string, payload: object): Promise<Envelope>;
  /** As `call`; throws unless the answer is ok. */
  must(tool: string, action: string, payload: object): Promise<Envelope>;
  processor(): ProcessorTime;
  memory(): Memory;
  /**
   * Resolves when the node and its children have used next to no processor for so many milliseconds, 180 unless told; false if
   * they never do.
   */
  quiet(still?: number): Promise<boolean>;
  /** Pull, integrate, push and look at the whole tree now. */
  sync(): Promise<Envelope>;
  /** The processes that it has started and that have ended; only where it was told to note them. */
  processes(): readonly NotedProcess[];
  /** How many lines of its log hold this text. */
  logged(text: string): number;
  /** Ends it as Ctrl-C does, and by force when that takes long. */
  stop(): Promise<void>;
}

export interface NodeOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Notes the processes that the node starts. */
  readonly processes?: boolean;
}

/** Milliseconds between two looks at a processor time. */
const LOOK = 60;

/** A node that is busy, or does not stop, for longer than this is not waited for; seconds. */
const PATIENCE = 15;

/** Starts `baton up` and connects to it. It is stopped at the end of the run at the latest. */
export async function startNode(bench: Bench, root: string, options: NodeOptions = {}): Promise<BenchNode> {
  const env = { ...bench.env, ...options.env };
  const preload = options.processes === true ? ['--import', new URL('processes.ts', import.meta.url).href] : [];
  const processesFile = `${root}.processes`;
  const logFile = `${root}.log`;
  const log = openSync(logFile, 'a');
  const begun = performance.now();
  const child = spawn(process.execPath, [...preload, bench.program, 'up', '--json'], {
    cwd: root,
    env: { ...env, ...(options.processes === true ? { BATON_BENCH_PROCESSES: processesFile } : {}) },
    stdio: ['ignore', 'pipe', log],
  });
  bench.own(child);
  closeSync(log);
  const ended = Promise.withResolvers<void>();
  child.once('exit', () => ended.resolve());
  const up = Promise.withResolvers<number>();
  child.stdout?.once('data', () => up.resolve(performance.now() - begun));
  void ended.promise.then(() => up.reject(new Error(`baton up ended: ${readFileSync(logFile, 'utf8').slice(-2000)}`)));
  const startedIn = await up.promise;
  const pid = child.pid ?? 0;
  const app = await connectSocket(join(root, '.baton/node.sock'), root);
  if (app === undefined) throw new Error(`the node of ${root} does not listen`);

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      // One that was ended does not answer any more.
      await Promise.race([within(app.close(), PATIENCE * 1000), ended.promise]);
      child.kill('SIGTERM');
      await within(ended.promise, PATIENCE * 1000);
      child.kill('SIGKILL');
      await ended.promise;
    })();
    return stopping;
  };
  bench.defer(stop);

  const processor = (): ProcessorTime => processorOf(pid);
  const call: BenchNode['call'] = (tool, action, payload) => app.call({ tool, action, payload });
  return {
    root,
    pid,
    startedIn,
    call,
    async must(tool, action, payload) {
      const answer = await call(tool, action, payload);
      if (answer.ok) return answer;
      throw new Error(
        `${action} was refused: ${JSON.stringify(answer)}\n${readFileSync(logFile, 'utf8').slice(-2000)}`,
      );
    },
    processor,
    memory: () => memoryOf(pid),
    async quiet(wanted = 180) {
      const limit = limitOf(PATIENCE);
      for (let still = 0, before = processor(); still * LOOK < wanted;) {
        if (limit.over()) return false;
        await wait(LOOK);
        const now = processor();
        still = now.own - before.own + (now.children - before.children) <= 10 ? still + 1 : 0;
        before = now;
      }
      return true;
    },
    sync: () => app.sync(),
    processes: () => linesOf(processesFile).map((line) => JSON.parse(line) as NotedProcess),
    logged: (text) => linesOf(logFile).filter((line) => line.includes(text)).length,
    stop,
  };
}

const linesOf = (file: string): readonly string[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
