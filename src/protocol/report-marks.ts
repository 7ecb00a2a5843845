import type { NodeStatus } from './plan-types.ts';
import type { ProjectStatus } from './records/types.ts';

/** The five states that a report tells apart by a symbol (protocol.md §14.3). */
export type Mark = 'done' | 'active' | 'pending' | 'blocked' | 'revision';

const EMOJI: Readonly<Record<Mark, string>> = {
  done: '✅',
  active: '🔄',
  pending: '⏳',
  blocked: '❌',
  revision: '🔁',
};

export function symbolOf(mark: Mark, style: 'emoji' | 'plain'): string {
  return style === 'emoji' ? EMOJI[mark] : `[${mark}]`;
}

export const NODE_MARKS: Readonly<Record<NodeStatus, Mark>> = {
  pending: 'pending',
  delegated: 'active',
  completed: 'done',
  blocked: 'blocked',
  cancelled: 'blocked',
  revision: 'revision',
};

export const PROJECT_MARKS: Readonly<Record<ProjectStatus, Mark>> = {
  planning: 'pending',
  active: 'active',
  paused: 'pending',
  blocked: 'blocked',
  completed: 'done',
  failed: 'blocked',
  rejected: 'blocked',
};
