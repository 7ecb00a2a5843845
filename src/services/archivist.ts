import type { Execute } from '../flows/operation.ts';
import type { Clock, Log, WorkTree } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import type { Actor } from '../protocol/records/types.ts';
import { leads } from '../protocol/roles.ts';
import { archiveDue, inboxDue } from '../rules/archive.ts';

export interface ArchivistDependencies {
  readonly identity: Actor;
  readonly execute: Execute;
  readonly workTree: WorkTree;
  readonly clock: Clock;
  readonly log: Log;
}

/** So many projects a round, and so many tasks of the inbox, so that the first round on an old tree keeps nobody waiting. */
const MOST_A_ROUND = 5;

/**
 * Archives what has ended long enough ago, a few projects a round. Only a Leader's node does. One that cannot be archived
 * now is told once, and tried again when the others are through.
 */
export function createArchivist({ identity, execute, workTree, clock, log }: ArchivistDependencies): {
  round(): Promise<void>;
} {
  const refused = new Map<string, string>();

  const archive = async (operation: string, input: Readonly<Record<string, string>>, id: string): Promise<void> => {
    try {
      await execute(operation, input, { actor: identity });
      refused.delete(id);
    } catch (error) {
      if (!(error instanceof FlowError)) throw error;
      if (refused.get(id) !== error.message) log.warn({ ...input, reason: error.message }, 'not archived');
      refused.set(id, error.message);
    }
  };

  /** Those that were refused before are tried again when the others are through. */
  const next = (due: readonly string[]): readonly string[] =>
    [...due.filter((id) => !refused.has(id)), ...due.filter((id) => refused.has(id))].slice(0, MOST_A_ROUND);

  return {
    async round() {
      if (!leads(identity)) return;
      const view = workTree.view();
      const now = clock.now();
      // One after the other, so that other steps come in between: each moves hundreds of files.
      for (const projectId of next(archiveDue(view, now))) await archive('project.archive', { projectId }, projectId);
      for (const id of next(inboxDue(view, now))) await archive('work.archive', { id }, id);
    },
  };
}
