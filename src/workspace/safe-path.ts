import { lstatSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { FlowError } from '../protocol/errors.ts';

/**
 * The absolute path of `path` in the workspace. Throws `invalid-argument` for anything that is not a plain relative
 * path inside it, and for the directories that git and the node keep for themselves.
 */
export function resolveInside(root: string, path: string): string {
  if (isInside(path)) return `${root}/${withoutEnd(path)}`;
  throw new FlowError('invalid-argument', `${JSON.stringify(path)} is not a path of the workspace's files`, {
    remedy: 'give a relative path with forward slashes, without . or .. and outside .git and .baton',
  });
}

/** Whether a path is a plain relative one inside the workspace, and not of the directories that git and the node keep. */
export function isInside(path: string): boolean {
  return !OUTSIDE.test(withoutEnd(path));
}

/** Empty names, steps aside, what is git's or the node's own, and what no file system takes as a name everywhere. */
const OUTSIDE = /(?:^|\/)(?:\.{0,2}|\.git)(?:\/|$)|^\.baton(?:\/|$)|[\\\0]/i;

const withoutEnd = (path: string): string => (path.endsWith('/') ? path.slice(0, -1) : path);

/** What stands at an absolute path, links not followed; `undefined` when nothing can. Other failures are thrown. */
export function look(absolute: string): BigIntStats | undefined {
  try {
    return lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}

/**
 * The first symbolic link among the directories above `path`, workspace-relative; `undefined` when there is none.
 * Directories in `plain` were looked at a moment ago; those that are none are added.
 */
export function linkAbove(root: string, path: string, plain?: Set<string>): string | undefined {
  const segments = path.split('/').slice(0, path.endsWith('/') ? -2 : -1);
  let directory = '';
  for (const segment of segments) {
    directory = directory === '' ? segment : `${directory}/${segment}`;
    if (plain?.has(directory) === true) continue;
    const found = look(`${root}/${directory}`);
    if (found === undefined) return undefined;
    if (found.isSymbolicLink()) return directory;
    plain?.add(directory);
  }
  return undefined;
}

/**
 * What stands at `path`. Throws `bad-workspace` when that is a symbolic link or lies behind one: files come from others and may
 * point anywhere.
 */
export function refuseLinks(root: string, path: string, plain?: Set<string>): BigIntStats | undefined {
  const above = linkAbove(root, path, plain);
  const itself = path.endsWith('/') ? path.slice(0, -1) : path;
  const found = above === undefined ? look(join(root, itself)) : undefined;
  const link = path !== '' && found?.isSymbolicLink() === true ? itself : above;
  if (link === undefined) return found;
  throw new FlowError('bad-workspace', `${link} is a symbolic link, and Baton follows none`, {
    remedy: `replace ${link} by a plain file or directory`,
  });
}

/** Marks files that are being written; nobody reads, lists, watches or commits them. */
export const TEMP_PREFIX = '.baton-tmp-';
