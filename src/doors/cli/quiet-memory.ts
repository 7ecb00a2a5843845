import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface QuietMemoryOptions {
  /** Milliseconds for which the processor is hardly used before the program counts as quiet. */
  readonly quiet?: number;
  /** Milliseconds between two times at least: while work comes and goes, what was given back would be fetched again. */
  readonly pause?: number;
  /** Bytes that the heap must have grown by. */
  readonly worth?: number;
  /** Milliseconds since the program last did what somebody waits for, none while it does; absent: nobody ever waits. */
  readonly restingFor?: () => number;
  /** So long it must have rested. Where many share a machine, one in the middle of a step hardly gets the processor either. */
  readonly rest?: number;
  /**
   * Where it never rests that long, a moment in which nobody waits is enough after so many milliseconds, twice as many at most. By
   * chance, since nodes that were started together would all collect at the same moment: twenty then take seconds.
   */
  readonly patience?: number;
}

const MEGABYTE = 2 ** 20;

/** Microseconds of processor time in a millisecond from which on a program is busy. */
const BUSY = 100;

/**
 * Gives the memory of a burst back to the system once the burst is over. The engine keeps what it has fetched, which serves the
 * next burst; but a node lives for weeks and mostly waits, beside twenty others. It takes two full collections, together some
 * 2 ms for each megabyte that is in use, and whoever calls at that moment waits.
 */
export function giveBackWhenQuiet({
  quiet = 80,
  pause = 60_000,
  worth = 32 * MEGABYTE,
  restingFor = () => Number.POSITIVE_INFINITY,
  rest = 2_000,
  patience = 120_000,
}: QuietMemoryOptions = {}): Disposable {
  const collect = collector();
  if (collect === undefined) return { [Symbol.dispose]: () => undefined };
  // The engine's own two collections, eight seconds after each full one, would mostly find nothing more.
  setFlagsFromString('--memory-reducer-gc-count=0');
  /** What was left the last time, and what is taken for what the node needs. */
  let [kept, needed] = [0, Number.POSITIVE_INFINITY];
  let given = Number.NEGATIVE_INFINITY;
  /** The last time came too early, while a burst still held what it worked with. */
  let again = false;
  let timer: NodeJS.Timeout | undefined;

  function giveBack(): void {
    if (!again && held() - kept < worth) return;
    collect?.({ type: 'major', flavor: 'last-resort' });
    kept = held();
    given = performance.now();
    // What is left a second time is needed.
    if (again) needed = kept;
    needed = Math.min(needed, kept);
    again = kept - needed >= worth;
  }

  /** Looks again and again, until nobody has waited for long and the processor was hardly used from one look to the next. */
  function whenQuiet(until = performance.now() + patience * (1 + Math.random())): void {
    const left = until - performance.now();
    const isRested = (): boolean => restingFor() >= (left > 0 ? rest : quiet);
    if (!isRested()) {
      timer = setTimeout(() => whenQuiet(until), Math.max(quiet, Math.min(rest - restingFor(), left))).unref();
      return;
    }
    const before = process.cpuUsage();
    timer = setTimeout(() => {
      const { user, system } = process.cpuUsage(before);
      if (user + system > quiet * BUSY || !isRested()) return whenQuiet(until);
      giveBack();
      if (again) return wait();
      observer.observe({ entryTypes: ['gc'] });
    }, quiet).unref();
  }

  function wait(): void {
    timer = setTimeout(() => whenQuiet(), Math.max(0, given + pause - performance.now())).unref();
  }

  // Whatever works makes garbage: a node that waits is looked at by nobody, and one that works is asked nothing each time.
  const observer = new PerformanceObserver(() => {
    observer.disconnect();
    wait();
  });
  observer.observe({ entryTypes: ['gc'] });
  return {
    [Symbol.dispose]() {
      observer.disconnect();
      clearTimeout(timer);
    },
  };
}

const held = (): number => getHeapStatistics().total_heap_size;

type Collect = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

/** The engine's own function, which it shows to contexts that are made after it was told to; `undefined` if it does not. */
function collector(): Collect | undefined {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : undefined;
}
