import { rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { DemoOptions } from '../app-types.ts';
import { createLog } from '../adapters/log.ts';
import { call } from './calls.ts';
import { currentRevision } from './history.ts';
import { runPolish, runReport } from './leader.ts';
import type { LeaderOptions } from './leader.ts';
import { createScreen } from './screen.ts';
import type { Screen } from './screen.ts';
import { findHistory, setUpStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { runWorker } from './worker.ts';

/** A demo that has not ended by then is stuck, and says so instead of hanging. */
const LIMIT_MS = 180_000;
const REDRAW_MS = 300;

/** Plays the demo in a folder of its own; resolves with the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const started = Date.now();
  const folder = resolve(options.dir ?? join('.baton', 'demo'));
  await rm(folder, { recursive: true, force: true });
  const log = createLog({ level: 'warn', destination: join(folder, 'demo.log') });
  const stage = await setUpStage(folder, log);
  const ending = new AbortController();
  const timeout = setTimeout(() => ending.abort(new Error('the demo did not end in time; see demo.log')), LIMIT_MS);
  try {
    const screen = createScreen(stage.leader, { live: options.live, color: options.color, write: options.write });
    const outcome = await play(stage, screen, ending.signal, started);
    finish(options, stage, outcome, started);
    return 0;
  } finally {
    clearTimeout(timeout);
    ending.abort();
    await stage.stop();
  }
}

interface Outcome {
  readonly reports: readonly string[];
  readonly deliverables: readonly string[];
}

async function play(stage: Stage, screen: Screen, signal: AbortSignal, started: number): Promise<Outcome> {
  const { repository, name } = findHistory(stage.folder);
  const revision = await currentRevision(repository);
  screen.say(`A Leader and two Workers (ana, bo), each in a clone of its own, report on ${name}.\n`);
  const programs = Object.values(stage.workers).map((node) => runWorker(node, signal));
  const stamp = new Date(started).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const answered = new Set<string>();
  const optionsFor = (projectId: string): LeaderOptions => ({
    app: stage.leader,
    repository,
    revision,
    projectId,
    teamRoom: 'room:!team:local',
    signal,
    answered,
    say: (sentence) => screen.say(`  ${sentence}`),
    changed: (id) => screen.show(id),
  });

  const leader = async (): Promise<readonly string[]> => {
    const deliverables = await drawing(screen, `release-${stamp}`, () => runReport(optionsFor(`release-${stamp}`)));
    screen.say('\nA Loop polishes the report until the style check finds nothing.\n');
    const [report = ''] = deliverables;
    const polished = await drawing(screen, `polish-${stamp}`, () => runPolish(optionsFor(`polish-${stamp}`), report));
    return [...polished, ...deliverables];
  };
  // A Worker program ends only when it is told to or fails; its failure ends the demo.
  const deliverables = await Promise.race([leader(), ...programs.map((program) => program.then(() => leaderGone()))]);
  return { deliverables, reports: await lastReports(stage, [`release-${stamp}`, `polish-${stamp}`]) };
}

function leaderGone(): never {
  throw new Error('a Worker program ended before the Leader did');
}

/** Redraws while `work` goes on, so that what Workers do in between is seen. */
async function drawing<Value>(screen: Screen, projectId: string, work: () => Promise<Value>): Promise<Value> {
  const timer = setInterval(() => void screen.show(projectId).catch(() => undefined), REDRAW_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await screen.show(projectId);
  }
}

/** What the requester has been told, read where the requester reads it: in the Leader DM. */
async function lastReports(stage: Stage, projectIds: readonly string[]): Promise<readonly string[]> {
  await stage.leader.sync();
  const inbox = await call(stage.leader, 'node', 'inbox', { roomId: '!leader-dm:local', limit: 500 });
  const texts = (inbox['messages'] as readonly { text: string }[]).map(({ text }) => text);
  return projectIds.flatMap((id) => texts.findLast((text) => text.includes(id)) ?? []);
}

function finish(options: DemoOptions, stage: Stage, { reports, deliverables }: Outcome, started: number): void {
  const place = relative(process.cwd(), stage.leader.root) || '.';
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (options.json) {
    const paths = deliverables.map((path) => join(stage.leader.root, path));
    options.write(
      `${JSON.stringify({ ok: true, seconds: Number(seconds), reports, deliverables: paths, folder: stage.folder })}\n`,
    );
    return;
  }
  options.write(`\nThe requester read in the Leader DM:\n\n${reports.join('\n\n')}\n`);
  options.write(`\nDeliverables:\n${deliverables.map((path) => `  ${join(place, path)}`).join('\n')}\n`);
  options.write(`\nDone in ${seconds} s. The whole story: git -C ${place} log --graph --oneline\n`);
}
