import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DemoOptions } from '../app-types.ts';
import { systemClock } from '../adapters/clock.ts';
import { createLog } from '../adapters/log.ts';
import { printableLines } from '../doors/cli/text.ts';
import { FlowError, toFlowError } from '../protocol/errors.ts';
import { MESSAGES, REQUESTER_ROOM, call, textsOf } from './calls.ts';
import { demoEnvironment } from './environment.ts';
import { pathFor, takeFolder } from './folder.ts';
import { findHistory } from './history.ts';
import { createLeader } from './leader.ts';
import { runPolish } from './polish-project.ts';
import { runReport } from './report-project.ts';
import { createScreen } from './screen.ts';
import type { Screen } from './screen.ts';
import { setUpStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { runWorker } from './worker.ts';

/** A demo that has not ended by then is stuck, and says so instead of hanging. */
const LIMIT_MS = 300_000;
const REDRAW_MS = 300;

/** What a process answers that was ended by a signal. */
const SIGNALS: ReadonlyMap<NodeJS.Signals, number> = new Map([
  ['SIGINT', 130],
  ['SIGTERM', 143],
]);

/**
 * Plays the demo in a folder of its own and resolves with the exit code. Throws `FlowError` when it cannot go on; then
 * everything has been stopped, and the folder is left to be looked at.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const started = systemClock.millis();
  const folder = resolve(options.dir ?? join('.baton', 'demo'));
  const lock = takeFolder(folder, systemClock.now());
  const ending = new AbortController();
  const interrupt = onInterrupt((signal) => ending.abort(new Error(signal)));
  const timeout = setTimeout(() => ending.abort(new Error('it did not end in time')), LIMIT_MS);
  try {
    const outcome = await inFolder(folder, options, ending.signal, systemClock.localStamp());
    finish(options, outcome, folder, (systemClock.millis() - started) / 1000);
    return 0;
  } catch (error) {
    const signal = interrupt.heard();
    if (signal === undefined) throw failure(error, folder);
    const stopped = `stopped by ${signal}; what was made so far is in ${pathFor(folder)}`;
    options.write(options.json ? `${JSON.stringify({ ok: false, error: stopped, folder })}\n` : `\n${stopped}\n`);
    return SIGNALS.get(signal) ?? 1;
  } finally {
    clearTimeout(timeout);
    interrupt.ignore();
    lock.release();
  }
}

/** The first signal ends the demo in order; the next one ends the process. */
function onInterrupt(stop: (signal: NodeJS.Signals) => void): {
  readonly heard: () => NodeJS.Signals | undefined;
  readonly ignore: () => void;
} {
  let first: NodeJS.Signals | undefined;
  const ignore = (): void => {
    for (const signal of SIGNALS.keys()) process.off(signal, hear);
  };
  const hear = (signal: NodeJS.Signals): void => {
    first = signal;
    ignore();
    stop(signal);
  };
  for (const signal of SIGNALS.keys()) process.on(signal, hear);
  return { heard: () => first, ignore };
}

function failure(thrown: unknown, folder: string): FlowError {
  const { code, message, remedy } = thrown instanceof FlowError ? thrown : toFlowError(thrown, 'the demo');
  const place = pathFor(folder);
  return new FlowError(code, message, {
    remedy: `${remedy === undefined ? '' : `${remedy}; `}${place} is left as it was, with what the nodes said in demo.log`,
    data: { folder },
    cause: thrown,
  });
}

interface Outcome {
  readonly leader: string;
  /** What the requester has been told, one report a project. */
  readonly reports: readonly string[];
  /** Absolute paths. */
  readonly deliverables: readonly string[];
}

async function inFolder(folder: string, options: DemoOptions, signal: AbortSignal, stamp: string): Promise<Outcome> {
  const history = await findHistory(folder, options.history);
  const { live, color, columns = 100, rows = 0 } = options;
  const log = createLog({ level: 'warn', destination: join(folder, 'demo.log') });
  await using stack = new AsyncDisposableStack();
  const stage = await setUpStage({ folder, env: demoEnvironment(), log, signal }, stack);
  const write = options.json ? () => undefined : options.write;
  const screen = createScreen(stage.leader, { live, color, columns, rows, write });
  screen.say(`A Leader and two Workers (ana, bo), each in a clone of its own, report on ${history.name}.\n`);

  // Whoever fails ends it for all; nobody is left at work when the nodes are stopped.
  const curtain = new AbortController();
  const either = AbortSignal.any([signal, curtain.signal]);
  const lead = async (): Promise<Outcome> => {
    const leader = createLeader({
      app: stage.leader,
      history,
      signal: either,
      say: (sentence) => screen.say(`  ${sentence}`),
      changed: (id) => screen.show(id),
    });
    const report = `release-${stamp}`;
    const made = await drawing(screen, report, () => runReport(leader, report));
    screen.settle();
    screen.say('\nA Loop polishes the report until the style check finds nothing.\n');
    const polish = `polish-${stamp}`;
    const polished = await drawing(screen, polish, () => runPolish(leader, polish, made[0] ?? ''));
    screen.settle();
    return outcomeOf(stage, [report, polish], [polished, ...made]);
  };
  const programs = [lead(), ...stage.workers.map((worker) => runWorker(worker, either))] as const;
  try {
    return await Promise.race(programs);
  } finally {
    curtain.abort();
    await Promise.allSettled(programs);
  }
}

/** Redraws while `work` goes on, so that what Workers do in between is seen. */
async function drawing<Value>(screen: Screen, projectId: string, work: () => Promise<Value>): Promise<Value> {
  const timer = setInterval(() => void screen.show(projectId).catch(() => undefined), REDRAW_MS);
  try {
    const value = await work();
    await screen.show(projectId);
    return value;
  } finally {
    clearInterval(timer);
  }
}

/** Read where the requester reads it, and looked at where the Leader has it. */
async function outcomeOf(stage: Stage, projects: readonly string[], paths: readonly string[]): Promise<Outcome> {
  const { leader } = stage;
  await leader.sync();
  const texts = textsOf(await call(leader, 'message', 'list', { roomId: REQUESTER_ROOM, limit: MESSAGES }));
  const reports = projects.map((id) => {
    const report = texts.findLast((text) => text.includes(id));
    if (report === undefined) throw new Error(`the requester has not been told of ${id}`);
    return report;
  });
  const deliverables = paths.map((path) => join(leader.root, path));
  const missing = deliverables.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`deliverables are missing: ${missing.map(pathFor).join(', ')}`);
  return { leader: leader.root, reports, deliverables };
}

function finish(options: DemoOptions, outcome: Outcome, folder: string, duration: number): void {
  const { leader, reports, deliverables } = outcome;
  const seconds = Number(duration.toFixed(1));
  if (options.json) {
    options.write(`${JSON.stringify({ ok: true, seconds, reports, deliverables, folder })}\n`);
    return;
  }
  const paths = deliverables.map((path) => `  ${pathFor(path)}`);
  options.write(`\nThe requester read in the Leader DM:\n\n${reports.map(printableLines).join('\n\n')}\n`);
  options.write(`\nDeliverables:\n${paths.join('\n')}\n`);
  options.write(`\nDone in ${seconds} s. The whole story: git -C ${pathFor(leader)} log --graph --oneline\n`);
}
