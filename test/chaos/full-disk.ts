import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { localGround } from './ground.ts';
import type { LocalGround } from './ground.ts';

/** Size of the disk that a clone gets for itself. */
const SIZE = '6m';

/** Clones on small disks of their own, which can be full; `undefined` where this user may not mount any. */
export function smallDiskGround(seats: readonly string[], stack: AsyncDisposableStack): LocalGround | undefined {
  const { template: _, ...ground } = localGround();
  stack.defer(() => ground.remove());
  const mounted: string[] = [];
  stack.defer(() => {
    for (const folder of mounted.toReversed()) execFileSync('umount', ['--lazy', folder]);
  });
  const mount = (folder: string): void => {
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder], { stdio: 'ignore' });
    mounted.push(folder);
  };
  try {
    const probe = join(ground.beside, 'probe');
    mount(probe);
  } catch {
    return undefined;
  }
  const fillerOf = (seat: string): string => join(ground.folder, seat, '.baton', 'filler');
  return {
    ...ground,
    async makeRemote() {
      for (const seat of seats) mount(join(ground.folder, seat));
      await ground.makeRemote?.();
    },
    weather: {
      faults: ['full'],
      bring: (_fault, seat) => fill(fillerOf(seat)),
      clear(seat) {
        for (const one of seat === undefined ? seats : [seat]) rmSync(fillerOf(one), { force: true });
      },
    },
  };
}

/** Writes until nothing more fits. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (let size = 1 << 20; size >= 1;) {
      try {
        writeSync(descriptor, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size = size >> 2;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
