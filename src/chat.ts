import { join } from 'node:path';
import { createLocalChat } from './adapters/local-chat.ts';
import type { BatonConfig } from './config.ts';
import type { Chat, Clock, WorkTree } from './ports.ts';

export interface ChatRequest {
  readonly config: BatonConfig;
  readonly root: string;
  /** The workspace's `.baton`. */
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly workTree: WorkTree;
  /** Called when what is owed to a room may be tried again. */
  readonly onReady: () => void;
}

/** The configured homeserver, else the local room log (interface.md §7). Throws `bad-config` when there is no token. */
export async function openChat(request: ChatRequest): Promise<Chat> {
  const { config, root, state, env, clock, workTree, onReady } = request;
  const { matrixUserId: self } = config.identity;
  if (config.matrix === undefined) {
    const members = (): readonly string[] => {
      const agents = workTree.view().agents();
      return [self, ...agents.flatMap(({ matrix_user_id }) => matrix_user_id ?? [])];
    };
    return createLocalChat({ dir: join(state, 'rooms'), self, clock, members });
  }
  // The SDK is large, and most commands start without it.
  const { createMatrixChat, readAccessToken } = await import('./adapters/matrix/main.ts');
  const { homeserver, deviceId } = config.matrix;
  return createMatrixChat({
    homeserver,
    accessToken: readAccessToken(config.matrix, { root, env }),
    ...(deviceId === undefined ? {} : { deviceId }),
    self,
    dir: join(state, 'matrix'),
    clock,
    onReady,
  });
}
