import { z } from 'zod';
import type { WorkspaceView } from '../../protocol/view.ts';
import { archivedIds } from '../../protocol/with-archive.ts';
import { projectFacts, taskFacts } from '../../protocol/work/facts.ts';
import type { WorkFacts } from '../../protocol/work/facts.ts';
import { isEnded, workItems } from '../../protocol/work/items.ts';
import { ANYONE } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { presentItem } from './present.ts';
import { factsOf } from './source.ts';

/** features.md §2.5: every task and every composite project; subtasks only as counts of theirs. */
export const listWork = defineOperation({
  name: 'work.list',
  kind: 'query',
  roles: ANYONE,
  summary: 'List what is to be done: composite projects, and tasks that are not part of one.',
  input: z.object({
    all: z.boolean().optional().describe('what has ended and what is archived as well'),
  }),
  fresh: 'best-effort',
  facts: ['work'],
  run(context) {
    const { view, input } = context;
    const live = factsOf(context);
    const shown = workItems(live).filter((item) => input.all === true || !isEnded(item));
    const archived = input.all === true ? workItems(archivedFacts(view)) : [];
    const items = [
      ...shown.map((item) => ({ item, archived: undefined })),
      ...archived.map((item) => ({ item, archived: true as const })),
    ];
    return {
      changes: [],
      events: [],
      announcements: [],
      output: {
        items: items
          .filter(({ item }) => item.kind === 'composite' || !item.isSubtask)
          .map(({ item, archived: isArchived }) => presentItem(item, isArchived)),
        ...(live.skipped.length === 0 ? {} : { skipped: [...live.skipped] }),
      },
    };
  },
});

/** The same facts of all that was archived. Reads every archived record. */
function archivedFacts(view: WorkspaceView): WorkFacts {
  const projects = archivedIds(view, 'projects').flatMap((id) => view.archivedProject(id)?.entry ?? []);
  const tasks = archivedIds(view, 'tasks').flatMap((id) => view.archivedTask(id)?.entry ?? []);
  return {
    projects: projects.flatMap((entry) => projectFacts(entry) ?? []),
    tasks: tasks.flatMap((entry) => taskFacts(entry) ?? []),
    skipped: [],
  };
}
