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
  /**
   * So long it must have rested. Where many share a machine, one in the middle of a step hardly gets the processor either. After
   * the first time it is up to fifteen times as long, by chance: nodes that rest from the same work would all collect at the same
   * moment, in which twenty of them take seconds.
   */
  readonly rest?: number;
  /** Where it never rests that long, a moment in which nobody waits is enough after so many milliseconds; by chance twice as many. */
  readonly patience?: number;
}

const MEGABYTE = 2 ** 20;

/** So many times `rest` may be added by chance, after the first time. */
const SPREAD = 14;

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
  let hasMore = false;
  let timer: NodeJS.Timeout | undefined;

  function giveBack(): void {
    if (!hasMore && held() - kept < worth) return;
    collect?.({ type: 'major', flavor: 'last-resort' });
    kept = held();
    given = performance.now();
    // What is left a second time is needed.
    if (hasMore) needed = kept;
    needed = Math.min(needed, kept);
    hasMore = kept - needed >= worth;
  }

  /** Looks again and again, until nobody has waited for long and the processor was hardly used from one look to the next. */
  function whenQuiet({ until, wanted }: { readonly until: number; readonly wanted: number }): void {
    const left = until - performance.now();
    const isRested = (): boolean => restingFor() >= (left > 0 ? wanted : quiet);
    const again = (): void => whenQuiet({ until, wanted });
    if (!isRested()) {
      timer = setTimeout(again, Math.max(quiet, Math.min(wanted - restingFor(), left))).unref();
      return;
    }
    const before = process.cpuUsage();
    timer = setTimeout(() => {
      const { user, system } = process.cpuUsage(before);
      if (user + system > quiet * BUSY || !isRested()) return again();
      giveBack();
      if (hasMore) return wait();
      observer.observe({ entryTypes: ['gc'] });
    }, quiet).unref();
  }

  function wait(): void {
    const look = (): void =>
      whenQuiet({
        until: performance.now() + patience * (1 + Math.random()),
        wanted: given < 0 ? rest : rest * (1 + SPREAD * Math.random()),
      });
    timer = setTimeout(look, Math.max(0, given + pause - performance.now())).unref();
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
