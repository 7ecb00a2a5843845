import { FlowError } from '../../protocol/errors.ts';
import { isReservedPath } from '../../protocol/names.ts';
import { requireSharedPath } from '../../protocol/paths.ts';
import type { WorkspaceView } from '../../protocol/view.ts';

export interface SharedPath {
  /** Ends in `/` when a folder is meant. */
  readonly path: string;
  readonly kind: 'shared' | 'global-shared';
}

const ENTITY = /^(?:global-)?shared\/(?:projects|tasks)\/[^/]+$/;

/**
 * The path that a filesync action means (protocol.md §10.19): a project or task named without its trailing slash is
 * its folder, and so is what the tree shows to be one. `stat` takes the path as it is. Throws `invalid-argument`.
 */
export function sharedPath(view: WorkspaceView, given: string, action: 'pull' | 'push' | 'stat' | 'list'): SharedPath {
  requireSharedPath(given);
  if (isReservedPath(given.replace(/\/$/, ''))) {
    throw new FlowError('invalid-argument', `path holds a name that git or a file system keeps for itself: ${given}`, {
      remedy: 'give the path of a file that any file system can hold',
    });
  }
  const kind = given.startsWith('global-shared/') ? 'global-shared' : 'shared';
  if (action === 'stat' || given.endsWith('/')) return { path: given, kind };
  const isFolder = ENTITY.test(given) || (!view.exists(given) && view.exists(`${given}/`));
  return { path: isFolder ? `${given}/` : given, kind };
}

/** Every file below a folder, sorted. Throws `invalid-argument` for a folder without end. */
export function filesBelow(view: WorkspaceView, directory: string): readonly string[] {
  const files: string[] = [];
  const open = [directory];
  for (let current = open.pop(); current !== undefined; current = open.pop()) {
    for (const name of view.list(current)) {
      const path = `${current}${name}`;
      if (name.endsWith('/')) open.push(path);
      else files.push(path);
    }
    if (files.length > 100_000) {
      throw new FlowError('invalid-argument', `too many files under ${directory}`, {
        remedy: 'push its folders one by one',
      });
    }
  }
  return files.sort();
}

/** `exclude` names files, or folders with a trailing slash, relative to the pushed folder; `*` matches within a name. */
export function isExcluded(directory: string, file: string, exclude: readonly string[]): boolean {
  const relative = file.slice(directory.length);
  return exclude.some((pattern) => {
    const name = pattern.replace(/\/\**$/, '');
    const matcher = new RegExp(`^${name.split('*').map(escape).join('[^/]*')}(?:/|$)`);
    return name !== '' && matcher.test(relative);
  });
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
