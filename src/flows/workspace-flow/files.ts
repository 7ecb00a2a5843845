import { z } from 'zod';
import type { Change } from '../../protocol/changes.ts';
import { FlowError } from '../../protocol/errors.ts';
import { mayWrite } from '../../protocol/ownership.ts';
import type { Actor, Role } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { ANYONE } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Facts, Settlement } from '../types.ts';
import { filesBelow, isExcluded, sharedPath } from './shared-path.ts';

const pathRequired = { error: 'path is required' };
const path = z.string(pathRequired).trim().min(1, pathRequired).describe('shared/… or global-shared/…');

/** Those who write files under `shared/`: all of them, each their own (protocol.md §2). */
const WRITERS: readonly Role[] = ANYONE;

/** protocol.md §10.19: fetches what the remote holds; in git that is always the whole tree, never a part of it. */
export const filesPull = defineOperation({
  name: 'files.pull',
  kind: 'query',
  roles: ANYONE,
  summary: 'Fetch the newest state of a shared file or folder.',
  input: z.object({ path }),
  fresh: 'required',
  facts: ['sync'],
  precheck({ view, input }) {
    sharedPath(view, input.path, 'pull');
  },
  run({ view, input, facts }) {
    const target = sharedPath(view, input.path, 'pull');
    if (!view.exists(target.path)) throw notFound(`path not found: ${target.path}`, 'look it up with list');
    return { changes: [], events: [], announcements: [], output: { ...shown(target), pulled: true, ...headOf(facts) } };
  },
});

interface PushOutput {
  readonly path: string;
  readonly kind: string;
  readonly localPath: string;
  readonly exclude: readonly string[];
  readonly pushed?: true;
  readonly commit?: string;
  readonly synced?: boolean;
  readonly remote?: null;
}

/** protocol.md §10.19: publishes what stands on disk under a path, as far as the actor owns it. */
export const filesPush = defineOperation({
  name: 'files.push',
  kind: 'command',
  roles: WRITERS,
  summary: 'Publish what you changed in a shared file or folder.',
  input: z.object({
    path,
    exclude: z.array(z.string(), { error: 'exclude must be a list' }).default([]).describe('names to leave out'),
  }),
  fresh: 'best-effort',
  facts: ['sync'],
  precheck({ view, input }) {
    const target = sharedPath(view, input.path, 'push');
    if (target.kind === 'global-shared') {
      throw new FlowError('not-owner', `global-shared is read-only: ${target.path}`, {
        remedy: 'push files under shared/ instead',
      });
    }
  },
  run({ view, input, actor, facts }) {
    const target = sharedPath(view, input.path, 'push');
    if (!view.exists(target.path)) {
      throw notFound(`local path not found: ${target.path}`, 'write it first, or push the folder that it was in');
    }
    const output: PushOutput = { ...shown(target), exclude: [...input.exclude], ...headOf(facts) };
    return { changes: adoptions(view, actor, target.path, input.exclude), events: [], announcements: [], output };
  },
  settle: (output: PushOutput, { synced, remote, commit }: Settlement): PushOutput => ({
    ...output,
    pushed: true,
    ...(commit === undefined ? {} : { commit }),
    ...(synced && !remote ? { synced, remote: null } : { synced }),
  }),
});

/** protocol.md §10.19. Whether something is there, and what. */
export const filesStat = defineOperation({
  name: 'files.stat',
  kind: 'query',
  roles: ANYONE,
  summary: 'Tell whether a shared file or folder exists.',
  input: z.object({ path }),
  fresh: 'best-effort',
  precheck({ view, input }) {
    sharedPath(view, input.path, 'stat');
  },
  run({ view, input }) {
    const target = sharedPath(view, input.path, 'stat');
    const directory = target.path.endsWith('/') || view.exists(`${target.path}/`);
    const exists = view.exists(target.path) || (directory && view.exists(`${target.path.replace(/\/$/, '')}/`));
    const text = directory ? undefined : view.text(target.path);
    return {
      changes: [],
      events: [],
      announcements: [],
      output: {
        ...shown(target),
        exists,
        ...(exists ? { type: directory ? 'directory' : 'file' } : {}),
        ...(text === undefined ? {} : { size: new TextEncoder().encode(text).length }),
      },
    };
  },
});

/** protocol.md §10.19. Names directly under a folder; folders end in `/`. */
export const filesList = defineOperation({
  name: 'files.list',
  kind: 'query',
  roles: ANYONE,
  summary: 'List the names in a shared folder.',
  input: z.object({ path }),
  fresh: 'best-effort',
  precheck({ view, input }) {
    sharedPath(view, input.path, 'list');
  },
  run({ view, input }) {
    const target = sharedPath(view, input.path, 'list');
    const name = target.path.slice(target.path.lastIndexOf('/') + 1);
    const entries = target.path.endsWith('/') ? view.list(target.path) : view.exists(target.path) ? [name] : [];
    return { changes: [], events: [], announcements: [], output: { ...shown(target), entries: [...entries] } };
  },
});

/** The commit that holds what is shared now; a push that finds nothing new names it too. */
function headOf({ sync }: Facts): { readonly commit?: string } {
  const head = sync?.['head'];
  return typeof head === 'string' && head !== '' ? { commit: head } : {};
}

interface Target {
  readonly path: string;
  readonly kind: 'shared' | 'global-shared';
}

/** Paths in answers are workspace-relative (protocol.md §18 item 11), so the local path is the path. */
function shown({ path: target, kind }: Target): {
  readonly path: string;
  readonly kind: string;
  readonly localPath: string;
} {
  return { path: target, kind, localPath: target };
}

/**
 * A folder is adopted as a whole, so that deletions travel too. Where something is left out that the actor could
 * push, its files are adopted one by one.
 */
function adoptions(view: WorkspaceView, actor: Actor, target: string, exclude: readonly string[]): readonly Change[] {
  const assigneeOf = (taskId: string): string | undefined => view.task(taskId)?.meta?.assigned_to;
  const files = target.endsWith('/') ? filesBelow(view, target) : [target];
  const own = files.filter((file) => mayWrite(actor, file, assigneeOf).allowed);
  if (own.length === 0 && files.length > 0) {
    const verdict = mayWrite(actor, files[0] ?? target, assigneeOf);
    const owner = verdict.allowed ? 'another actor' : verdict.owner;
    const reason = verdict.allowed ? 'not yours' : verdict.reason;
    throw new FlowError('not-owner', `${target} belongs to the ${owner}: ${reason}`, {
      remedy: `ask the ${owner} to push it`,
    });
  }
  const left = own.filter((file) => !isExcluded(target, file, exclude));
  if (target.endsWith('/') && left.length === own.length && mayWrite(actor, target, assigneeOf).allowed) {
    return [{ kind: 'adopt', path: target }];
  }
  return left.map((file) => ({ kind: 'adopt', path: file }));
}

function notFound(message: string, remedy: string): FlowError {
  return new FlowError('not-found', message, { remedy });
}
