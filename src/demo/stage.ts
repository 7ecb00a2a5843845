import { join } from 'node:path';
import type { RunningNode } from '../app-types.ts';
import { initWorkspace, startNode } from '../app.ts';
import type { Log } from '../ports.ts';

/** A Leader and two Workers, each a running node in a clone of its own, around one bare remote. */
export interface Stage {
  readonly leader: RunningNode;
  readonly workers: readonly RunningNode[];
}

interface StageOptions {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Builds the stage in `folder`. What is started is registered on `stack`, whose disposal stops it. */
export async function setUpStage(options: StageOptions, stack: AsyncDisposableStack): Promise<Stage> {
  const { folder, env, log, signal } = options;
  const remote = join(folder, 'remote.git');
  const enter = async (name: string, role: 'leader' | 'worker'): Promise<RunningNode> => {
    signal.throwIfAborted();
    const { root } = await initWorkspace({ dir: join(folder, name), env, role, as: name, remote, team: 'demo' });
    signal.throwIfAborted();
    // So that the history tells who did what, whoever runs the demo.
    const author = { BATON_GIT_AUTHOR_NAME: name, BATON_GIT_AUTHOR_EMAIL: `${name}@local` };
    const node = await startNode({ root, env: { ...env, ...author }, log });
    stack.defer(() => node.stop().catch((error: unknown) => log.error({ name, error }, 'did not stop in order')));
    return node;
  };
  const leader = await enter('lead', 'leader');
  const workers = [await enter('ana', 'worker'), await enter('bo', 'worker')];
  return { leader, workers };
}
