import type { TaskMeta } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import type { Beats } from './beats.ts';
import { isAsking } from './lateness.ts';

/**
 * Work that is to be blocked by itself (features.md S002-21): in progress in an active project, and found the same by
 * `policies.blockBeats` heartbeats in a row. Nothing where that is 0, as it is by default. Who waits for an answer is not stuck.
 */
export function dueToBlock(view: WorkspaceView, beats: Beats): readonly TaskMeta[] {
  const { blockBeats, heartbeats } = view.team.policies;
  if (blockBeats === 0 || !heartbeats) return [];
  return [...beats].flatMap(([id, { count }]) => {
    const meta = count < blockBeats ? undefined : view.task(id)?.meta;
    if (meta?.status !== 'in_progress' || isAsking(meta)) return [];
    return view.project(meta.project_id)?.meta?.status === 'active' ? [meta] : [];
  });
}
