import type { ObjectId } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { isReservedPath } from '../protocol/names.ts';
import { remedyFor } from '../protocol/secrets/scan.ts';
import type { ScanOptions } from '../protocol/secrets/scan.ts';
import type { UnfitFile } from '../ports.ts';
import { word } from '../rules/shell.ts';
import type { SyncContext } from './context.ts';
import { leakError, leakOf, scanOf, wordsOf } from './secret-check.ts';

/** What stands on disk and differs from a commit; without content it is gone from the disk. */
export interface DiskFile {
  readonly path: string;
  readonly mode: string;
  readonly content: Uint8Array | undefined;
}

const PLAIN_FILE = 'move it out of shared/, or replace it by a plain file that may be published';

/** The refusal of what may never be committed, however it got into the folder. */
export function notTaken(path: string, why: string): FlowError {
  return new FlowError('broken-file', `${path} cannot be committed: it ${why}`, { remedy: PLAIN_FILE });
}

/**
 * Throws `broken-file` for a file that may not be committed: a reserved name, too many bytes, a secret (protocol.md
 * §11.6). What the commit `head` has there already is only looked up for one that seems to hold a secret.
 */
export async function requireFit(context: SyncContext, head: ObjectId, file: DiskFile): Promise<void> {
  const why = unfitByForm(context, file);
  if (why !== undefined) throw notTaken(file.path, why);
  const scan = await scanOf(context);
  if (leakOf(file.path, file.content, undefined, scan) === undefined) return;
  const [before] = await context.git.read([`${head}:${file.path}`]);
  const leak = leakOf(file.path, file.content, before, scan);
  if (leak !== undefined) throw leakError('broken-file', leak);
}

/** Why a file that was changed by hand cannot be published, with what to do; `undefined` when it can. */
export function unfit(
  context: SyncContext,
  file: DiskFile,
  before: Uint8Array | undefined,
  scan: ScanOptions,
): UnfitFile | undefined {
  const why = unfitByForm(context, file);
  if (why !== undefined) return { path: file.path, why, remedy: PLAIN_FILE };
  const leak = leakOf(file.path, file.content, before, scan);
  if (leak === undefined) return undefined;
  const place = leak.line === 0 ? {} : { line: leak.line };
  return { path: leak.path, ...place, why: wordsOf(leak), remedy: remedyFor(leak) };
}

/** What this node's agent may not change, and nobody else will see. */
export async function keptHere(
  { git, role }: SyncContext,
  head: ObjectId,
  paths: readonly string[],
): Promise<readonly UnfitFile[]> {
  const committed = await git.resolve(paths.map((path) => `${head}:${path}`));
  return paths.map((path, index) => {
    const undo =
      committed[index] === undefined ? 'take it away' : `undo it with \`git checkout HEAD -- ${word(path)}\``;
    const remedy =
      role === 'leader' ? `${undo}; or commit it with plain git, if it is to be published all the same` : undo;
    return { path, why: "is not this node's to change", remedy, foreign: true as const };
  });
}

/** Remembers which of these paths are unfit now, and logs those that were not before. */
export function noteUnfit({ state, log }: SyncContext, looked: readonly string[], found: readonly UnfitFile[]): void {
  const now = new Set(found.map(({ path }) => path));
  for (const { path, why, remedy } of found) {
    if (!state.unfit.has(path)) log.warn({ path, why, remedy }, 'changed by hand, and cannot be published');
    state.unfit.add(path);
  }
  for (const path of looked) if (!now.has(path)) state.unfit.delete(path);
}

/** What can be told without reading the text. */
function unfitByForm({ workTree }: SyncContext, { path, content }: DiskFile): string | undefined {
  if (isReservedPath(path)) return 'has a name that git or a file system gives a meaning of its own, or cannot hold';
  if (content === undefined) return undefined;
  const { maxFileBytes } = workTree.view().team.policies;
  if (content.length > maxFileBytes) return `has ${content.length} bytes, and at most ${maxFileBytes} are allowed`;
  return undefined;
}
