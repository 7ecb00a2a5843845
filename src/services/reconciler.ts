import { setImmediate } from 'node:timers/promises';
import type { EventBus } from '../events.ts';
import type { Log } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import { stampOf } from '../protocol/timestamps.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import type { Finding } from '../rules/consistency.ts';
import { createArchivist } from './archivist.ts';
import { createCalm } from './calm.ts';
import type { Calm } from './calm.ts';
import { createCourtesy } from './courtesy.ts';
import { decideOwed } from './deliveries.ts';
import type { DeliveryDependencies } from './deliveries.ts';
import { createDeliveryLoop } from './delivery-loop.ts';
import type { DeliveryLoop } from './delivery-loop.ts';
import { createFindings, scopeOf, widened } from './findings.ts';
import type { Findings, Scope } from './findings.ts';
import { noticesFor } from './notices.ts';
import { createRefusalReader } from './refusals.ts';
import { stepsFor } from './steps.ts';
import type { Look, Step } from './steps.ts';

/**
 * Level-triggered: pulls, file changes, ticks and restarts only wake it. Each round looks at the tree as it is and
 * runs the operations that its findings call for, as its own actor only. A round that finds nothing changes nothing,
 * so running it twice is the same as running it once.
 */
export interface Reconciler {
  /**
   * Asks for a round; calls during a round share the next one. `changed` names the paths that may have to do with it,
   * none when only what is owed may go on; without it everything is looked at. `promptly`: what somebody has done by hand is
   * answered at once, so that a node acts on its own people's edits before others do; all else waits for the steps.
   */
  wake(changed?: readonly string[], how?: { readonly promptly: boolean }): void;
  /** Resolves once no round is under way or asked for; messages may still be leaving. */
  settled(): Promise<void>;
  /** Resolves once no round is under way or asked for, and nothing is being said. */
  idle(): Promise<void>;
  /** No further rounds and messages; resolves when the present ones are over. */
  close(): Promise<void>;
}

export interface ReconcilerDependencies extends DeliveryDependencies {
  readonly mode: 'solo' | 'team';
  /** Whether messages stay on this machine: then what others did elsewhere is written to the own room log as well. */
  readonly localRooms: boolean;
  readonly events: EventBus;
  readonly log: Log;
  /** Milliseconds that a contradiction has to stand before a room is told of it; none where nobody edits meanwhile. */
  readonly calm?: number;
}

/** Milliseconds: longer than a round waits for steps, and than clocks of one team differ. */
const FRESH = 120_000;

/** Enough for an accept that makes a report due that marks itself sent; more means that something oscillates. */
const MAX_PASSES = 5;

export function createReconciler(dependencies: ReconcilerDependencies): Reconciler {
  const delivery = createDeliveryLoop(dependencies);
  const archivist = createArchivist(dependencies);
  const memory: Memory = {
    began: dependencies.clock.millis(),
    delivery,
    findings: createFindings(),
    raised: new Map(),
    refused: new Set(),
    newRefusals: createRefusalReader(),
    calm: createCalm(dependencies.calm ?? 0),
  };
  const ending = new AbortController();
  /** Somebody waits for a step, and mostly nobody for a round; and one round for many steps is cheaper than one for each. */
  const courtesy = createCourtesy(dependencies);
  let calming = false;
  /** What the next round is about; `undefined` when none is wanted. */
  let wanted: Scope | undefined;
  let closed = false;
  let running: Promise<void> | undefined;

  /** What was asked for meanwhile belongs to the pass that is about to begin. */
  const take = (): Scope | undefined => {
    const scope = wanted;
    wanted = undefined;
    return scope;
  };

  async function rounds(): Promise<void> {
    // Whoever has just been answered hears it first; and the wakes of one step share a round.
    await setImmediate();
    // What was asked for before the node closes is done: a process for one command has nobody who does it later.
    for (let scope = take(), isFirst = true; scope !== undefined && (isFirst || !closed); scope = take()) {
      isFirst = false;
      await courtesy.turn();
      try {
        // A pass may take in more than the round began with.
        let widest = scope;
        await round(dependencies, memory, scope, () => {
          const more = take();
          if (more === 'all') widest = more;
          return more;
        });
        if (widest === 'all') await archivist.round();
      } catch (error) {
        // Whatever was not looked at is looked at with the next wake.
        wanted = 'all';
        dependencies.events.emit('node:problem', { what: 'the reconciler', error });
        break;
      }
    }
    running = undefined;
    void calmDown();
  }

  /** Looks again when what waits to be told has stood long enough. */
  async function calmDown(): Promise<void> {
    if (calming || closed || !memory.calm.waits()) return;
    calming = true;
    await dependencies.clock.sleep(dependencies.calm ?? 0, ending.signal);
    calming = false;
    wake([]);
  }

  function wake(changed?: readonly string[], { promptly } = { promptly: false }): void {
    if (closed) return;
    if (promptly) courtesy.prompt();
    wanted = widen(wanted, changed === undefined ? 'all' : scopeOf(changed));
    running ??= rounds();
  }

  return {
    wake,
    settled: () => courtesy.hurried(() => running),
    idle: () => courtesy.hurried(() => running ?? delivery.running()),
    async close() {
      closed = true;
      ending.abort();
      courtesy.close();
      await running;
      await delivery.close();
    },
  };
}

function widen(before: Scope | undefined, more: Scope): Scope {
  return before === undefined ? more : widened(before, more);
}

/** What rounds remember of each other; all of it is found anew by the first round of a process. */
interface Memory {
  /** When the process began; milliseconds since the epoch. */
  readonly began: number;
  readonly delivery: DeliveryLoop;
  readonly findings: Findings;
  readonly raised: Map<string, Finding>;
  /** Refusals already met, so that one that cannot be mended is not tried on every wake. */
  readonly refused: Set<string>;
  readonly newRefusals: ReturnType<typeof createRefusalReader>;
  readonly calm: Calm;
}

async function round(
  dependencies: ReconcilerDependencies,
  memory: Memory,
  asked: Scope,
  more: () => Scope | undefined,
): Promise<void> {
  await decideOwed(dependencies);
  memory.delivery.wake();
  const tried = new Set<string>();
  let scope = asked;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const present = dependencies.workTree.view();
    scope = memory.findings.reach(present, widen(more(), scope));
    const findings = await lookAt(dependencies, memory, { view: present, scope });
    const view = dependencies.workTree.view();
    const raised = raise(dependencies, memory.raised, findings);
    tell(dependencies, memory, { view, raised, scope });
    const ran = await repair(dependencies, { view, findings, scope }, { refused: memory.refused, tried });
    if (!ran) return;
  }
}

function lookAt(
  { workTree, clock }: ReconcilerDependencies,
  { findings }: Memory,
  { view, scope }: { readonly view: WorkspaceView; readonly scope: Scope },
): Promise<readonly Finding[]> | readonly Finding[] {
  if (scope !== 'all') return findings.look(view, scope);
  return findings.lookAtAll({
    view: () => workTree.view(),
    elapsed: () => clock.elapsed(),
    pause: () => setImmediate(),
  });
}

/** Runs what the findings and the owed reports call for; true when something changed and another look is due. */
async function repair(
  dependencies: ReconcilerDependencies,
  look: Look,
  { refused, tried }: { readonly refused: Set<string>; readonly tried: Set<string> },
): Promise<boolean> {
  // What was done in this round and changed nothing is not done again until the next one.
  const isDue = ({ key }: Step): boolean => !refused.has(key) && !tried.has(key);
  const carryOut = async (step: Step): Promise<boolean> => {
    tried.add(step.key);
    try {
      await dependencies.execute(step.operation, step.input, { actor: step.actor });
      return true;
    } catch (error) {
      if (!(error instanceof FlowError) || !error.retryable) refused.add(step.key);
      dependencies.log.warn({ finding: step.key, reason: String(error) }, 'a repair was refused');
      return false;
    }
  };
  let ran = false;
  // Those of one kind at the same time, so that they share a commit and a push; a report tells what the others mended.
  for (const steps of stepsFor(dependencies, look)) {
    const done = await Promise.all(steps.filter(isDue).map(carryOut));
    ran ||= done.includes(true);
  }
  return ran;
}

/** Each finding is raised once, and cleared once it no longer stands. Returns what was raised now. */
function raise(
  { events }: ReconcilerDependencies,
  raised: Map<string, Finding>,
  findings: readonly Finding[],
): readonly Finding[] {
  const fresh: Finding[] = [];
  const present = new Set(findings.map(({ key }) => key));
  for (const finding of findings) {
    if (raised.has(finding.key)) continue;
    raised.set(finding.key, finding);
    fresh.push(finding);
    const { key, message, remedy, projectId, taskId } = finding;
    const subject = {
      ...(projectId === undefined ? {} : { project: projectId }),
      ...(taskId === undefined ? {} : { task: taskId }),
    };
    events.emit('finding:raised', { key, message, remedy, subject });
  }
  for (const key of raised.keys()) {
    if (present.has(key)) continue;
    raised.delete(key);
    events.emit('finding:cleared', { key });
  }
  return fresh;
}

/** Has the rooms told what people and agents must hear of; the transaction ids make every one a single message. */
function tell(
  { clock, identity, localRooms, mode }: ReconcilerDependencies,
  { began, newRefusals, delivery, calm, raised: standing }: Memory,
  { view, raised, scope }: { readonly view: WorkspaceView; readonly raised: readonly Finding[]; readonly scope: Scope },
): void {
  const notices = noticesFor({
    view,
    findings: calm.due(raised, standing, clock.elapsed()),
    refusals: newRefusals(view, clock.now(), scope === 'all'),
    tasks: scope === 'all' ? view.taskIds() : [...scope.tasks],
    since: stampOf(Math.max(began, clock.millis() - FRESH)),
    identity,
    localRooms,
    mode,
  });
  if (notices.length > 0) delivery.wake(notices);
}
