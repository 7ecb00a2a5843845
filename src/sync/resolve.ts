import { parseJson, renderJson } from '../protocol/json.ts';
import type { JsonRecord } from '../protocol/json.ts';
import { classifyPath } from '../protocol/paths.ts';
import type { PathClass } from '../protocol/paths.ts';
import { mergePlans } from '../protocol/plan/merge.ts';
import { canonicalTask } from '../protocol/records/task.ts';
import { keepLasting, mergeFields, preferring, taskFields } from './resolve-json.ts';
import type { Choose, Side } from './resolve-json.ts';

export type { Side };

/** One path that two sides changed differently since `base`; `undefined` is a file that is not there. */
export interface Divergence {
  readonly path: string;
  readonly base: Uint8Array | undefined;
  readonly local: Uint8Array | undefined;
  readonly remote: Uint8Array | undefined;
  /** Whose file it is, where a single side owns it. */
  readonly owner: Side | undefined;
  /** Which side speaks for the Leader; `undefined` when both do, and then the published side has the last word. */
  readonly leaderSide: Side | undefined;
}

/** The outcome of a divergence is a value per path (architecture.md, "Sync"). */
export type Resolution =
  /** This side as it is, also when it is gone. */
  | { readonly kind: 'take'; readonly side: Side }
  | { readonly kind: 'text'; readonly text: string }
  /** No rule decides: the remote stays, the local content is kept beside it. */
  | { readonly kind: 'set-aside'; readonly text?: string };

/**
 * Resolves what git could not merge, first rule that fits (architecture.md "Resolution", protocol.md §11.5): the
 * owner's side, JSON by field, plans by node, event logs as a union, else the remote with the local set aside.
 */
export function resolveFile(divergence: Divergence): Resolution {
  const { path, base, local, remote, owner } = divergence;
  if (sameBytes(local, remote) || sameBytes(base, local)) return { kind: 'take', side: 'remote' };
  if (sameBytes(base, remote)) return { kind: 'take', side: 'local' };
  const kind = classifyPath(path).kind;
  if (owner !== undefined && !KEPT_BY_PART.has(kind)) return { kind: 'take', side: owner };
  if (local === undefined) return { kind: 'take', side: 'remote' };
  if (remote === undefined) return { kind: 'set-aside' };
  const texts = { base: base === undefined ? '' : decode(base), local: decode(local), remote: decode(remote) };
  if (texts.local === undefined || texts.remote === undefined) return { kind: 'set-aside' };
  return resolveText(divergence, kind, { base: texts.base ?? '', local: texts.local, remote: texts.remote });
}

/** Files that belong to several writers, each to their own part, and logs, of which no side may lose a line. */
const KEPT_BY_PART: ReadonlySet<PathClass['kind']> = new Set(['task-meta', 'agent', 'events']);

interface Texts {
  readonly base: string;
  readonly local: string;
  readonly remote: string;
}

function resolveText({ path, leaderSide = 'remote' }: Divergence, kind: PathClass['kind'], texts: Texts): Resolution {
  if (kind === 'project-plan') {
    const { text, conflicts } = mergePlans(texts.base, texts.local, texts.remote, leaderSide);
    return conflicts.length === 0 ? { kind: 'text', text } : { kind: 'set-aside', text };
  }
  if (kind === 'events') return { kind: 'text', text: unionOfLines(texts) };
  return path.endsWith('.json') ? resolveJson(path, leaderSide, kind, texts) : { kind: 'set-aside' };
}

function resolveJson(path: string, leaderSide: Side, kind: PathClass['kind'], texts: Texts): Resolution {
  const [local, remote] = [valueOf(texts.local, path, kind), valueOf(texts.remote, path, kind)];
  if (local === undefined) return remote === undefined ? { kind: 'set-aside' } : { kind: 'take', side: 'remote' };
  if (remote === undefined) return { kind: 'take', side: 'local' };
  const base = valueOf(texts.base, path, kind) ?? {};
  const merged = mergeFields(base, local, remote, chooserOf(kind, leaderSide));
  return { kind: 'text', text: renderJson(kind === 'task-meta' ? keepLasting(merged, local, remote) : merged) };
}

function chooserOf(kind: PathClass['kind'], leaderSide: Side): Choose {
  if (kind === 'task-meta') return taskFields(leaderSide);
  return kind === 'agent' ? agentFields(leaderSide) : preferring(leaderSide);
}

/** An agent says itself whether it is there; all else in its record is the Leader's. */
function agentFields(leaderSide: Side): Choose {
  const general = preferring(leaderSide);
  const agentSide: Side = leaderSide === 'local' ? 'remote' : 'local';
  return (key, sides) => (key === 'status' ? sides[agentSide] : general(key, sides));
}

/** Records of another dialect are respelled, so that a field meets itself. */
function valueOf(text: string, path: string, kind: PathClass['kind']): JsonRecord | undefined {
  const parsed = parseJson(text, path);
  if (!('value' in parsed)) return undefined;
  return kind === 'task-meta' ? canonicalTask(parsed.value).record : parsed.value;
}

/** A log is appended to, so both sides' lines stand: the remote's first, then what only the local side has. */
function unionOfLines({ local, remote }: Texts): string {
  const lines = `${remote}\n${local}`.split(/\r?\n/).filter((line) => line !== '');
  return [...new Set(lines)].map((line) => `${line}\n`).join('');
}

/** Where a text that no rule could merge is kept; `taken` tells the names that hold something else. */
export function setAsidePath(path: string, agent: string, taken: (path: string) => boolean): string {
  const name = agent.replace(/[^A-Za-z0-9_=+.-]/g, '_').replace(/\.+$/, '_');
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? `${path}.conflict-${name}` : `${path}.${count}.conflict-${name}`;
    if (!taken(candidate)) return candidate;
  }
}

export const isSetAside = (path: string): boolean => /\.conflict-[^/]+$/.test(path);

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}

/** UTF-8 text, or `undefined` for what is none. */
export function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
