import { join } from 'node:path';
import { createLocalChat } from './adapters/local-chat.ts';
import type { BatonConfig } from './config.ts';
import type { Clock, WorkTree } from './ports.ts';
import type { Chat } from './ports-chat.ts';
import type { Secrets } from './protocol/secrets/known.ts';

export interface ChatRequest {
  readonly config: BatonConfig;
  readonly root: string;
  /** The workspace's `.baton`. */
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly workTree: WorkTree;
  /** Learns tokens and passwords as they are read and given. */
  readonly secrets: Secrets;
  /** Called when what is owed to a room may be tried again. */
  readonly onReady: () => void;
}

/**
 * The configured homeserver, else the local room log (interface.md §7). Throws `bad-config` for a token that is named
 * and not there; without one the chat says what is missing once it is used, since work does not wait for it.
 */
export async function openChat(request: ChatRequest): Promise<Chat> {
  const { config, root, state, env, clock, workTree, secrets, onReady } = request;
  const { matrixUserId: self } = config.identity;
  if (config.matrix === undefined) {
    const members = (): readonly string[] => {
      const agents = workTree.view().agents();
      return [self, ...agents.flatMap(({ matrix_user_id }) => matrix_user_id ?? [])];
    };
    return createLocalChat({ dir: join(state, 'rooms'), self, clock, members });
  }
  // The SDK is large, and most commands start without it.
  const { createMatrixChat, readAccessToken, readPassword, sessionStore } = await import('./adapters/matrix/main.ts');
  const { matrix } = config;
  const { homeserver, deviceId } = matrix;
  const device = deviceId === undefined ? {} : { deviceId };
  const place = { root, env };
  const learned = <Value extends string | undefined>(value: Value): Value => {
    secrets.learn(value);
    return value;
  };
  const store = sessionStore(sessionFile(state), { homeserver, self });
  return createMatrixChat({
    homeserver,
    // What a person names comes first, then the session of an earlier login, then a login.
    ...(namesToken(matrix)
      ? { accessToken: learned(readAccessToken(matrix, place)) }
      : {
          session: {
            store: {
              ...store,
              read() {
                const session = store.read();
                learned(session?.accessToken);
                return session;
              },
              write(session) {
                learned(session.accessToken);
                store.write(session);
              },
            },
            password: () => learned(readPassword(matrix, place)),
            ...device,
          },
        }),
    ...device,
    self,
    dir: join(state, 'matrix'),
    clock,
    onReady,
  });
}

export function namesToken({ accessTokenEnv, accessTokenFile }: NonNullable<BatonConfig['matrix']>): boolean {
  return accessTokenEnv !== undefined || accessTokenFile !== undefined;
}

/** Where a login is kept, in the workspace's `.baton`. */
export function sessionFile(state: string): string {
  return join(state, 'matrix', 'session.json');
}
