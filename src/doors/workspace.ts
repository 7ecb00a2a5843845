import { chmodSync, existsSync, lstatSync, realpathSync, unlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FlowError } from '../protocol/errors.ts';

/** The nearest directory at or above `start` that holds `baton.json`; the real path, so that two spellings are one workspace. */
function findWorkspace(start: string): string | undefined {
  for (let directory = resolve(start); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'baton.json'))) return realpathSync(directory);
    if (dirname(directory) === directory) return undefined;
  }
}

/** As `findWorkspace`, for callers that cannot do without one. Throws `no-workspace`. */
export function requireWorkspace(start: string): string {
  const found = findWorkspace(start);
  if (found !== undefined) return found;
  throw new FlowError('no-workspace', `no baton.json in ${start} or any directory above it`, {
    remedy: 'make a workspace here with `baton init`, or name one with --workspace DIR',
  });
}

/** Bytes that a local socket's path may have, without the closing NUL. */
const MAX_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107;

/** Where the node of this workspace listens: `BATON_SOCKET`, else `.baton/node.sock`. Throws `bad-workspace` when that is too long. */
export function socketPath(root: string, env: NodeJS.ProcessEnv): string {
  const chosen = env['BATON_SOCKET'];
  const path = chosen === undefined || chosen === '' ? join(root, '.baton', 'node.sock') : resolve(chosen);
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH) return path;
  throw new FlowError(
    'bad-workspace',
    `the path of the node's local socket has ${bytes} bytes and the system allows ${MAX_SOCKET_PATH}: the workspace lies too deep`,
    {
      remedy:
        'set BATON_SOCKET=/short/path (for every command of this workspace), or move the workspace to a shorter path',
    },
  );
}

/**
 * Removes the socket file that a killed node left behind. Only for the holder of the workspace's lock, after nothing
 * answered on it. A file that is no socket is left alone: listening then fails with its own message.
 */
export function clearStaleSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() === true) unlinkSync(path);
}

/** Takes from everybody but the owner the right to connect. */
export function keepToOwner(path: string): void {
  chmodSync(path, 0o600);
}
