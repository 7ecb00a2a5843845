import { join } from 'node:path';
import type { RunningNode } from '../app-types.ts';
import { initWorkspace, startNode } from '../app.ts';
import type { Log } from '../ports.ts';
import type { House, Rooms } from './house.ts';

/** The demo's team by the names that its script has for them. */
export const MEMBERS = ['lead', 'ana', 'bo'] as const;

/** A Leader and two Workers, each a running node in a clone of its own, around one bare remote, with rooms to talk in. */
export interface Stage {
  readonly leader: RunningNode;
  readonly workers: Readonly<Record<'ana' | 'bo', RunningNode>>;
  readonly rooms: Rooms;
}

interface StageOptions {
  readonly folder: string;
  readonly house: House;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Builds the stage in `folder`. What is started is registered on `stack`, whose disposal stops it. */
export async function setUpStage(options: StageOptions, stack: AsyncDisposableStack): Promise<Stage> {
  const { folder, house, env, log, signal } = options;
  const remote = join(folder, 'remote.git');
  const enter = async (name: string, role: 'leader' | 'worker'): Promise<RunningNode> => {
    signal.throwIfAborted();
    const dir = join(folder, name);
    const { root } = await initWorkspace({ dir, env, role, as: house.idOf(name), remote, team: 'demo' });
    house.furnish(name, root);
    signal.throwIfAborted();
    // So that the history tells who did what, whoever runs the demo.
    const author = { BATON_GIT_AUTHOR_NAME: name, BATON_GIT_AUTHOR_EMAIL: `${name}@local` };
    const node = await startNode({ root, env: { ...env, ...author, ...house.envOf(name) }, log });
    stack.defer(() => node.stop().catch((error: unknown) => log.error({ name, error }, 'did not stop in order')));
    return node;
  };
  const leader = await enter('lead', 'leader');
  const workers = { ana: await enter('ana', 'worker'), bo: await enter('bo', 'worker') };
  return { leader, workers, rooms: await house.gather(leader) };
}
