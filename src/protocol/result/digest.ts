import { createHash } from 'node:crypto';
import type { ResultStatus, TaskResult } from '../records/types.ts';

/**
 * Fingerprint of what was submitted (protocol.md §7.6): notes and the rendered text do not count, the order of the
 * deliverables does. Lower-case hex.
 */
export function resultDigest(
  result: Pick<TaskResult, 'deliverables' | 'summary'> & { readonly status: string },
): string {
  const canonical = JSON.stringify({
    deliverables: result.deliverables,
    status: result.status.trim(),
    summary: result.summary.replaceAll(/\p{White_Space}+/gu, ' ').trim(),
  });
  return createHash('sha256').update('teamharness.task-result.v1\0').update(canonical, 'utf8').digest('hex');
}

/** Names one delivery of one submission to the Leader (protocol.md §7.7); the same facts always give the same id. */
export function deliveryId(projectId: string, taskId: string, submissionId: string): string {
  return createHash('sha256')
    .update([projectId, taskId, submissionId, 'result-submitted:v1'].join('\0'), 'utf8')
    .digest('hex');
}

/** Whether the Leader's acceptance of such a result completes the node (protocol.md §7.1). */
export function isEffective(status: ResultStatus): boolean {
  return status === 'SUCCESS' || status === 'SUCCESS_WITH_NOTES';
}
