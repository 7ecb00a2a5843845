import type { EventBus } from '../events.ts';
import type { Committed, Transaction } from '../ports.ts';
import type { Announcement, Delivery } from '../ports-chat.ts';
import type { Change } from '../protocol/changes.ts';
import { FlowError, toFlowError } from '../protocol/errors.ts';
import { serverOf } from '../protocol/identity.ts';
import type { Actor, EventRecord } from '../protocol/records/types.ts';
import { redactSecrets } from '../protocol/secrets/scan.ts';
import type { ScanOptions } from '../protocol/secrets/scan.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { eventChanges } from '../workspace/event-log.ts';
import { createAttendance } from './attendance.ts';
import type { Attendance } from './attendance.ts';
import { OPERATIONS } from './catalog.ts';
import { requireNoSecret } from './secret-check.ts';
import { checkOwnership } from './write-check.ts';
import { carryOut, createErrandRunner } from './errand-runner.ts';
import type { ErrandRunner } from './errand-runner.ts';
import { contextFactory } from './facts.ts';
import type { ContextOf, FactSources } from './facts.ts';
import type { AnnouncementDraft, Decision, Freshness, Operation, Settlement } from './types.ts';

export interface ExecuteOptions {
  readonly actor: Actor;
  readonly dryRun?: boolean;
  /** How the caller named the operation (`delegate_task`); used in refusals. */
  readonly label?: string;
  /** The message that asked for it. Stands in the audit events, hence in the commit, as proof that it was carried out. */
  readonly cause?: string;
}

/** The only gate to the files (architecture.md, "Operations"). Throws `FlowError` to refuse. */
export type Execute = (name: string, input: unknown, options: ExecuteOptions) => Promise<Record<string, unknown>>;

/** Whatever facts are gathered from, and who hears what became of a call. */
export interface ExecutorDependencies extends FactSources {
  readonly events: EventBus;
  /** Resolves once what came in has been dealt with; absent on a node, which goes on dealing with it for as long as it runs. */
  readonly settled?: () => Promise<void>;
}

type Output = Record<string, unknown>;

/** Builds `execute` on the ports of one workspace. */
export function createExecutor(dependencies: ExecutorDependencies): Execute {
  const attendance = createAttendance(dependencies);
  const errands = createErrandRunner(dependencies.chat);
  const execute: Execute = async (name, rawInput, options) => {
    const operation = OPERATIONS.get(name);
    if (operation === undefined) throw new FlowError('invalid-argument', `unknown operation: ${name}`);
    const label = options.label ?? name;
    try {
      return await run(operation, label, rawInput, options);
    } catch (thrown) {
      const error = toFlowError(thrown, label);
      dependencies.events.emit('operation:refused', {
        operation: name,
        actor: options.actor.localpart,
        code: error.code,
        message: redactSecrets(error.message, dependencies.secrets?.known()),
        subject: subjectOf(rawInput),
      });
      if (error.code === 'internal') dependencies.events.emit('node:problem', { what: label, error: thrown });
      // What was thrown by mistake is named by whoever answers the caller (protocol.md §9.3).
      throw thrown;
    }
  };

  async function run(operation: Operation, label: string, rawInput: unknown, options: ExecuteOptions): Promise<Output> {
    const { actor } = options;
    const input = parseInput(operation, rawInput);
    requireRole(operation, label, actor);
    if (operation.kind === 'command') requireNoSecret(input, await scanOf(dependencies));
    const contextOf = await contextFactory(dependencies, attendance, operation, input, actor);
    operation.precheck?.(contextOf(dependencies.workTree.view()));
    if (options.dryRun === true) {
      const context = contextOf(dependencies.workTree.view());
      return { dryRun: true, ...(operation.dryRun?.(context) ?? (input as Output)) };
    }
    return operation.kind === 'query'
      ? query(dependencies, attendance, operation, contextOf, input, actor)
      : command({ ...dependencies, errands }, execute, operation, label, contextOf, input, options);
  }

  return execute;
}

async function scanOf({ secrets, sync }: ExecutorDependencies): Promise<ScanOptions> {
  return { known: secrets?.known() ?? [], allowed: await sync.allowedSecrets() };
}

function parseInput(operation: Operation, raw: unknown): unknown {
  const parsed = operation.input.safeParse(raw ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new FlowError('invalid-argument', `payload.${field}: ${issue?.message ?? 'is not valid'}`);
}

/** protocol.md §0.3: aliases of a role are resolved before this gate; an admin may do what a Leader may. */
function requireRole(operation: Operation, label: string, actor: Actor): void {
  if (operation.roles.includes(actor.role)) return;
  if (actor.role === 'admin' && operation.roles.includes('leader')) return;
  const wanted = operation.roles.includes('leader') ? 'leader' : 'worker';
  throw new FlowError('wrong-role', `${label} requires ${wanted} role`, {
    remedy: `call it as a ${wanted}: this call was made by ${actor.localpart} as ${actor.role}`,
  });
}

async function query(
  dependencies: ExecutorDependencies,
  attendance: Attendance,
  operation: Operation,
  contextOf: ContextOf,
  input: unknown,
  actor: Actor,
): Promise<Output> {
  const { sync, workTree } = dependencies;
  const fresh = freshness(operation, input);
  let pulled = false;
  if (fresh === 'settled') await dependencies.settled?.();
  else if (fresh !== 'no') {
    try {
      pulled = (await sync.pull()).remote;
    } catch (thrown) {
      if (fresh === 'required' || !(thrown instanceof FlowError) || thrown.code !== 'sync-failed') throw thrown;
    }
  }
  // Facts that were gathered for the first checks are those from before the pull.
  const isStale = fresh !== 'no' && operation.facts !== undefined;
  const contextNow = isStale ? await contextFactory(dependencies, attendance, operation, input, actor) : contextOf;
  const context = contextNow(workTree.view());
  const prepared = await carryOut(operation.prepare?.(context), dependencies.chat);
  const decision = operation.run(context, prepared);
  return { ...(fresh === 'no' ? {} : { pulled }), ...decision.output };
}

function freshness(operation: Operation, input: unknown): Freshness {
  return typeof operation.fresh === 'function' ? operation.fresh(input) : operation.fresh;
}

async function command(
  dependencies: ExecutorDependencies & { readonly errands: ErrandRunner },
  execute: Execute,
  operation: Operation,
  label: string,
  contextOf: ContextOf,
  input: unknown,
  { actor, cause }: ExecuteOptions,
): Promise<Output> {
  const { announcer, events, sync } = dependencies;
  const subject = subjectOf(input);
  const prepared = await prepare(dependencies, operation, contextOf);
  let announcements: readonly Announcement[] = [];
  const transaction: Transaction<Readonly<Record<string, unknown>>> = {
    actor,
    label: commitLabel(label, subject),
    subject,
    whenOffline: operation.whenOffline ?? 'refuse',
    ...(operation.answers === undefined ? {} : { answers: operation.answers }),
    ...(operation.restsOn === undefined ? {} : { restsOn: operation.restsOn }),
    beforeCommit: () => announcer.record(),
    decide(view) {
      const decided = operation.run(contextOf(view), prepared);
      const changes = withEvents(dependencies, view, decided, { actor, cause });
      checkOwnership(actor, changes, view, operation.forAssignee);
      const spoken = spokenBy(actor, dependencies.identity, decided.announcements);
      // Decided again on a fresher tree: what only the first decision wanted said is not owed any more.
      announcer.withdraw(announcements.filter(({ txn }) => spoken.every((other) => other.txn !== txn)));
      announcements = spoken;
      announcer.owe(announcements, undefined);
      return { changes, output: decided.output };
    },
  };
  const committed = await sync.transact(transaction).catch((thrown: unknown) => {
    // What arrived although its answer was lost owes its messages: the next pull shows which it was.
    if (isPublishedUnknown(thrown)) announcer.doubt(announcements);
    else announcer.withdraw(announcements);
    throw thrown;
  });
  if (!committed.synced) announcer.owe(announcements, committed.commit);
  const deliveries = committed.synced ? await announcer.deliver(announcements) : [];
  const followed = await followUp(execute, announcements, deliveries);
  events.emit('operation:done', {
    operation: operation.name,
    actor: actor.localpart,
    commit: committed.commit,
    subject,
  });
  const settlement: Settlement = {
    synced: committed.synced,
    remote: committed.durability === 'replicated',
    commit: committed.commit,
    durability: committed.durability,
    deliveries,
  };
  const output = { ...committed.output, ...followed };
  return { ...(operation.settle?.(output, settlement, input) ?? output), ...safety(committed) };
}

/** How safe the change is when the caller is answered, and for how long it waited for its push to be allowed. */
function safety({ durability, heldBackMs }: Committed<unknown>): Output {
  return { durability, ...(heldBackMs === undefined ? {} : { heldBackMs }) };
}

function isPublishedUnknown(thrown: unknown): boolean {
  return thrown instanceof FlowError && thrown.data['published'] === 'unknown';
}

/** Nothing is done on the homeserver for what the newest files refuse. */
async function prepare(
  { errands, sync, workTree }: ExecutorDependencies & { readonly errands: ErrandRunner },
  operation: Operation,
  contextOf: ContextOf,
): Promise<unknown> {
  if (operation.prepare === undefined) return undefined;
  return errands.run(async () => {
    await sync.pull();
    const context = contextOf(workTree.view());
    operation.precheck?.(context);
    return operation.prepare?.(context);
  });
}

/** A node that acts for somebody it hosts speaks in that one's name. */
function spokenBy(
  actor: Actor,
  { localpart, matrixUserId }: Actor,
  drafts: readonly AnnouncementDraft[],
): readonly Announcement[] {
  if (actor.localpart === localpart || matrixUserId === undefined) return drafts;
  const sender = actor.matrixUserId ?? `@${actor.localpart}:${serverOf(matrixUserId) ?? 'local'}`;
  return drafts.map((draft) => ({ ...draft, sender }));
}

/**
 * The audit events of a decision travel in the same change set, so that no crash can part them. They name the
 * announcements that the commit owes: after a crash the outbox tells by them which of its entries became true.
 */
function withEvents(
  { clock, identity }: ExecutorDependencies,
  view: WorkspaceView,
  decision: Decision<unknown>,
  { actor, cause }: { readonly actor: Actor; readonly cause: string | undefined },
): readonly Change[] {
  if (decision.events.length === 0) return decision.changes;
  const announces = decision.announcements.map((announcement) => announcement.txn);
  const more = { ...(announces.length === 0 ? {} : { announces }), ...(cause === undefined ? {} : { cause }) };
  const records: EventRecord[] = decision.events.map((draft) => ({
    ...draft,
    ...(Object.keys(more).length === 0 ? {} : { data: { ...draft.data, ...more } }),
    id: clock.id(),
    ts: clock.now(),
    actor: draft.actor ?? { id: actor.localpart, role: actor.role },
  }));
  return [...decision.changes, ...eventChanges(view, identity.localpart, records)];
}

/** Runs what a delivered message calls for (record its event id); its answer completes the caller's. */
async function followUp(
  execute: Execute,
  announcements: readonly Announcement[],
  deliveries: readonly Delivery[],
): Promise<Output> {
  let merged: Output = {};
  for (const announcement of announcements) {
    const delivery = deliveries.find((candidate) => candidate.txn === announcement.txn);
    const next = announcement.followUp;
    if (next === undefined || delivery === undefined || !delivery.sent) continue;
    const output = await execute(next.operation, { ...next.input, eventId: delivery.eventId }, { actor: next.actor });
    merged = { ...merged, ...output };
  }
  return merged;
}

function subjectOf(input: unknown): { project?: string; task?: string } {
  const { projectId, taskId } = (input ?? {}) as { projectId?: unknown; taskId?: unknown };
  return {
    ...(typeof projectId === 'string' ? { project: projectId } : {}),
    ...(typeof taskId === 'string' ? { task: taskId } : {}),
  };
}

/** `taskflow(<action>): <id>`, protocol.md §11.2. */
function commitLabel(label: string, subject: { project?: string; task?: string }): string {
  const id = subject.task ?? subject.project;
  return id === undefined ? `taskflow(${label})` : `taskflow(${label}): ${id}`;
}
