import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ProcessMemory } from '../ports.ts';

/**
 * The heap of this process. From here on the engine may collect when it is told to, which it offers to no program that was not
 * started for it.
 */
export function createProcessMemory(): ProcessMemory {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as NodeJS.GCFunction;
  return {
    held: () => process.memoryUsage().heapTotal,
    giveBack() {
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    },
  };
}
