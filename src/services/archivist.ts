import type { Execute } from '../flows/operation.ts';
import type { Clock, Log, WorkTree } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import type { Actor } from '../protocol/records/types.ts';
import { leads } from '../protocol/roles.ts';
import { archiveDue } from '../rules/archive.ts';

export interface ArchivistDependencies {
  readonly identity: Actor;
  readonly execute: Execute;
  readonly workTree: WorkTree;
  readonly clock: Clock;
  readonly log: Log;
}

/** So many projects a round, so that the first round on an old tree keeps nobody waiting. */
const MOST_PROJECTS = 5;

/**
 * Archives what has ended long enough ago, a few projects a round. Only a Leader's node does. One that cannot be archived
 * now is told once, and tried again when the others are through.
 */
export function createArchivist({ identity, execute, workTree, clock, log }: ArchivistDependencies): {
  round(): Promise<void>;
} {
  const refused = new Map<string, string>();

  const archive = async (projectId: string): Promise<void> => {
    try {
      await execute('project.archive', { projectId }, { actor: identity });
      refused.delete(projectId);
    } catch (error) {
      if (!(error instanceof FlowError)) throw error;
      if (refused.get(projectId) !== error.message) log.warn({ projectId, reason: error.message }, 'not archived');
      refused.set(projectId, error.message);
    }
  };

  return {
    async round() {
      if (!leads(identity)) return;
      const due = archiveDue(workTree.view(), clock.now());
      const ordered = [...due.filter((id) => !refused.has(id)), ...due.filter((id) => refused.has(id))];
      // One after the other, so that other steps come in between: each moves hundreds of files.
      for (const projectId of ordered.slice(0, MOST_PROJECTS)) await archive(projectId);
    },
  };
}
