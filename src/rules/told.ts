import type { PlanNode } from '../protocol/plan-types.ts';
import type { ProjectMeta, RequesterReport } from '../protocol/records/types.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';

/** What a requester knows of a project, one word for each node and for the whole; nodes that were not begun have none. */
export type Told = Readonly<Record<string, string>>;

/** Keys beside those of nodes; the colon keeps them out of the way of any id (protocol.md §1.1). */
const LOOP = 'loop:';
const PLAN = 'plan:';
const PROJECT = 'project:';

const ASKS = 'asks ';

/**
 * What a report would tell now: `delegated`, `completed`, `blocked`, `revision`, `cancelled`, or `asks decision 2`
 * while a question is open; a loop that waits for a person or is stuck; a plan that is broken; a project that ended
 * otherwise than by completion. Kept in `requester_report.told`, it is what the next report is compared with.
 */
export function tellable(view: WorkspaceView, entry: ProjectEntry, { status }: ProjectMeta): Told {
  const { plan } = entry;
  const told: Record<string, string> = {};
  for (const node of plan.nodes) if (node.status !== 'pending') told[node.id] = wordOf(view, entry, node);
  const { loop } = plan;
  if (loop?.status === 'waiting_user' || loop?.status === 'blocked')
    told[LOOP] = `${loop.status} ${loop.currentIteration}`;
  if (plan.diagnostics.some(({ severity }) => severity === 'error')) told[PLAN] = 'broken';
  if (status === 'blocked' || status === 'failed' || status === 'rejected') told[PROJECT] = status;
  return told;
}

function wordOf(view: WorkspaceView, { id }: ProjectEntry, node: PlanNode): string {
  const task = view.task(node.id)?.meta;
  const isOpen = task?.project_id === id && (node.status === 'delegated' || node.status === 'blocked');
  const question = isOpen ? task.attention?.findLast(({ resolved }) => !resolved) : undefined;
  return question === undefined ? node.status : `${ASKS}${question.kind} ${question.attempt}`;
}

/**
 * What the requester was told last; nothing at all before the first report. `undefined` where that is not known: a
 * project on which nothing was ever owed, or one whose reports another tool has sent.
 */
export function lastTold(report: RequesterReport | undefined): Told | undefined {
  if (report === undefined) return undefined;
  return report.told ?? (report.sent_at === undefined ? {} : undefined);
}

/** Nodes of the plan of which the requester knows something else, in plan order. */
export function changedNodes({ plan }: ProjectEntry, now: Told, before: Told): readonly string[] {
  return plan.nodes.flatMap(({ id }) => (now[id] === before[id] ? [] : [id]));
}

/**
 * Why what is new is worth a report of its own, or `undefined`. That work was given out is told with the next report
 * (decision 0011). Where it is not known what was told, only what waits for an answer is.
 */
export function newsIn(now: Told, before: Told | undefined): string | undefined {
  for (const [key, word] of Object.entries(now)) {
    if (before?.[key] === word) continue;
    const reason = reasonOf(key, word, before);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function reasonOf(key: string, word: string, before: Told | undefined): string | undefined {
  if (word.startsWith(ASKS)) return `attention_${word.split(' ')[1] ?? 'other'}`;
  if (key === LOOP && word.startsWith('waiting_user')) return 'decision_needed';
  if (before === undefined || word === 'delegated') return undefined;
  if (key === LOOP) return 'loop_blocked';
  if (key === PLAN) return 'plan_broken';
  if (key === PROJECT) return `project_${word}`;
  if (word === 'completed') return 'task_result_accepted';
  // Work of which nobody heard needs no word that it is not wanted any more.
  if (word === 'cancelled') return before[key] === undefined ? undefined : 'task_cancelled';
  return `task_result_${word}`;
}
