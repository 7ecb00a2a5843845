import { FlowError } from '../protocol/errors.ts';
import type { SyncContext } from './context.ts';

/** Milliseconds for which a step waits for another git, and between two looks. */
const PATIENCE = 5_000;
const LOOK = 25;

/**
 * Resolves once no other git is at work on the files of this clone, with what `isDisturbed` compares. Git writes files before it says what
 * is checked out: whoever takes the disk for what somebody wants meanwhile commits an older state, or another branch.
 * Throws `bad-workspace`, which may be retried.
 */
export async function untilStill({ git, clock }: SyncContext): Promise<string> {
  for (const begun = clock.elapsed(); git.isBusy();) {
    if (clock.elapsed() - begun > PATIENCE) throw atWork();
    await clock.sleep(LOOK);
  }
  return git.standing();
}

/** Whether another git has been at work since, so that what was read from the disk must not count. */
export function isDisturbed({ git }: SyncContext, still: string): boolean {
  return git.isBusy() || git.standing() !== still;
}

function atWork(): FlowError {
  return new FlowError('bad-workspace', 'another git is at work on the files of this workspace', {
    remedy: 'wait for it to end and try again; where none runs, remove .git/index.lock',
    retryable: true,
  });
}
