import { projectPaths, taskPaths } from '../protocol/paths.ts';
import type { PlanNode } from '../protocol/plan-types.ts';
import type { TaskMeta } from '../protocol/records/types.ts';
import { parseTime, stampOf } from '../protocol/timestamps.ts';
import type { ProjectEntry, WorkspaceView } from '../protocol/view.ts';
import { isUnacknowledged, livenessOf } from './liveness.ts';
import { isOpen } from './plan-findings.ts';

/**
 * What a person is needed for, in the order in which it is to be looked at. `violation`: files that are broken or
 * contradict each other; `node`: what a running node mends by itself.
 */
export const NEEDS = ['violation', 'question', 'stuck', 'blocked', 'check', 'acknowledgement', 'node'] as const;
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

/** What the open projects need: answers, decisions, a look at results, somebody to take the work on. */
export function workNeeds(view: WorkspaceView, now: number): readonly Need[] {
  return view
    .projectIds()
    .flatMap((id) => view.project(id) ?? [])
    .filter(isOpen)
    .flatMap((entry) => [
      ...loopNeeds(entry),
      ...entry.plan.nodes.flatMap((node) => nodeNeeds(view, entry, node, now)),
    ]);
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

function nodeNeeds(view: WorkspaceView, { id: projectId }: ProjectEntry, node: PlanNode, now: number): readonly Need[] {
  const meta = view.task(node.id)?.meta;
  if (meta === undefined || meta.project_id !== projectId) return [];
  const base = { severity: 'warning', projectId, taskId: node.id, file: taskPaths(node.id).meta } as const;
  const asked = questions(meta);
  const state = stateNeed(view, meta, now);
  // Who waits for an answer is not stuck.
  const rest = state === undefined || (asked.length > 0 && state.need === 'stuck') ? [] : [state];
  return [...asked, ...rest].map((need) => ({ ...base, ...need }));
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

function stateNeed(view: WorkspaceView, meta: TaskMeta, now: number): Part | undefined {
  const { task_id: id, project_id: project, assigned_to: assignee, status } = meta;
  if (status === 'submitted') {
    return {
      need: 'check',
      kind: 'awaiting-check',
      message: `${assignee} has handed in ${id}${meta.result_status === undefined ? '' : ` (${meta.result_status})`}`,
      command: `baton task check ${word(id)}`,
      ...sinceOf(meta.submitted_at),
    };
  }
  if (status === 'blocked' || status === 'failed') return haltNeed(meta, status);
  const { state, lastSign } = livenessOf(meta, view.team, now);
  if (state !== 'idle' || lastSign === undefined) return undefined;
  const since = stampOf(lastSign);
  if (isUnacknowledged(meta)) {
    return {
      need: 'acknowledgement',
      kind: 'unacknowledged',
      message: `${assignee} has not acknowledged ${id} since ${since}`,
      command: `baton message send --target ${word(meta.room_id ?? view.team.teamRoomId)} --message ${word(`@${assignee}: please acknowledge ${id}`)}`,
      remedy: `or name somebody else in plan.md and run \`baton task delegate ${word(project)} ${word(id)}\``,
      since,
    };
  }
  if (status !== 'in_progress') return undefined;
  return {
    need: 'stuck',
    kind: 'no-sign-of-life',
    message: `${assignee} works on ${id} and has not been heard of since ${since}`,
    command: `baton task cancel ${word(id)} --reason REASON`,
    remedy: `ask ${assignee} for a note of progress, or end it and plan a new node`,
    since,
  };
}

/** A result that halts is decided for good; what was halted without one may go on. */
export function haltNeed(meta: TaskMeta, status: 'blocked' | 'failed'): Part {
  const { task_id: id, project_id: project, submission_id: submission } = meta;
  const why = status === 'blocked' ? (meta.blocked_reason ?? meta.summary) : meta.failure_reason;
  const mayGoOn = status === 'blocked' && submission === undefined && meta.submitted_at === undefined;
  return {
    need: 'blocked',
    kind: `${status}-task`,
    message: `${id} is ${status}${why === undefined || why === '' ? '' : `: ${why}`}`,
    command: mayGoOn ? `baton task unblock ${word(id)}` : `baton project plan ${word(project)} --tasks TASKS`,
    ...(mayGoOn ? {} : { remedy: 'plan a new node for what is left to do' }),
    ...sinceOf(meta.history?.at(-1)?.ts),
  };
}

const sinceOf = (since: string | undefined): { readonly since?: string } => (since === undefined ? {} : { since });

/** One word of a command line: names come from files that others write, and commands are copied into shells. */
export function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
