import type { Execute } from '../flows/operation.ts';
import type { Heartbeats, Log, WorkTree } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import type { Actor } from '../protocol/records/types.ts';
import { dueToBlock } from '../rules/lateness/halting.ts';

interface BlockStuckDependencies {
  readonly identity: Actor;
  readonly execute: Execute;
  readonly workTree: WorkTree;
  readonly heartbeats: Heartbeats;
  readonly log: Log;
}

/**
 * Blocks what has not changed for too long, where `policies.blockBeats` says so (features.md S002-21). What is refused now, as
 * while the remote is away, is tried again by the next tick.
 */
export async function blockStuck({
  execute,
  identity,
  workTree,
  heartbeats,
  log,
}: BlockStuckDependencies): Promise<void> {
  const view = workTree.view();
  if (view.team.policies.blockBeats === 0) return;
  for (const { task_id: taskId } of dueToBlock(view, heartbeats.seen())) {
    try {
      await execute('lateness.block', { taskId }, { actor: identity });
    } catch (error) {
      if (!(error instanceof FlowError)) throw error;
      log.warn({ taskId, reason: error.message }, 'a task that is stuck could not be blocked');
      // The others would only ask the same remote in vain.
      if (error.code === 'sync-failed') return;
    }
  }
}
