/** Chance that a seed decides: the same seed gives the same run of numbers on every machine. */
export interface Chance {
  /** A whole number from 0 to `below - 1`. */
  int(below: number): number;
  /** True so many times in a hundred. */
  percent(likely: number): boolean;
  /** One of them; they must not be empty. */
  pick<Value>(values: readonly Value[]): Value;
}

/** The generator `mulberry32` (public domain): 32 bits of state, enough for schedules of some hundred steps. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    percent: (likely) => next() * 100 < likely,
    pick: <Value>(values: readonly Value[]): Value => {
      const value = values[int(values.length)];
      if (value === undefined) throw new Error('there is nothing to pick from');
      return value;
    },
  };
}
