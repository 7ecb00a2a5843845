import { FlowError } from '../protocol/errors.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { findSecrets, redactSecrets, remedyFor } from '../protocol/secrets/scan.ts';
import type { FoundSecret, ScanOptions } from '../protocol/secrets/scan.ts';
import type { TreeDraft } from '../ports.ts';
import type { Change } from '../protocol/changes.ts';
import type { ObjectId } from '../ports-git.ts';
import { parseTeam } from '../protocol/records/team.ts';
import { TEAM_PATH } from '../protocol/paths.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { blobId, branchRef } from './context.ts';
import type { SyncContext } from './context.ts';
import { decode } from './resolve.ts';

/** A file that would publish a secret: in its name (line 0), or in this line. */
export interface Leak extends FoundSecret {
  /** As it may be shown. */
  readonly path: string;
}

/** What the team allows and this process knows, for a scan. `view` is what a Leader's node goes by; absent: the work tree. */
export async function scanOf(context: SyncContext, view?: WorkspaceView): Promise<ScanOptions> {
  return { known: context.secrets?.known() ?? [], allowed: await allowedSecrets(context, view) };
}

/**
 * Fingerprints that the team allows. Whoever leads it says so: on a Worker's node what main of the remote holds counts, and not what
 * somebody has written on this disk.
 */
export async function allowedSecrets(context: SyncContext, view?: WorkspaceView): Promise<readonly string[]> {
  const { git, state, role, branch, workTree } = context;
  if (role === 'leader') return (view ?? workTree.view()).team.policies.allowedSecrets;
  const main = state.tracked.get(branchRef(branch));
  if (main === undefined) return [];
  if (state.allowed?.main !== main) {
    const [bytes] = await git.read([`${main}:${TEAM_PATH}`]);
    const text = bytes === undefined ? undefined : decode(bytes);
    state.allowed = { main, fingerprints: parseTeam(text).team.policies.allowedSecrets };
  }
  return state.allowed.fingerprints;
}

/** The first secret that a file brings, in its name or its content; what `before` holds is not new. */
export function leakOf(
  path: string,
  content: Uint8Array | string | undefined,
  before: Uint8Array | string | undefined,
  scan: ScanOptions,
): Leak | undefined {
  const [inName] = findSecrets(path, scan);
  if (inName !== undefined) return { path: redactSecrets(path, scan.known), ...inName, line: 0 };
  if (content === undefined) return undefined;
  const [found] = findSecrets(textOf(content), { ...scan, before: before === undefined ? undefined : textOf(before) });
  return found === undefined ? undefined : { path, ...found };
}

/** What is no text is read byte by byte, since forms of secrets are ASCII. */
function textOf(content: Uint8Array | string): string {
  if (typeof content === 'string') return content;
  return decode(content) ?? Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
}

/** `holds a secret in line 3 (GitHub token)`; never what it holds. */
export function wordsOf({ kind, line }: Leak): string {
  return line === 0 ? `has a secret in its name (${kind})` : `holds a secret in line ${line} (${kind})`;
}

/** The refusal of what would publish a secret (protocol.md §11.6). */
export function leakError(code: ErrorCode, leak: Leak): FlowError {
  return new FlowError(code, `${leak.path} cannot be committed: it ${wordsOf(leak)}`, {
    remedy: remedyFor(leak),
    data: { file: leak.path, line: leak.line, kind: leak.kind, fingerprint: leak.fingerprint },
  });
}

/** Records are read whole; of what is longer (logs, large plans) only what the step changes. */
const READ_WHOLE = 16 * 1024;

/**
 * Throws `invalid-argument` when a step writes a secret that the commit `head` does not hold. Steps build on what is
 * on disk, so what a person put there a moment ago does not count as published.
 */
export async function requireNoLeak(
  context: SyncContext,
  head: ObjectId,
  draft: TreeDraft,
  change: Change,
): Promise<void> {
  if (change.kind !== 'write') return;
  const { path, text, appended } = change;
  const view = draft.view();
  const scan = await scanOf(context, view);
  const whole = text.length <= READ_WHOLE;
  const rests = whole && appended === undefined ? undefined : await isCommitted(context, head, path, draft.seen(path));
  if (rests === true && appended !== undefined && leakOf(path, appended, undefined, scan) === undefined) return;
  if (leakOf(path, text, whole || rests === false ? undefined : view.text(path), scan) === undefined) return;
  const [before] = await context.git.read([`${head}:${path}`]);
  const leak = leakOf(path, text, before, scan);
  if (leak !== undefined) throw leakError('invalid-argument', leak);
}

/** By the bytes of a draft, since all steps of a group rest on the same ones. */
const compared = new WeakMap<Uint8Array, { readonly head: ObjectId; readonly same: boolean }>();

/** Whether what a step rests on is what the commit holds, so that only what it changes is new. */
async function isCommitted(
  { git }: SyncContext,
  head: ObjectId,
  path: string,
  seen: Uint8Array | undefined,
): Promise<boolean> {
  if (seen === undefined) return true;
  const before = compared.get(seen);
  if (before?.head === head) return before.same;
  const [id] = await git.resolve([`${head}:${path}`]);
  const same = id === blobId(git, seen);
  compared.set(seen, { head, same });
  return same;
}
