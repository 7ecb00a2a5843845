import { z } from 'zod';
import { workFacts } from '../../protocol/work/facts.ts';
import { ANYONE } from '../shared.ts';
import { defineOperation } from '../types.ts';

/** S002-31. Nothing of the shared tree changes: the index is this clone's own, and derived. */
export const rebuildIndex = defineOperation({
  name: 'work.rebuild_index',
  kind: 'query',
  roles: ANYONE,
  summary: 'Make the index of all work anew, and tell what cannot be read.',
  input: z.object({}),
  fresh: 'no',
  facts: ['rebuilt'],
  run({ view, facts }) {
    const report = facts.rebuilt?.() ?? counted(workFacts(view));
    return {
      changes: [],
      events: [],
      announcements: [],
      output: { found: report.found, rebuilt: report.rebuilt, skipped: [...report.skipped] },
    };
  },
});

function counted({ projects, tasks, skipped }: ReturnType<typeof workFacts>) {
  const rebuilt = projects.length + tasks.length;
  return { found: rebuilt + skipped.length, rebuilt, skipped };
}
