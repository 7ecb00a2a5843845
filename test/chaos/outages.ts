import type { Fault } from '../../src/chaos/faults.ts';
import { runSeed } from '../../src/chaos/seed.ts';
import type { SeedResult } from '../../src/chaos/seed.ts';
import { castOf } from '../../src/chaos/stage.ts';
import type { Step } from '../../src/chaos/steps.ts';
import { smallDiskGround } from './full-disk.ts';
import { BRANCHES } from './ground.ts';
import type { LocalGround } from './ground.ts';
import { servedGround } from './served-ground.ts';

const [FIRST = '', SECOND = ''] = castOf(1, 2).tasks;

/** Everything is tried while the fault lasts, first around the Leader and then around the Worker, and again after it. */
const during = (fault: Fault): readonly Step[] => [
  { do: 'delegate', task: FIRST, to: 'ana' },
  { do: 'fault', fault, seat: 'lead' },
  { do: 'delegate', task: SECOND, to: 'ana' },
  { do: 'sync', seat: 'lead' },
  { do: 'ack', task: FIRST },
  { do: 'heal', seat: 'lead' },
  { do: 'delegate', task: SECOND, to: 'ana' },
  { do: 'fault', fault, seat: 'ana' },
  { do: 'note', task: FIRST, text: 'in bad weather' },
  { do: 'submit', task: FIRST },
  { do: 'restart', seat: 'ana' },
  { do: 'sync', seat: 'ana' },
  { do: 'heal', seat: 'ana' },
  { do: 'submit', task: FIRST },
  { do: 'sync', seat: 'ana' },
  { do: 'fault', fault, seat: 'lead' },
  { do: 'accept', task: FIRST, accepted: true },
  { do: 'restart', seat: 'lead' },
  { do: 'heal', seat: 'lead' },
  { do: 'accept', task: FIRST, accepted: true },
  { do: 'remark', task: FIRST, text: 'after the weather' },
];

export interface OutageResult extends SeedResult {
  readonly fault: Fault;
}

const SEATS = ['lead', 'ana'];

/** One outage after the other, each from its beginning to its end (quality.md R3). */
export async function runOutages(
  onResult: (result: OutageResult) => void,
  onSkipped: (fault: Fault, why: string) => void,
): Promise<readonly OutageResult[]> {
  const results: OutageResult[] = [];
  const play = async (ground: LocalGround, faults: readonly Fault[]): Promise<void> => {
    for (const fault of faults) {
      const team = { seed: 1, ground, branches: BRANCHES, workers: 1, tasks: 2, steps: 0 };
      const result = { ...(await runSeed({ ...team, schedule: during(fault) })), fault };
      results.push(result);
      onResult(result);
    }
  };
  await using stack = new AsyncDisposableStack();
  const served = await servedGround(SEATS, stack);
  await play(served, [...served.shim.faults, ...(served.weather?.faults ?? [])]);
  const small = smallDiskGround(SEATS, stack);
  if (small === undefined) onSkipped('full', 'this user may not mount a small disk');
  else await play(small, ['full']);
  return results;
}
