import { createHash } from 'node:crypto';
import type { EventBus } from '../events.ts';
import type { Log } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import { taskPaths } from '../protocol/paths.ts';
import type { Actor } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { findInconsistencies } from '../rules/consistency.ts';
import type { Finding } from '../rules/consistency.ts';
import { reportDue, reportMessage } from '../rules/reports.ts';
import { deliverOwed } from './deliveries.ts';
import type { DeliveryDependencies } from './deliveries.ts';
import { noticesFor } from './notices.ts';
import type { Outbox } from './outbox.ts';

/**
 * Level-triggered: pulls, file changes, ticks and restarts only wake it. Each round looks at the tree as it is and
 * runs the operations that its findings call for, as its own actor only. A round that finds nothing changes nothing,
 * so running it twice is the same as running it once.
 */
export interface Reconciler {
  /** Asks for a round; calls during a round share the next one. */
  wake(): void;
  /** Resolves once no round is under way or asked for. */
  idle(): Promise<void>;
  /** No further rounds; resolves when the present one is over. */
  close(): Promise<void>;
}

export interface ReconcilerDependencies extends DeliveryDependencies {
  readonly mode: 'solo' | 'team';
  /** Whether messages stay on this machine: then what others did elsewhere is written to the own room log as well. */
  readonly localRooms: boolean;
  readonly events: EventBus;
  readonly log: Log;
}

/** Enough for an accept that makes a report due that marks itself sent; more means that something oscillates. */
const MAX_PASSES = 5;

export function createReconciler(dependencies: ReconcilerDependencies): Reconciler {
  const raised = new Map<string, Finding>();
  /** Refusals already met, so that one that cannot be mended is not tried on every wake. */
  const refused = new Set<string>();
  let wanted = false;
  let closed = false;
  let running: Promise<void> | undefined;

  async function rounds(): Promise<void> {
    while (wanted && !closed) {
      wanted = false;
      try {
        await round(dependencies, raised, refused);
      } catch (error) {
        dependencies.events.emit('node:problem', { what: 'the reconciler', error });
      }
    }
    running = undefined;
  }

  return {
    wake() {
      if (closed) return;
      wanted = true;
      running ??= rounds();
    },
    async idle() {
      while (running !== undefined) await running;
    },
    async close() {
      closed = true;
      await running;
    },
  };
}

async function round(
  dependencies: ReconcilerDependencies,
  raised: Map<string, Finding>,
  refused: Set<string>,
): Promise<void> {
  await deliverOwed(dependencies);
  const tried = new Set<string>();
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const view = dependencies.workTree.view();
    const findings = findInconsistencies(view);
    raise(dependencies, raised, findings);
    await tell(dependencies, view, findings);
    const ran = await repair(dependencies, view, findings, { refused, tried });
    if (!ran) return;
  }
}

/** Runs what the findings and the owed reports call for; true when something changed and another look is due. */
async function repair(
  dependencies: ReconcilerDependencies,
  view: WorkspaceView,
  findings: readonly Finding[],
  { refused, tried }: { readonly refused: Set<string>; readonly tried: Set<string> },
): Promise<boolean> {
  let ran = false;
  for (const step of stepsFor(dependencies, view, findings)) {
    // What was done in this round and changed nothing is not done again until the next one.
    if (refused.has(step.key) || tried.has(step.key)) continue;
    tried.add(step.key);
    try {
      await dependencies.execute(step.operation, step.input, { actor: step.actor });
      ran = true;
    } catch (error) {
      if (!(error instanceof FlowError) || !error.retryable) refused.add(step.key);
      dependencies.log.warn({ finding: step.key, reason: String(error) }, 'a repair was refused');
    }
  }
  return ran;
}

interface Step {
  readonly key: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly actor: Actor;
}

function stepsFor(
  dependencies: ReconcilerDependencies,
  view: WorkspaceView,
  findings: readonly Finding[],
): readonly Step[] {
  const { identity } = dependencies;
  const mending = findings.flatMap((finding) => repairStep(dependencies, view, finding) ?? []);
  return leads(identity) ? [...mending, ...reportSteps(view, dependencies.outbox, identity)] : mending;
}

const leads = ({ role }: Actor): boolean => role === 'leader' || role === 'admin';

function repairStep(
  { identity, mode }: ReconcilerDependencies,
  view: WorkspaceView,
  { key: finding, taskId, repair: mend }: Finding,
): Step | undefined {
  if (mend === undefined) return undefined;
  const key = `${finding}:${stateOf(view, taskId)}`;
  if (mend.operation !== 'task.record_submission') {
    return leads(identity) ? { key, ...mend, actor: identity } : undefined;
  }
  // A result is handed in by its Worker: by its own node, or by one that acts for it.
  const assignee = taskId === undefined ? undefined : view.task(taskId)?.meta?.assigned_to;
  if (assignee === undefined || !(sameLocalpart(assignee, identity.localpart) || leads(identity) || mode === 'solo')) {
    return undefined;
  }
  return { key, ...mend, actor: { localpart: assignee, role: 'worker' } };
}

/** One that the outbox holds already is tried there, with all else that a room could not take. */
function reportSteps(view: WorkspaceView, outbox: Outbox, actor: Actor): readonly Step[] {
  const held = new Set(outbox.pending().map(({ announcement: { txn } }) => txn));
  return reportDue(view).flatMap(({ projectId }) => {
    const project = view.project(projectId);
    if (project?.meta === undefined) return [];
    const { txn } = reportMessage(view, project, project.meta);
    if (held.has(txn)) return [];
    return [{ key: `report:${projectId}:${txn}`, operation: 'project.report', input: { projectId }, actor }];
  });
}

/** A refused step is tried again once the facts it rests on have changed. */
function stateOf(view: WorkspaceView, taskId: string | undefined): string {
  const meta = taskId === undefined ? undefined : view.task(taskId)?.meta;
  const result = taskId === undefined ? '' : (view.text(taskPaths(taskId).result) ?? '');
  const written = createHash('sha256').update(result).digest('hex').slice(0, 12);
  return `${meta?.status ?? ''}:${meta?.submission_id ?? ''}:${meta?.history?.length ?? 0}:${written}`;
}

/** Each finding is raised once, and cleared once it no longer stands. */
function raise({ events }: ReconcilerDependencies, raised: Map<string, Finding>, findings: readonly Finding[]): void {
  const present = new Set(findings.map(({ key }) => key));
  for (const finding of findings) {
    if (raised.has(finding.key)) continue;
    raised.set(finding.key, finding);
    events.emit('finding:raised', { key: finding.key, message: finding.message, remedy: finding.remedy });
  }
  for (const key of raised.keys()) {
    if (present.has(key)) continue;
    raised.delete(key);
    events.emit('finding:cleared', { key });
  }
}

/** Puts into the rooms what people and agents must hear of; the transaction ids make every one a single message. */
async function tell(
  { outbox, clock, identity, localRooms, mode }: ReconcilerDependencies,
  view: WorkspaceView,
  findings: readonly Finding[],
): Promise<void> {
  const notices = noticesFor({ view, findings, identity, localRooms, mode, now: clock.now() });
  if (notices.length > 0) await outbox.deliver(notices);
}
