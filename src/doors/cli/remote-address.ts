import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** A remote as it is typed: what looks like a path is resolved here, where the caller's directory is known; URLs stay as they are. */
export function remoteOf(remote: string, cwd: string): string {
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(remote) || /^[^/\s]+@[^/\s]+:/.test(remote) || /^\w+::/.test(remote);
  if (isUrl || remote.startsWith('-')) return remote;
  const path = resolve(cwd, remote);
  return existsSync(path) || /^[./~]|\//.test(remote) || !remote.includes(':') ? path : remote;
}
