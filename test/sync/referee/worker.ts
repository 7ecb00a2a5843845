import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { git } from '../../support/git.ts';
import { openParts } from '../../support/parts.ts';
import type { Parts } from '../../support/parts.ts';
import { newerPath } from './lane.ts';
import type { Outcome, Stage } from './stage.ts';

/** What the node of a lane's own Worker comes to with its next pull, while newer honest work waits on the lane. */
export interface AtWorkers {
  /** How its tree differs from main's, as `git diff --name-status` says it. */
  readonly differs: string;
  /** What its files differ in from its own commit. */
  readonly unclean: string;
  /** What its room log says of refusals. */
  readonly told: readonly string[];
}

/** The Worker's node in one clone that serves all lanes in turn, and that stands at a commit. */
async function openWorker({ folder, remote }: Stage, { own, branch }: Outcome, commit: string): Promise<Parts> {
  const dir = join(folder, 'worker');
  const settings = join(dir, 'baton.json');
  if (!existsSync(settings))
    await (await openParts({ dir, role: 'worker', as: 'visitor', remote, kept: true })).close();
  rmSync(join(dir, '.baton'), { recursive: true, force: true });
  writeFileSync(settings, JSON.stringify({ identity: { localpart: own.me, role: 'worker' }, git: { remote } }));
  git(dir, 'update-ref', `refs/heads/${branch}`, commit);
  git(dir, 'symbolic-ref', 'HEAD', `refs/heads/${branch}`);
  git(dir, 'reset', '-q', '--hard', commit);
  return openParts({ dir, role: 'worker', as: own.me, remote });
}

/** What the Worker's node comes to that stood where the lane begins, or at another commit; the lane was pushed from another clone. */
export async function pullAsWorker(stage: Stage, outcome: Outcome, at = outcome.begins): Promise<AtWorkers> {
  const worker = await openWorker(stage, outcome, at);
  const { dir } = worker;
  await worker.sync.pull();
  await worker.settle();
  const told = worker.said("'s lane");
  await worker.sync.pull();
  await worker.settle();
  const seen = {
    differs: git(dir, 'diff', '--name-status', 'origin/main', 'HEAD'),
    unclean: git(dir, '-c', 'core.fileMode=false', 'status', '--porcelain'),
    told: worker.said("'s lane").length === told.length ? told : ['told twice'],
  };
  await worker.close();
  return seen;
}

/** Why the Worker's node refuses to pull that stood at this commit, and what the pull has changed in its clone. */
export async function refusalOfPull(
  stage: Stage,
  outcome: Outcome,
  at: string,
): Promise<{ readonly refusal: unknown; readonly changed: string }> {
  const worker = await openWorker(stage, outcome, at);
  const refusal = await worker.sync.pull().catch((error: unknown) => error);
  await worker.close();
  return { refusal, changed: git(worker.dir, 'diff', '--name-status', at) };
}

export const onlyNewer = (outcome: Outcome): string => `A\t${newerPath(outcome.own)}`;
