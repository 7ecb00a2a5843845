import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PORTS: Readonly<Record<string, string>> = { ssh: '22', git: '9418', http: '80', https: '443' };

/**
 * One name for all spellings of a remote, for nodes of one machine to meet under: 32 hexadecimal digits that give away
 * neither the address nor what was written into it to log in. `root` is what a relative path begins at.
 */
export function remoteKey(remote: string, root: string): string {
  return createHash('sha256').update(plainAddress(remote, root)).digest('hex').slice(0, 32);
}

/** Host, port and path; who logs in and by which transport makes no difference. */
function plainAddress(remote: string, root: string): string {
  const url = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/]*@)?([^/]*)(.*)$/i.exec(remote);
  const scheme = url?.[1]?.toLowerCase();
  if (url !== null && scheme !== 'file') {
    const host = (url[2] ?? '')
      .toLowerCase()
      .replace(/:(\d*)$/, (all, port: string) => (port === '' || port === PORTS[scheme ?? ''] ? '' : all));
    return `${host}/${plainPath(url[3] ?? '')}`;
  }
  // `host:path` is an address of ssh, unless a slash comes before the colon.
  const short = /^(?:[^/@]*@)?([^/:]+):(?!\/\/)(.*)$/.exec(remote);
  if (url === null && short !== null) return `${(short[1] ?? '').toLowerCase()}/${plainPath(short[2] ?? '')}`;
  return `file/${plainPath(realPath(remote, root))}`;
}

function plainPath(path: string): string {
  return path.replace(/^\/+|\/+$/g, '').replace(/(?:\/\.git|\.git)$/, '');
}

function realPath(remote: string, root: string): string {
  const path = remote.startsWith('file://') ? fromUrl(remote) : resolve(root, remote);
  for (const candidate of [path, `${path}.git`]) {
    try {
      return realpathSync(candidate);
    } catch {
      // Not there under this name, or not yet: then the path as it is written has to do.
    }
  }
  return path;
}

function fromUrl(remote: string): string {
  try {
    return fileURLToPath(remote);
  } catch {
    return remote;
  }
}
