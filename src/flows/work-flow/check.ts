import { z } from 'zod';
import type { PlanNode } from '../../protocol/plan-types.ts';
import type { TaskStatus } from '../../protocol/records/types.ts';
import { parseTime } from '../../protocol/timestamps.ts';
import type { ProjectEntry, WorkspaceView } from '../../protocol/view.ts';
import type { ProjectFacts, WorkFacts } from '../../protocol/work/facts.ts';
import { isEnded, projectTasks, workItems } from '../../protocol/work/items.ts';
import type { TaskItem } from '../../protocol/work/items.ts';
import { automaticWork } from '../../rules/acceptance.ts';
import { projectAlerts, sortAlerts, taskAlerts } from '../../rules/alerts.ts';
import type { Alert } from '../../rules/alerts.ts';
import { holdsUp } from '../../rules/dag.ts';
import type { LatenessFacts } from '../../rules/lateness/lateness.ts';
import { isSentBack } from '../../rules/needs.ts';
import { isTerminalProject } from '../../rules/project-lifecycle.ts';
import { taskOfNode } from '../../rules/unrecorded.ts';
import { ANYONE, requireProject, requireTask } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { presentItem } from './present.ts';
import { factsOf } from './source.ts';

/**
 * features.md S002-18 to S002-23: one look at everything that is under way, for whoever calls regularly. The index says what
 * is active, and only that is opened; what cannot be read is left out, and said.
 */
export const checkWork = defineOperation({
  name: 'work.check',
  kind: 'query',
  roles: ANYONE,
  summary: 'Count a heartbeat and tell what is failed, stuck, late, blocked or waiting.',
  input: z.object({
    id: z.string().min(1).optional().describe('only this project or task'),
    count: z.boolean().optional().describe('false: only look, and count no heartbeat'),
    settled: z.boolean().optional().describe('true: fetch nothing, and look once what came in has been dealt with'),
  }),
  fresh: ({ settled }) => (settled === true ? 'settled' : 'best-effort'),
  facts: ['work', 'beats', 'heartbeat'],
  run(context) {
    const { view, input, now, facts } = context;
    const beats = (input.count === false ? facts.beats : facts.heartbeat)?.() ?? new Map();
    const live = factsOf(context);
    const lateness: LatenessFacts = { view, now: parseTime(now) ?? 0, beats };
    const active = activeWork(live, input.id);
    if (input.id !== undefined && active.length === 0) requireKnown(view, input.id);
    const looks = active.map((work) => look(lateness, work));
    const alerts = sortAlerts(looks.flatMap((found) => found.alerts));
    const shown = active.flatMap(({ project }) => project.id);
    return {
      changes: [],
      events: [],
      announcements: [],
      output: {
        alerts,
        summary: summaryOf(active, alerts),
        checked: looks.reduce((sum, { opened }) => sum + opened, 0),
        skipped: [...live.skipped],
        due: automaticWork(view, shown).flatMap(({ operation, projectId }) =>
          operation === 'project.advance' ? [projectId] : [],
        ),
        items: workItems(onlyOf(live, active))
          .filter((item) => !isEnded(item) && (item.kind === 'composite' || !item.isSubtask))
          .map((item) => presentItem(item)),
      },
    };
  },
});

/** An open project, and those of its tasks that something may have to be said about. */
interface ActiveWork {
  readonly project: ProjectFacts;
  readonly tasks: readonly TaskItem[];
}

/** What has ended well, or is not wanted any more, needs nobody; a result that was sent back does while something waits. */
const OVER: ReadonlySet<TaskStatus> = new Set(['completed', 'revision', 'cancelled', 'superseded']);

function activeWork({ projects, tasks }: WorkFacts, id: string | undefined): readonly ActiveWork[] {
  const records = new Map(tasks.map((task) => [task.id, task]));
  return projects
    .filter(({ status }) => !isTerminalProject(status))
    .map((project) => {
      const all = projectTasks(project, records);
      const isOpen = (task: TaskItem): boolean => !OVER.has(task.status) || holdsUp(task, all, project.mode);
      return { project, tasks: all.filter(isOpen) };
    })
    .flatMap((work) => {
      if (id === undefined || work.project.id === id) return [work];
      const own = work.tasks.filter((task) => task.id === id);
      return own.length === 0 ? [] : [{ ...work, tasks: own }];
    });
}

/** Of what is there and has ended there is nothing to say. Throws `not-found`. */
function requireKnown(view: WorkspaceView, id: string): void {
  if (view.project(id) !== undefined) requireProject(view, id);
  else if (!view.projectIds().some((owner) => view.project(owner)?.plan.nodes.some((node) => node.id === id))) {
    requireTask(view, id);
  }
}

function look(
  facts: LatenessFacts,
  { project, tasks }: ActiveWork,
): { readonly alerts: readonly Alert[]; readonly opened: number } {
  const entry = facts.view.project(project.id);
  if (entry?.meta === undefined) return { alerts: [], opened: 0 };
  const { meta } = entry;
  const nodes = new Map(entry.plan.nodes.map((node) => [node.id, node]));
  return {
    alerts: [...projectAlerts(facts, meta), ...tasks.flatMap(({ id }) => alertsOf(facts, entry, nodes.get(id)))],
    opened: tasks.length,
  };
}

function alertsOf(facts: LatenessFacts, entry: ProjectEntry, node: PlanNode | undefined): readonly Alert[] {
  const task = node === undefined ? undefined : taskOfNode(facts.view, entry, node);
  if (node === undefined || task === undefined || entry.meta === undefined) return [];
  return taskAlerts(facts, entry.meta, task, isSentBack(entry, node));
}

function summaryOf(active: readonly ActiveWork[], alerts: readonly Alert[]): Readonly<Record<string, unknown>> {
  const tasks = active.flatMap((work) => work.tasks);
  return {
    projects: active.length,
    tasks: tasks.length,
    states: countsOf(tasks.map(({ status }) => status)),
    alerts: countsOf(alerts.map(({ type }) => type)),
  };
}

function countsOf(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function onlyOf({ tasks }: WorkFacts, active: readonly ActiveWork[]): Pick<WorkFacts, 'projects' | 'tasks'> {
  const projects = active.map(({ project }) => project);
  const ids = new Set(projects.map(({ id }) => id));
  return { projects, tasks: tasks.filter(({ projectId }) => ids.has(projectId)) };
}
