import { projectPaths, taskPaths } from '../protocol/paths.ts';
import type { PlanNode } from '../protocol/plan-types.ts';
import type { TaskMeta } from '../protocol/records/types.ts';
import { parseTime } from '../protocol/timestamps.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';
import { holdsUp } from './dag.ts';
import { isOpen } from './plan-findings.ts';
import { word } from './shell.ts';

/**
 * What a person is needed for, in the order in which it is to be looked at. `violation`: files that are broken or
 * contradict each other; `node`: what a running node mends by itself.
 */
export const NEEDS = ['violation', 'question', 'stuck', 'late', 'blocked', 'check', 'acknowledgement', 'node'] as const;
export type NeedKind = (typeof NEEDS)[number];

export interface Need {
  readonly need: NeedKind;
  /** Kebab-case; of a violation the kind of its finding, or the rule that a file breaks. */
  readonly kind: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** What mends it, as it is typed; words in capitals are to be filled in. */
  readonly command: string;
  /** What to do, where the command alone does not say it. */
  readonly remedy?: string;
  readonly projectId?: string;
  readonly taskId?: string;
  readonly agent?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** UTC. */
  readonly since?: string;
}

/** The most pressing first: by what is needed, errors before warnings, then the oldest; the rest stays as it is. */
export function sortNeeds(needs: readonly Need[]): readonly Need[] {
  const rank = ({ need, severity }: Need): number => NEEDS.indexOf(need) * 2 + (severity === 'error' ? 0 : 1);
  const age = ({ since }: Need): number => (since === undefined ? undefined : parseTime(since)) ?? Infinity;
  return needs.toSorted((a, b) => rank(a) - rank(b) || (age(a) === age(b) ? 0 : age(a) - age(b)));
}

/** What the open projects need whatever the time is: answers, decisions, a look at results. */
export function workNeeds(view: WorkspaceView): readonly Need[] {
  return view
    .projectIds()
    .flatMap((id) => view.project(id) ?? [])
    .filter(isOpen)
    .flatMap((entry) => [...loopNeeds(entry), ...entry.plan.nodes.flatMap((node) => nodeNeeds(view, entry, node))]);
}

function loopNeeds({ id, meta, plan: { loop } }: ProjectEntry): readonly Need[] {
  if (loop?.status !== 'waiting_user' && loop?.status !== 'blocked') return [];
  const base = { severity: 'warning', projectId: id, file: projectPaths(id).plan } as const;
  const since = meta?.updated_at === undefined ? {} : { since: meta.updated_at };
  const command = `baton project iterate ${word(id)} --iteration ${loop.currentIteration} --decision DECISION --summary TEXT`;
  return loop.status === 'blocked'
    ? [{ ...base, ...since, need: 'blocked', kind: 'loop-blocked', message: `the loop of ${id} is blocked`, command }]
    : [
        {
          ...base,
          ...since,
          need: 'question',
          kind: 'loop-waits',
          message: `the loop of ${id} waits for a decision`,
          command,
        },
      ];
}

function nodeNeeds(view: WorkspaceView, entry: ProjectEntry, node: PlanNode): readonly Need[] {
  const { id: projectId } = entry;
  const meta = view.task(node.id)?.meta;
  if (meta === undefined || meta.project_id !== projectId) return [];
  const base = { severity: 'warning', projectId, taskId: node.id, file: taskPaths(node.id).meta } as const;
  return [...questions(meta), ...stateNeeds(meta, isSentBack(entry, node))].map((need) => ({ ...base, ...need }));
}

type Part = Omit<Need, 'severity' | 'projectId' | 'taskId' | 'file'>;

function questions(meta: TaskMeta): readonly Part[] {
  const { task_id: id, assigned_to: assignee } = meta;
  return (meta.attention ?? [])
    .filter(({ resolved, answer }) => !resolved && answer === undefined)
    .map(({ kind, question, requestedAt }) => ({
      need: 'question',
      kind: `${kind}-asked`,
      message: `${assignee} asks about ${id}: ${question}`,
      command: `baton task answer ${word(id)} ${kind === 'approval' ? '--decision approved' : 'ANSWER'}`,
      since: requestedAt,
    }));
}

/** Whether a node's result was sent back, and something waits for what follows it. */
export function isSentBack({ plan, meta }: ProjectEntry, node: PlanNode): boolean {
  return holdsUp(node, plan.nodes, meta?.mode);
}

function stateNeeds(meta: TaskMeta, sentBack: boolean): readonly Part[] {
  const { task_id: id, assigned_to: assignee, status, result_status: said } = meta;
  if (sentBack) return [sentBackNeed(meta)];
  if (status === 'blocked' || status === 'failed') return [haltNeed(meta, status)];
  if (status !== 'submitted') return [];
  return [
    {
      need: 'check',
      kind: 'awaiting-check',
      message: `${assignee} has handed in ${id}${said === undefined ? '' : ` (${said})`}`,
      command: `baton task check ${word(id)}`,
      ...sinceOf(meta.submitted_at),
    },
  ];
}

/** A result that halts is decided for good; what was halted without one may go on. */
export function haltNeed(meta: TaskMeta, status: 'blocked' | 'failed'): Part {
  const { task_id: id, submission_id: submission } = meta;
  const why = status === 'blocked' ? (meta.blocked_reason ?? meta.summary) : meta.failure_reason;
  const mayGoOn = status === 'blocked' && submission === undefined && meta.submitted_at === undefined;
  return {
    need: 'blocked',
    kind: `${status}-task`,
    message: `${id} is ${status}${why === undefined || why === '' ? '' : `: ${why}`}`,
    command: mayGoOn ? `baton task unblock ${word(id)}` : `baton task hand-over ${word(id)} AGENT`,
    ...(mayGoOn ? {} : { remedy: 'hand it over, or plan a new node for what is left to do' }),
    ...sinceOf(meta.history?.at(-1)?.ts),
  };
}

/** What was sent back has ended; the plan goes on without it. */
export function sentBackNeed({ task_id: id, project_id: project, summary, history }: TaskMeta): Part {
  return {
    need: 'blocked',
    kind: 'sent-back-task',
    message: `${id} was sent back${summary === undefined || summary === '' ? '' : `: ${summary}`}`,
    command: `baton project plan ${word(project)} --tasks TASKS`,
    remedy: 'plan what is left to do as a new task, and leave this one out of the plan',
    ...sinceOf(history?.at(-1)?.ts),
  };
}

const sinceOf = (since: string | undefined): { readonly since?: string } => (since === undefined ? {} : { since });
