import type { TeamSettings } from '../../protocol/records/team-types.ts';
import type { AgentRecord, Priority, ProjectMeta, RaisedFinding, TaskMeta } from '../../protocol/records/types.ts';
import { localpartKey } from '../../protocol/identity.ts';
import { parseDuration, parseTime, stampOf } from '../../protocol/timestamps.ts';
import type { ProjectEntry, WorkspaceView } from '../../protocol/view.ts';
import { isTerminalTask } from '../lifecycle.ts';
import { holdingsIn, loadsOf } from '../load.ts';
import { isUnacknowledged, livenessOf } from '../liveness.ts';
import { word } from '../shell.ts';
import { isTerminalProject } from '../project-lifecycle.ts';
import { taskOfNode } from '../unrecorded.ts';
import type { Beats } from './beats.ts';
import { bringOn, bringProjectOn } from './commands.ts';
import { levelOf } from './ladder.ts';
import type { Late, LateKind } from './ladder.ts';

/** What lateness depends on beside the record that is looked at. */
export interface LatenessFacts {
  readonly view: WorkspaceView;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly beats: Beats;
}

/** A record, what is late about it, and what was raised before. */
export type LateRecord =
  | { readonly kind: 'task'; readonly meta: TaskMeta; readonly standing: readonly Late[] }
  | { readonly kind: 'project'; readonly meta: ProjectMeta; readonly standing: readonly Late[] }
  | { readonly kind: 'agent'; readonly meta: AgentRecord; readonly standing: readonly Late[] };

/**
 * Where findings about lateness come from that belong to no project. Whatever else runs out, such as a checkpoint that nobody
 * decides, is one more of them and one more kind of record; raising, telling and clearing are the same for all.
 */
const TEAM_SOURCES: readonly ((facts: LatenessFacts) => readonly LateRecord[])[] = [overloadedAgents];

/** Every record about which something is late, or was; of projects, those of `among`. */
export function lateRecords(facts: LatenessFacts, among = facts.view.projectIds()): readonly LateRecord[] {
  return [...among.flatMap((id) => lateInProject(facts, id)), ...lateInTeam(facts)];
}

/** The same of one project: its own record, and those of the tasks of its plan. What has ended is not late. */
export function lateInProject(facts: LatenessFacts, id: string): readonly LateRecord[] {
  const { view } = facts;
  const entry = view.project(id);
  if (entry?.meta === undefined) return [];
  const { meta } = entry;
  const tasks = entry.plan.nodes.flatMap((node): readonly LateRecord[] => {
    const task = taskOfNode(view, entry, node);
    if (task === undefined) return [];
    return [{ kind: 'task', meta: task, standing: lateTask(facts, entry, task) }];
  });
  return [{ kind: 'project', meta, standing: lateProject(facts, meta) } as const, ...tasks].filter(isWorthALook);
}

/** The same of what belongs to no project. */
export function lateInTeam(facts: LatenessFacts): readonly LateRecord[] {
  return TEAM_SOURCES.flatMap((source) => source(facts)).filter(isWorthALook);
}

function isWorthALook({ meta, standing }: LateRecord): boolean {
  return standing.length > 0 || (meta.raised ?? []).length > 0;
}

/** Who holds more than it can carry: told when it comes to that, and again only after it was over (S001-47). */
function overloadedAgents({ view, now }: LatenessFacts): readonly LateRecord[] {
  const loads = loadsOf(holdingsIn(view));
  return view.agents().map((agent) => {
    const { agent_id: id, max_concurrent: max } = agent;
    const load = loads.get(localpartKey(id)) ?? 0;
    const level = levelOf('overloaded', load, max);
    const found: Late = {
      key: `overloaded:${id}`,
      kind: 'overloaded',
      subject: { kind: 'agent', id },
      level,
      since: stampOf(now),
      message: `${id} holds ${load} tasks and can carry ${max}`,
      command: `baton agent show ${word(id)}`,
    };
    return { kind: 'agent', meta: agent, standing: level === 0 ? [] : [found] };
  });
}

/** What is late about a composite project, which is a piece of work by itself; nothing about others. */
export function lateProject({ view, now }: LatenessFacts, meta: ProjectMeta): readonly Late[] {
  const { project_id: id, title, mode, eta, created_at: created, priority = 'P2' } = meta;
  if (mode !== 'composite' || isTerminalProject(meta.status)) return [];
  const base = { subject: { kind: 'project', id } as const, command: bringProjectOn(meta) };
  return [
    ...overdue({ id, title, eta, now }, base),
    ...slaViolated({ id, title, created, priority, now, team: view.team }, base),
  ];
}

/** What is late about a task of a plan. */
export function lateTask(
  facts: LatenessFacts,
  { meta: project }: Pick<ProjectEntry, 'meta'>,
  meta: TaskMeta,
): readonly Late[] {
  if (project === undefined || isTerminalProject(project.status) || isTerminalTask(meta.status)) return [];
  const { view, now } = facts;
  const { task_id: id, task_title: title, project_id: projectId, eta } = meta;
  const base = { subject: { kind: 'task', id, projectId } as const, command: bringOn(view, project, meta) };
  const created = meta.created_at ?? meta.assigned_at;
  const priority = meta.priority ?? project.priority ?? 'P2';
  // While a project is paused nobody is expected to do anything; its deadlines go on.
  const waits =
    project.status === 'active' ? [...unacknowledged(facts, meta, base), ...unchecked(facts, meta, base)] : [];
  return [
    ...waits,
    ...(project.status === 'active' ? [...stuck(facts, meta, base), ...slow(facts, meta, project, base)] : []),
    ...overdue({ id, title, eta, now }, base),
    ...slaViolated({ id, title, created, priority, now, team: view.team }, base),
  ];
}

type Base = Pick<Late, 'subject' | 'command'>;

/** One that began to be late so many milliseconds after `start`; nothing while it is not. */
function lateSince(
  kind: LateKind,
  { start, allowed, now }: { readonly start: number; readonly allowed: number; readonly now: number },
  rest: Base & { readonly id: string; readonly occasion: string; readonly message: string },
): readonly Late[] {
  const level = levelOf(kind, now - start, allowed);
  if (level === 0) return [];
  const { id, occasion, ...said } = rest;
  return [{ key: `${kind}:${id}:${occasion}`, kind, level, since: stampOf(start + allowed), ...said }];
}

function unacknowledged({ view, now }: LatenessFacts, meta: TaskMeta, base: Base): readonly Late[] {
  const { lastSign: start } = livenessOf(meta, view.team, now);
  const allowed = parseDuration(view.team.policies.ackWithin);
  if (!isUnacknowledged(meta) || start === undefined || allowed === undefined) return [];
  const { task_id: id, assigned_to: assignee } = meta;
  const message = `${assignee} has not acknowledged ${id} since ${stampOf(start)}`;
  return lateSince('unacknowledged', { start, allowed, now }, { ...base, id, occasion: stampOf(start), message });
}

function unchecked({ view, now }: LatenessFacts, meta: TaskMeta, base: Base): readonly Late[] {
  const start = timeOf(meta.submitted_at) ?? livenessOf(meta, view.team, now).lastSign;
  const allowed = parseDuration(view.team.policies.checkWithin);
  if (meta.status !== 'submitted' || start === undefined || allowed === undefined) return [];
  const { task_id: id, assigned_to: assignee, submission_id: submission } = meta;
  const message = `the result of ${id} by ${assignee} waits to be checked since ${stampOf(start)}`;
  const occasion = submission ?? stampOf(start);
  return lateSince('unchecked', { start, allowed, now }, { ...base, id, occasion, message });
}

/** Who waits for an answer is not stuck. One that was raised stands until its context changes, however few beats are known. */
function stuck({ view, now, beats }: LatenessFacts, meta: TaskMeta, base: Base): readonly Late[] {
  const { task_id: id, assigned_to: assignee } = meta;
  const { stuckBeats } = view.team.policies;
  const beat = beats.get(id);
  if (!isWatched(view, meta) || beat === undefined || stuckBeats === 0) return [];
  const key = `stuck:${id}:${beat.context}`;
  const before = levelIn(meta.raised, key);
  const level = Math.max(before, levelOf('stuck', beat.count + 1, stuckBeats));
  if (level === 0) return [];
  const since = stampOf(livenessOf(meta, view.team, now).lastSign ?? now);
  const message = `${assignee} works on ${id}, and nothing has changed in it over ${stuckBeats} heartbeat${stuckBeats === 1 ? '' : 's'}`;
  return [{ key, kind: 'stuck', level, since, message, ...base }];
}

/**
 * Past its `eta`, and with less gained in a heartbeat than `policies.slowProgress` (features.md S002-21). One that was raised
 * keeps its key while it creeps on, and stands until a heartbeat knows better; once it was cured, the next is another.
 */
function slow({ view, now, beats }: LatenessFacts, meta: TaskMeta, project: ProjectMeta, base: Base): readonly Late[] {
  const { task_id: id, assigned_to: assignee } = meta;
  const { slowProgress } = view.team.policies;
  // A subtask without a time of its own is expected with its task.
  const start = timeOf(meta.eta ?? project.eta);
  if (!isWatched(view, meta) || slowProgress === 0 || start === undefined || now <= start) return [];
  const occasion = `slow:${id}:${stampOf(start)}:`;
  const before = meta.raised?.find(({ key }) => key.startsWith(occasion));
  const { gained, context = '' } = beats.get(id) ?? {};
  const level = gained === undefined ? (before?.level ?? 0) : levelOf('slow', slowProgress - gained, 0);
  if (level === 0) return [];
  const since = stampOf(start);
  const message = `${assignee} works on ${id}, which was expected by ${since}, and gains less than ${slowProgress}% in a heartbeat`;
  return [{ key: before?.key ?? `${occasion}${context}`, kind: 'slow', level, since, message, ...base }];
}

/** Whether heartbeats say something of a task: it is worked on, and nobody is waited for. */
function isWatched({ team }: WorkspaceView, meta: TaskMeta): boolean {
  return team.policies.heartbeats && meta.status === 'in_progress' && !isAsking(meta);
}

/** Whether its assignee waits for an answer. */
export function isAsking({ attention = [] }: TaskMeta): boolean {
  return attention.some(({ resolved, answer }) => !resolved && answer === undefined);
}

function overdue(
  {
    id,
    title,
    eta,
    now,
  }: { readonly id: string; readonly title: string; readonly eta: string | undefined; readonly now: number },
  base: Base,
): readonly Late[] {
  const start = timeOf(eta);
  if (start === undefined) return [];
  const message = `${id} (${title}) was expected by ${stampOf(start)}`;
  return lateSince('overdue', { start, allowed: 0, now }, { ...base, id, occasion: stampOf(start), message });
}

/** The SLA runs from the creation, in every open state (features.md §7.2). */
function slaViolated(
  about: {
    readonly id: string;
    readonly title: string;
    readonly created: string | undefined;
    readonly priority: Priority;
    readonly now: number;
    readonly team: TeamSettings;
  },
  base: Base,
): readonly Late[] {
  const { id, title, priority, now, team } = about;
  const start = timeOf(about.created);
  const limit = team.policies.sla[priority];
  const allowed = limit === null ? undefined : parseDuration(limit);
  // A limit of a thousand years is no date.
  if (start === undefined || allowed === undefined || now - start <= allowed) return [];
  const due = stampOf(start + allowed);
  const message = `${id} (${title}) is ${priority} and was due by ${due}`;
  const found = lateSince('sla-violated', { start, allowed, now }, { ...base, id, occasion: due, message });
  return found.map((late) => ({ ...late, due }));
}

function levelIn(raised: readonly RaisedFinding[] | undefined, key: string): number {
  return raised?.find((finding) => finding.key === key)?.level ?? 0;
}

function timeOf(stamp: string | undefined): number | undefined {
  return stamp === undefined ? undefined : parseTime(stamp);
}
