import type { Log, Reach, Sync } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';

/**
 * Takes in what is on the remote, and pushes what is owed to it. Being offline is a state: it is logged and ends with the next
 * pull that succeeds. False while it lasts.
 */
export async function takeUpRemote(
  { sync, log }: { readonly sync: Sync; readonly log: Log },
  reach?: Reach,
): Promise<boolean> {
  try {
    await sync.pull(reach);
    await sync.push();
    return true;
  } catch (error) {
    if (!(error instanceof FlowError) || error.code !== 'sync-failed') throw error;
    // The remote was there: what this node keeps back by itself is told once, with what to do about it.
    if (error.data['fingerprint'] !== undefined) return true;
    log.warn({ reason: error.message }, 'the remote cannot be reached; work goes on locally');
    return false;
  }
}
