import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Envelope } from '../../src/app-types.ts';
import { connectSocket } from '../../src/doors/socket/client.ts';
import { must } from './bench.ts';
import type { Bench } from './bench.ts';

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

/** Processor time in milliseconds since the start of a process: its own, and that of the children it has waited for. */
export interface ProcessorTime {
  readonly own: number;
  readonly children: number;
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
  /** Resident memory now and at its highest, in megabytes. */
  memory(): { readonly now: number; readonly peak: number };
  /** Resolves when the node and its children have used next to no processor for a while. */
  quiet(): Promise<void>;
  /** Lines of its log so far. */
  logged(): readonly string[];
  stop(): Promise<void>;
}

export interface NodeOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Notes the processes that the node starts, in this file. */
  readonly processes?: string;
}

/** Ticks of the processor clock in a second, as Linux counts them for its readers. */
const TICKS = 100;

/** Starts `baton up` and connects to it. It is stopped at the end of the run at the latest. */
export async function startNode(bench: Bench, root: string, options: NodeOptions = {}): Promise<BenchNode> {
  const env = { ...bench.env, ...options.env };
  const preload = options.processes === undefined ? [] : ['--import', new URL('processes.ts', import.meta.url).href];
  const logFile = `${root}.log`;
  const log = openSync(logFile, 'a');
  const begun = performance.now();
  const child = spawn(process.execPath, [...preload, bench.program, 'up', '--json'], {
    cwd: root,
    env: { ...env, ...(options.processes === undefined ? {} : { BATON_BENCH_PROCESSES: options.processes }) },
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
    stopping ??= app.close().then(() => {
      child.kill('SIGTERM');
      return ended.promise;
    });
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
    async quiet() {
      for (let still = 0, before = processor(); still < 3;) {
        await wait(60);
        const now = processor();
        still = now.own - before.own + (now.children - before.children) <= 10 ? still + 1 : 0;
        before = now;
      }
    },
    logged: () => readFileSync(logFile, 'utf8').split('\n'),
    stop,
  };
}

/** What this process and the programs that it has run to their end have used. */
export const ownProcessor = (): ProcessorTime => processorOf(process.pid);

/** Fields of `/proc/<pid>/stat` behind the name, which may hold anything. */
function processorOf(pid: number): ProcessorTime {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  const millis = 1000 / TICKS;
  return { own: (user + system) * millis, children: (childUser + childSystem) * millis };
}

function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}
