import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ProcessMemory } from '../ports.ts';

/**
 * The heap of this process. From here on the engine may collect when it is told to, which it offers to no program that was not
 * started for it, and keeps little for garbage: a node lives long and mostly waits.
 */
export function createProcessMemory(): ProcessMemory {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=100');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as NodeJS.GCFunction | undefined;
  return {
    held: () => process.memoryUsage().heapTotal,
    giveBack() {
      collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    },
  };
}
