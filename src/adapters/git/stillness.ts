import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import type { Git } from '../../ports-git.ts';

/**
 * Milliseconds after another git has changed the index in which it may still have to say what is checked out: it writes files,
 * then the index, and HEAD last.
 */
const SETTLING = 50;
/** And so long a lock counts where nobody can tell who has it open. */
const HELD = 60_000;

export interface Stillness extends Pick<Git, 'isBusy' | 'standing'> {
  /** The index was replaced by this process: that is nobody else's work. */
  readonly noteOwn: (before: BigIntStats, after: BigIntStats) => void;
}

export function createStillness(gitDirectory: string): Stillness {
  const [index, head] = [join(gitDirectory, 'index'), join(gitDirectory, 'HEAD')];
  let own = { stamp: '', stands: '' };
  const stands = (stamp: string): string => (stamp === own.stamp ? own.stands : stamp);
  return {
    isBusy() {
      if (isHeld(`${index}.lock`)) return true;
      const found = look(index);
      if (found === undefined || stampOf(found) === own.stamp) return false;
      const age = Date.now() - Number(found.mtimeMs);
      return age >= 0 && age < SETTLING;
    },
    standing: () => `${stands(stampOf(look(index)))} ${stampOf(look(head))}`,
    noteOwn(before, after) {
      own = { stamp: stampOf(after), stands: stands(stampOf(before)) };
    },
  };
}

const look = (file: string): BigIntStats | undefined => lstatSync(file, { bigint: true, throwIfNoEntry: false });

const stampOf = (found: BigIntStats | undefined): string =>
  found === undefined ? '' : `${found.ino} ${found.mtimeNs} ${found.size}`;

/**
 * Whether a git that runs holds a lock. It has the lock open while it writes files; one that waits for an editor has closed it, and one
 * that was killed has left it.
 */
function isHeld(lock: string): boolean {
  const found = look(lock);
  if (found === undefined) return false;
  return isOpen(found) ?? Date.now() - Number(found.mtimeMs) < HELD;
}

/** Whether a process has the lock open; `undefined` where the system does not tell. */
function isOpen({ ino, dev }: BigIntStats): boolean | undefined {
  let processes: readonly string[];
  try {
    processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  if (processes.length === 0) return undefined;
  return processes.some((id) =>
    filesOf(id).some((file) => {
      try {
        if (!readlinkSync(file).endsWith('.lock')) return false;
        const opened = statSync(file, { bigint: true });
        return opened.ino === ino && opened.dev === dev;
      } catch {
        // Closed meanwhile.
        return false;
      }
    }),
  );
}

/** What a process has open; nothing of one that is gone, or belongs to another user. */
function filesOf(process: string): readonly string[] {
  const folder = `/proc/${process}/fd`;
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
