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
 * Blocks, at every call, what has not changed for too long, where `policies.blockBeats` says so (features.md S002-21). What is
 * refused now, as while the remote is away, is tried again by the next one; it is told once for as long as it stays so.
 */
export function createStuckBlocker(dependencies: BlockStuckDependencies): () => Promise<void> {
  const { execute, identity, workTree, heartbeats, log } = dependencies;
  let refused: ReadonlySet<string> = new Set();
  return async () => {
    const before = refused;
    const now = new Set<string>();
    refused = now;
    const view = workTree.view();
    if (view.team.policies.blockBeats === 0) return;
    for (const { task_id: taskId } of dueToBlock(view, heartbeats.seen())) {
      try {
        await execute('lateness.block', { taskId }, { actor: identity });
      } catch (error) {
        if (!(error instanceof FlowError)) throw error;
        const isAway = error.code === 'sync-failed';
        const what = isAway ? error.code : `${taskId}: ${error.message}`;
        now.add(what);
        if (!before.has(what)) log.warn({ taskId, reason: error.message }, 'a task that is stuck could not be blocked');
        // The others would only ask the same remote in vain.
        if (isAway) return;
      }
    }
  };
}
