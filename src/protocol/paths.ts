import { createHash } from 'node:crypto';
import { FlowError } from './errors.ts';
import { MAX_ID, isReadableId } from './ids.ts';
import { decodeName, encodeName, isReservedName, steersGit } from './names.ts';
import { parseTime, stampOf } from './timestamps.ts';

export const TEAM_PATH = 'shared/team.json';

/** What is wrong with a shared path, in the words of protocol.md §1.5; `undefined` when it is fine. */
function sharedPathProblem(path: string): string | undefined {
  if (path === '' || path.startsWith('/') || /[\\\p{Cc}]/u.test(path)) return 'must be a relative shared path';
  const segments = path.replace(/\/$/, '').split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return 'must be a relative shared path and must not contain empty, . or .. segments';
  }
  return /^(?:global-)?shared\//.test(path) ? undefined : 'must start with shared/ or global-shared/';
}

/**
 * A workspace-relative POSIX path of a file or (ending in `/`) a directory below `shared/` or `global-shared/`
 * (protocol.md §1.5). Throws `invalid-argument`.
 */
export function requireSharedPath(path: string): string {
  const problem = sharedPathProblem(path);
  if (problem === undefined) return path;
  throw new FlowError('invalid-argument', `path ${problem}: ${path.replace(/\p{Cc}/gu, '\u{FFFD}')}`, {
    remedy: 'give a path such as shared/tasks/<task-id>/result.md',
  });
}

export function isSharedPath(path: string): boolean {
  return sharedPathProblem(path) === undefined;
}

export interface ProjectPaths {
  readonly dir: string;
  readonly meta: string;
  readonly plan: string;
  readonly result: string;
}

/** protocol.md §2; `dir` ends in `/`. */
export function projectPaths(id: string): ProjectPaths {
  const dir = `shared/projects/${id}/`;
  return { dir, meta: `${dir}meta.json`, plan: `${dir}plan.md`, result: `${dir}result.md` };
}

export interface TaskPaths {
  readonly dir: string;
  readonly meta: string;
  readonly spec: string;
  readonly result: string;
  readonly base: string;
  readonly workspace: string;
  readonly progress: string;
}

/** protocol.md §2; directories end in `/`. */
export function taskPaths(id: string): TaskPaths {
  const dir = `shared/tasks/${id}/`;
  return {
    dir,
    meta: `${dir}meta.json`,
    spec: `${dir}spec.md`,
    result: `${dir}result.md`,
    base: `${dir}base/`,
    workspace: `${dir}workspace/`,
    progress: `${dir}progress/`,
  };
}

/**
 * Where a result is kept that came after its task had been given to somebody else (docs/sync.md); ends in `/`. `undefined`
 * for the name of a submission in which there is no letter or digit.
 */
export function lateResultDir(taskId: string, localpart: string, submissionId: string): string | undefined {
  const mark = submissionId.replace(/[^A-Za-z0-9]/g, '').slice(0, 8);
  return mark === '' ? undefined : `${taskPaths(taskId).dir}late/${encodeName(localpart)}-${mark}/`;
}

/** The record of an agent; what a file name may not hold in a localpart is percent-encoded. */
export function agentPath(id: string): string {
  return `shared/agents/${encodeName(id)}.json`;
}

/** Where the bindings of task rooms lie. */
export const ROOM_BINDINGS = 'shared/roomflow/project-rooms/';

/** The file that names the room of a project (protocol.md §10.21); the hash keeps ids apart on every file system. */
export function roomBindingPath(projectId: string): string {
  const digest = createHash('sha256').update(projectId, 'utf8').digest('hex');
  return `${ROOM_BINDINGS}${projectId.slice(0, MAX_ID)}-${digest.slice(0, 16)}.json`;
}

export const EVENTS = 'shared/events/';

/** The folder of all event logs of the month (UTC) of `ts`. */
export function eventsDir(ts: string): string {
  const millis = parseTime(ts);
  return `${EVENTS}${(millis === undefined ? ts : stampOf(millis)).slice(0, 7)}/`;
}

/**
 * A file that `writer` alone appends to in the month (UTC) of `ts` (architecture.md, "Files and owners"); a long log has
 * several parts, counted from 1 (decisions/0035).
 */
export function eventLogPath(ts: string, writer: string, part = 1): string {
  return eventLogIn(eventsDir(ts), writer, part);
}

/** The same in the folder of a month. */
export function eventLogIn(dir: string, writer: string, part: number): string {
  return `${dir}${encodeName(writer)}${part === 1 ? '' : `@${String(part).padStart(4, '0')}`}.jsonl`;
}

export type PathClass =
  | { readonly kind: 'team' | 'archive' | 'relations' | 'roomflow' | 'global' | 'other' }
  | { readonly kind: 'project-meta' | 'project-plan' | 'project-result' | 'project-other'; readonly projectId: string }
  | {
      readonly kind: 'task-meta' | 'task-spec' | 'task-base' | 'task-late' | 'task-result' | 'task-other';
      readonly taskId: string;
    }
  | { readonly kind: 'agent'; readonly agentId: string }
  | { readonly kind: 'checkpoint'; readonly checkpointId: string }
  | { readonly kind: 'events'; readonly month: string; readonly writer: string };

const OTHER = { kind: 'other' } as const;

/** What a path is, and whose (protocol.md §2, architecture.md "Files and owners"). What is malformed is `other`. */
export function classifyPath(path: string): PathClass {
  if (!isSharedPath(path)) return OTHER;
  if (path.startsWith('global-shared/')) return { kind: 'global' };
  if (path === TEAM_PATH) return { kind: 'team' };
  const [, folder = '', name = '', ...rest] = path.split('/');
  switch (folder) {
    case 'projects':
      return projectPath(name, rest);
    case 'tasks':
      return taskPath(name, rest);
    case 'agents':
      return agentFile(name, rest);
    case 'checkpoints':
      return checkpointFile(name, rest);
    case 'events':
      return eventFile(name, rest);
    case 'archive':
    case 'relations':
    case 'roomflow':
      return { kind: folder };
    default:
      return OTHER;
  }
}

const PROJECT_FILES = {
  'meta.json': 'project-meta',
  'plan.md': 'project-plan',
  'result.md': 'project-result',
} as const;

const TASK_FILES = { 'meta.json': 'task-meta', 'spec.md': 'task-spec', 'result.md': 'task-result' } as const;

function projectPath(projectId: string, rest: readonly string[]): PathClass {
  if (!isReadableId(projectId) || rest.length === 0) return OTHER;
  return { kind: fileKind(PROJECT_FILES, rest) ?? 'project-other', projectId };
}

function taskPath(taskId: string, rest: readonly string[]): PathClass {
  if (!isReadableId(taskId) || rest.length === 0) return OTHER;
  const [folder] = rest.length > 1 ? rest : [];
  if (folder === 'base') return { kind: 'task-base', taskId };
  if (folder === 'late') return { kind: 'task-late', taskId };
  return { kind: fileKind(TASK_FILES, rest) ?? 'task-other', taskId };
}

function fileKind<Kind>(kinds: Readonly<Record<string, Kind>>, rest: readonly string[]): Kind | undefined {
  const [name = ''] = rest;
  return rest.length === 1 && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

function agentFile(name: string, rest: readonly string[]): PathClass {
  const agentId = rest.length === 0 && name.endsWith('.json') ? decodeName(name.slice(0, -'.json'.length)) : undefined;
  return agentId === undefined ? OTHER : { kind: 'agent', agentId };
}

function checkpointFile(name: string, rest: readonly string[]): PathClass {
  const checkpointId = name.endsWith('.json') ? name.slice(0, -'.json'.length) : '';
  return rest.length === 0 && isReadableId(checkpointId) ? { kind: 'checkpoint', checkpointId } : OTHER;
}

function eventFile(month: string, rest: readonly string[]): PathClass {
  const [, name = ''] = /^(.*?)(?:@(?!0000|0001)\d{4})?\.jsonl$/.exec(rest.join('/')) ?? [];
  const writer = decodeName(name);
  if (writer === undefined || !/^\d{4}-(?:0[1-9]|1[0-2])$/.test(month)) return OTHER;
  return { kind: 'events', month, writer };
}

/**
 * Why a path may not be declared as a deliverable of a task, in the words of protocol.md §7.4; `undefined` when it
 * may. A trailing `/` names a directory.
 */
export function checkDeliverable(path: unknown, taskId: string): string | undefined {
  if (typeof path !== 'string' || path.trim() === '') return 'deliverable path must be a non-empty string';
  const { dir } = taskPaths(taskId);
  const shown = path.replace(/\p{Cc}/gu, '\u{FFFD}');
  if (!path.startsWith(dir) || path === dir) return `deliverable must be under ${dir}: ${shown}`;
  const below = path.slice(dir.length).replace(/\/$/, '').split('/');
  return below.some((segment) => isReservedName(segment) || steersGit(segment))
    ? `invalid deliverable path: ${shown}`
    : undefined;
}

/** The branch that only the node of `localpart` writes (architecture.md, "Lanes"). */
export function laneOf(prefix: string, localpart: string): string {
  return prefix + encodeName(localpart);
}

/** Whose lane a branch is (short name, or full below `refs/heads/`); `undefined` for what is no lane. */
export function localpartOfLane(prefix: string, ref: string): string | undefined {
  const name = ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : ref;
  return name.startsWith(prefix) ? decodeName(name.slice(prefix.length)) : undefined;
}
