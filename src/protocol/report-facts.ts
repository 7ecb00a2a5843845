import { localpartOf } from './identity.ts';
import { plainText } from './plain-text.ts';
import type { Plan, PlanNode } from './plan-types.ts';
import type { TeamSettings } from './records/team-types.ts';
import type { ProjectMeta, TaskMeta } from './records/types.ts';
import { labelsFor } from './labels/languages.ts';
import type { Labels } from './labels/labels.ts';

export interface ReportInput {
  readonly meta: ProjectMeta;
  readonly plan: Plan;
  /** By task id; tasks of other projects are passed over. */
  readonly tasks: ReadonlyMap<string, TaskMeta>;
  readonly team: TeamSettings;
  /** Tasks that this report is about; without them it is a full one. */
  readonly changed?: readonly string[];
}

/** A node with what is known of its task, and what is still in its way. */
export interface ReportTask {
  readonly node: PlanNode;
  readonly task: TaskMeta | undefined;
  readonly isChanged: boolean;
  /** Dependencies that are not accepted yet. */
  readonly missing: readonly string[];
  /** Plain name, never a mention. */
  readonly owner: string;
  readonly question: string | undefined;
}

/** Everything that the parts of a report are made from. */
export interface ReportFacts {
  readonly meta: ProjectMeta;
  readonly plan: Plan;
  readonly labels: Labels;
  readonly style: 'emoji' | 'plain';
  readonly items: readonly ReportTask[];
  /** Of this project, also those that the plan no longer lists (earlier iterations). */
  readonly tasks: readonly TaskMeta[];
  readonly isPartial: boolean;
}

export function gatherFacts({ meta, plan, tasks, team, changed }: ReportInput): ReportFacts {
  const labels = labelsFor(team.policies.language);
  const own = [...tasks.values()].filter(({ project_id: project }) => project === meta.project_id);
  const taskOf = new Map(own.map((task) => [task.task_id, task]));
  const accepted = new Set(plan.nodes.filter(({ status }) => status === 'completed').map(({ id }) => id));
  const named = new Set(changed ?? []);
  const items = plan.nodes.map((node) => {
    const task = taskOf.get(node.id);
    const isOver = node.status === 'completed' || node.status === 'cancelled';
    const question = isOver ? undefined : task?.attention?.findLast(({ resolved }) => !resolved)?.question;
    return {
      node,
      task,
      isChanged: named.has(node.id),
      missing: node.dependsOn.filter((id) => !accepted.has(id)),
      owner: ownerOf(node.assignee === '' ? (task?.assigned_to ?? '') : node.assignee, labels),
      question,
    };
  });
  const isPartial = changed !== undefined && meta.status !== 'completed';
  return { meta, plan, labels, style: team.policies.reportStyle, items, tasks: own, isPartial };
}

export function isReady({ node, missing }: ReportTask): boolean {
  return node.status === 'pending' && missing.length === 0;
}

export function isSubmitted({ node, task }: ReportTask): boolean {
  return node.status === 'delegated' && task?.status === 'submitted';
}

/** Somebody has to do something about it, or is doing it. */
export function isOpen({ node }: ReportTask): boolean {
  return node.status === 'delegated' || node.status === 'blocked' || node.status === 'revision';
}

/** Words of others for the running text or a table cell: nothing in them is taken for Markdown or HTML. */
export function markdownText(text: string, max: number): string {
  return plainText(text, max).replaceAll(/[\\`*[\]<>|~]/g, (character) => `\\${character}`);
}

function ownerOf(assignee: string, labels: Labels): string {
  const name = markdownText(localpartOf(assignee).replaceAll('@', ''), 60);
  return name === '' ? labels.nobody : name;
}
