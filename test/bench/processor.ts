import { readFileSync, readdirSync } from 'node:fs';

/** Processor time in milliseconds since the start of a process: its own, and that of everything it has started. */
export interface ProcessorTime {
  readonly own: number;
  readonly children: number;
}

/** Resident memory in megabytes: of the process now and at its highest, and of the processes that it keeps. */
export interface Memory {
  readonly now: number;
  readonly peak: number;
  readonly children: number;
}

/** Ticks of the processor clock in a second, as Linux counts them for its readers. */
const TICKS = 100;

/** What the programs that this process has run to their end have used; milliseconds. */
export const spentByEnded = (): number => timesOf(process.pid).ended;

/**
 * Linux adds a child's time to its parent's when the child has ended; what stays running is asked itself. A process
 * that has left its parent (a `git gc` in the background) is not seen.
 */
export function processorOf(pid: number): ProcessorTime {
  const { own, ended } = timesOf(pid);
  const running = descendantsOf(pid).map(timesOf);
  return { own, children: running.reduce((sum, one) => sum + one.own + one.ended, ended) };
}

export function memoryOf(pid: number): Memory {
  const children = descendantsOf(pid).reduce((sum, child) => sum + megabytes(child, 'VmRSS'), 0);
  return { now: megabytes(pid, 'VmRSS'), peak: megabytes(pid, 'VmHWM'), children };
}

function megabytes(pid: number, name: string): number {
  const status = readOf(pid, 'status');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
}

/** Fields of `/proc/<pid>/stat` behind the name, which may hold anything. */
function timesOf(pid: number): { readonly own: number; readonly ended: number } {
  const text = readOf(pid, 'stat');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  const millis = 1000 / TICKS;
  return { own: (user + system) * millis, ended: (childUser + childSystem) * millis };
}

function descendantsOf(pid: number): readonly number[] {
  let threads: readonly string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const children = threads.flatMap((thread) => readOf(pid, `task/${thread}/children`).split(' ').filter(Boolean));
  return children.map(Number).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Empty when the process has just ended. */
function readOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
