import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { planProse } from '../../protocol/plan/prose.ts';
import type { ProjectMeta, TaskMeta } from '../../protocol/records/types.ts';
import type { ProjectEntry, WorkspaceView } from '../../protocol/view.ts';
import { withArchive } from '../../protocol/with-archive.ts';
import { projectFacts, taskFacts } from '../../protocol/work/facts.ts';
import type { TaskFacts } from '../../protocol/work/facts.ts';
import { compositeItem, projectTasks, workItems } from '../../protocol/work/items.ts';
import { projectHistory } from '../../rules/project-history.ts';
import { ANYONE, archivedAs, findTask, requireProject, requireTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { presentItem } from './present.ts';
import { projectOf } from './source.ts';

type Fields = Record<string, unknown>;

/** One piece of work with all that belongs to it, wherever it lies. */
export const showWork = defineOperation({
  name: 'work.show',
  kind: 'query',
  roles: ANYONE,
  summary: 'Show one task or project: where it stands, its subtasks, and what has happened to it.',
  input: z.object({ id: z.string().min(1).describe('id of a project or task') }),
  fresh: 'best-effort',
  run({ view: live, input: { id } }) {
    const view = withArchive(live);
    const output = view.project(id) === undefined ? shownTask(live, id) : shownProject(live, id);
    return { changes: [], events: [], announcements: [], output };
  },
});

function shownProject(live: WorkspaceView, id: string): Fields {
  const view = withArchive(live);
  const { meta, ...entry } = requireProject(view, id);
  const facts = projectFacts({ meta, ...entry });
  if (facts === undefined) throw new FlowError('internal', `${id} has a record that says nothing`);
  const item = compositeItem(facts, projectTasks(facts, recordsOf(view, entry)));
  const history = projectHistory(live, meta);
  const active = [item.active, history.at(-1)?.ts]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  return {
    item: presentItem({ ...item, ...(active === undefined ? {} : { active }) }),
    subtasks: item.subtasks.map((task) => presentItem(task)),
    history,
    ...shownText(meta, planProse(entry.planText)),
    ...archivedAs(live.project(id) === undefined ? live.archivedProject(id) : undefined),
  };
}

function recordsOf(view: WorkspaceView, { plan }: Pick<ProjectEntry, 'plan'>): ReadonlyMap<string, TaskFacts> {
  const entries = plan.nodes.flatMap(({ id }) => view.task(id) ?? []);
  return new Map(entries.flatMap((entry) => taskFacts(entry) ?? []).map((task) => [task.id, task]));
}

function shownText({ description, tags }: ProjectMeta, plan: string): Fields {
  return {
    ...(description === undefined ? {} : { description }),
    ...(plan === '' ? {} : { plan }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function shownTask(live: WorkspaceView, id: string): Fields {
  const view = withArchive(live);
  const project = projectOf(view, id);
  const meta = project?.plan.nodes.some((node) => node.id === id) === true ? findTask(view, id) : requireTask(view, id);
  const facts = meta === undefined ? undefined : taskFacts({ id, meta, diagnostics: [] });
  const projects = project === undefined ? [] : [projectFacts(project)].filter((found) => found !== undefined);
  const items = workItems({ projects, tasks: facts === undefined ? [] : [facts] });
  const item = items.find((found) => found.kind === 'task' && found.id === id);
  return {
    item: item === undefined ? superseded(id, meta) : presentItem(item),
    subtasks: [],
    history: meta?.history ?? [],
    ...archivedAs(live.task(id) === undefined ? live.archivedTask(id) : undefined),
  };
}

/** Lists leave out what was replaced; who asks for it by its id is told by what. */
function superseded(id: string, meta: TaskMeta | undefined): Fields {
  const by = meta?.superseded_by;
  return {
    kind: 'task',
    id,
    title: meta?.task_title ?? id,
    status: meta?.status ?? 'pending',
    ...(meta === undefined ? {} : { project_id: meta.project_id }),
    ...(by === undefined ? {} : { superseded_by: by }),
  };
}
