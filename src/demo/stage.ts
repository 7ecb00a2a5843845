import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App, RunningNode } from '../app-types.ts';
import { initWorkspace, startNode } from '../app.ts';
import type { Log } from '../ports.ts';

/** A Leader and two Workers, each a running node in a clone of its own, around one bare remote. */
export interface Stage {
  readonly folder: string;
  readonly leader: RunningNode;
  readonly workers: Readonly<Record<'ana' | 'bo', RunningNode>>;
  readonly apps: readonly App[];
  stop(): Promise<void>;
}

/** Builds the stage in `folder`, which must not exist yet. */
export async function setUpStage(folder: string, log: Log): Promise<Stage> {
  mkdirSync(folder, { recursive: true });
  const remote = join(folder, 'remote.git');
  const env = demoEnvironment();
  const nodes: RunningNode[] = [];
  const join_ = async (name: string, role: 'leader' | 'worker'): Promise<RunningNode> => {
    const { root } = await initWorkspace({ dir: join(folder, name), env, role, as: name, remote, team: 'demo' });
    const node = await startNode({ root, env, log });
    nodes.push(node);
    return node;
  };
  const stop = async (): Promise<void> => {
    for (const node of nodes.toReversed()) await node.stop();
  };
  try {
    const leader = await join_('lead', 'leader');
    const workers = { ana: await join_('ana', 'worker'), bo: await join_('bo', 'worker') };
    return { folder, leader, workers, apps: nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The demo is the same whatever the caller has configured: only what processes need is passed on. */
function demoEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(BATON_|AGENTTEAMS_|GIT_)/.test(name));
  return Object.fromEntries(kept);
}

/** Fewer commits than this make a report that shows nothing. */
const ENOUGH_COMMITS = 12;

/**
 * The history that the demo reports about: the checkout's own, or the small repository that comes with the package
 * where there is no checkout or too short a history.
 */
export function findHistory(folder: string): { readonly repository: string; readonly name: string } {
  const home = packageRoot();
  if (existsSync(join(home, '.git')) && commitCount(home) >= ENOUGH_COMMITS) {
    return { repository: home, name: "this checkout's own history" };
  }
  const repository = join(folder, 'history');
  execFileSync('git', ['clone', '--quiet', join(home, 'fixtures', 'demo', 'history.bundle'), repository], {
    stdio: 'ignore',
  });
  return { repository, name: 'the small history that comes with Baton' };
}

function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = resolve(directory, '..');
  return directory;
}

function commitCount(repository: string): number {
  try {
    return Number(
      execFileSync('git', ['-C', repository, 'rev-list', '--count', '--no-merges', 'HEAD'], { stdio: 'pipe' }),
    );
  } catch {
    // No commit yet, or not this user's repository: the bundled history serves as well.
    return 0;
  }
}
