import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { git } from '../../support/git.ts';
import { openParts } from '../../support/parts.ts';
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

/** Opens the Worker's node in one clone that serves all lanes in turn. */
export async function pullAsWorker({ folder, remote, base }: Stage, { own, branch }: Outcome): Promise<AtWorkers> {
  const dir = join(folder, 'worker');
  const settings = join(dir, 'baton.json');
  if (!existsSync(settings))
    await (await openParts({ dir, role: 'worker', as: 'visitor', remote, kept: true })).close();
  // Back to where the lane began, as if this clone had been away since; the lane itself was pushed from another.
  rmSync(join(dir, '.baton'), { recursive: true, force: true });
  writeFileSync(settings, JSON.stringify({ identity: { localpart: own.me, role: 'worker' }, git: { remote } }));
  git(dir, 'update-ref', `refs/heads/${branch}`, base);
  git(dir, 'symbolic-ref', 'HEAD', `refs/heads/${branch}`);
  git(dir, 'reset', '-q', '--hard', base);
  const worker = await openParts({ dir, role: 'worker', as: own.me, remote });
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

export const onlyNewer = (outcome: Outcome): string => `A\t${newerPath(outcome.own)}`;
