import { join, resolve } from 'node:path';
import type { DemoOptions } from '../app-types.ts';
import { systemClock } from '../adapters/clock.ts';
import { createLog } from '../adapters/log.ts';
import { FlowError, toFlowError } from '../protocol/errors.ts';
import { demoEnvironment } from './environment.ts';
import { pathFor, takeFolder } from './folder.ts';
import { findHistory } from './history.ts';
import type { History } from './history.ts';
import { LOCAL_HOUSE } from './house.ts';
import type { House, Login } from './house.ts';
import { createLeader } from './leader.ts';
import { openMatrixHouse } from './matrix-house.ts';
import { finish, readOutcome } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { runPolish } from './polish-project.ts';
import { runReport } from './report-project.ts';
import { createScreen } from './screen.ts';
import type { Screen } from './screen.ts';
import { MEMBERS, setUpStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { runWorker } from './worker.ts';

/** A demo that has not ended by then is stuck, and says so instead of hanging. */
const LIMIT_MS = 300_000;
/** On a homeserver it ends when everything was said, which its limits make slow. */
const MATRIX_LIMIT_MS = 600_000;
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
  const folder = resolve(options.dir ?? join('.baton', 'demo'));
  const lock = takeFolder(folder, systemClock.now());
  const ending = new AbortController();
  const interrupt = onInterrupt((signal) => ending.abort(new Error(signal)));
  try {
    await inFolder(folder, options, ending);
    return 0;
  } catch (error) {
    const signal = interrupt.heard();
    if (signal === undefined) throw failure(error, folder);
    const stopped = `stopped by ${signal}; what was made so far is in ${pathFor(folder)}`;
    options.write(options.json ? `${JSON.stringify({ ok: false, error: stopped, folder })}\n` : `\n${stopped}\n`);
    return SIGNALS.get(signal) ?? 1;
  } finally {
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

/** All that the demo starts is stopped when this settles. */
async function inFolder(folder: string, options: DemoOptions, ending: AbortController): Promise<void> {
  const started = systemClock.millis();
  const history = await findHistory(folder, options.history);
  const { signal } = ending;
  const { live, color, columns = 100, rows = 0, json, once, matrix } = options;
  const write = json ? () => undefined : options.write;
  const log = createLog({ level: 'warn', destination: join(folder, 'demo.log') });
  await using stack = new AsyncDisposableStack();
  const limit = matrix ? MATRIX_LIMIT_MS : LIMIT_MS;
  const timeout = setTimeout(() => ending.abort(new Error('it did not end in time')), limit);
  stack.defer(() => clearTimeout(timeout));
  const house: House & { readonly login?: Login } = matrix
    ? await openMatrixHouse({ members: MEMBERS, signal, say: (sentence) => write(`${sentence}\n`) }, stack)
    : LOCAL_HOUSE;
  const stage = await setUpStage({ folder, house, env: demoEnvironment(), log, signal }, stack);
  const screen = createScreen(stage.leader, { live, color, columns, rows, write });
  screen.say(`A Leader and two Workers (ana, bo), each in a clone of its own, report on ${history.name}.`);
  screen.say(house.login === undefined ? '' : `${invitation(house.login)}\n`);

  const outcome = await play(stage, history, screen, signal);
  clearTimeout(timeout);
  finish(options, outcome, folder, (systemClock.millis() - started) / 1000);
  if (house.login === undefined || once) return;
  write(`\nIt stays up until Ctrl-C. ${invitation(house.login)}\n`);
  await aborted(signal);
}

function invitation({ homeserver, userId, password }: Login): string {
  return `They talk on ${homeserver}: look in with Element as ${userId}, password ${password}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}

/** Both projects, by the programs of the three. Whoever fails ends it for all; nobody is left at work then. */
async function play(stage: Stage, history: History, screen: Screen, signal: AbortSignal): Promise<Outcome> {
  const { rooms, workers } = stage;
  const curtain = new AbortController();
  const either = AbortSignal.any([signal, curtain.signal]);
  const stamp = systemClock.localStamp();
  const lead = async (): Promise<Outcome> => {
    const leader = createLeader({
      app: stage.leader,
      team: {
        room: rooms.team,
        pace: rooms.pace,
        workers: { ana: workers.ana.identity, bo: workers.bo.identity },
      },
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
    if (rooms.login !== undefined)
      screen.say('\nThe work is done; the rooms hear of it as fast as the homeserver takes messages.');
    const told = { projects: [report, polish], tasks: leader.delegated };
    return readOutcome(stage, told, [polished, ...made], either);
  };
  const programs = [lead(), ...Object.values(workers).map((worker) => runWorker(worker, either))] as const;
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
