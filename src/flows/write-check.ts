import type { Change } from '../protocol/changes.ts';
import { FlowError } from '../protocol/errors.ts';
import { parseJson } from '../protocol/json.ts';
import { forbiddenMetaFields, mayWrite } from '../protocol/ownership.ts';
import { classifyPath } from '../protocol/paths.ts';
import type { Actor } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { isLeading } from '../protocol/roles.ts';

/** Every write is checked against the ownership table, whichever door it came by (protocol.md §2). Throws `not-owner`. */
export function checkOwnership(
  actor: Actor,
  changes: readonly Change[],
  view: WorkspaceView,
  forAssignee = false,
): void {
  const assigneeOf = (taskId: string): string | undefined => view.task(taskId)?.meta?.assigned_to;
  for (const change of changes) {
    if (classifyPath(change.path).kind === 'events') continue;
    if (change.kind === 'move') {
      checkMove(actor, change);
      continue;
    }
    if (forAssignee && isLeading(actor) && isOfTask(change.path)) continue;
    const verdict = mayWrite(actor, change.path, assigneeOf);
    if (!verdict.allowed) {
      throw new FlowError('not-owner', `${change.path} belongs to the ${verdict.owner}: ${verdict.reason}`, {
        remedy: `ask the ${verdict.owner} to change it`,
      });
    }
    if (change.kind === 'write') checkMetaFields(actor, change.path, change.text, view);
  }
}

/** What a Worker leaves in the folder of its task. */
function isOfTask(path: string): boolean {
  const { kind } = classifyPath(path);
  return kind === 'task-result' || kind === 'task-other';
}

/** Only the Leader moves folders, and only to the archive: what is in them is as its owners left it. */
function checkMove(actor: Actor, { from, path }: Extract<Change, { readonly kind: 'move' }>): void {
  if (isLeading(actor) && classifyPath(path).kind === 'archive') return;
  throw new FlowError('not-owner', `${from} belongs to the leader: ended work is moved by the leader only`, {
    remedy: 'ask the leader to archive it',
  });
}

function checkMetaFields(actor: Actor, path: string, text: string, view: WorkspaceView): void {
  if (isLeading(actor)) return;
  if (classifyPath(path).kind !== 'task-meta') return;
  const before = view.text(path);
  const parsedBefore = before === undefined ? undefined : parseJson(before, path);
  const parsedAfter = parseJson(text, path);
  if (!('value' in parsedAfter)) throw new FlowError('internal', parsedAfter.diagnostic.message);
  const fields = forbiddenMetaFields(
    parsedBefore !== undefined && 'value' in parsedBefore ? parsedBefore.value : undefined,
    parsedAfter.value,
  );
  if (fields.length > 0) {
    throw new FlowError('not-owner', `a worker may not change ${fields.join(', ')} in ${path}`);
  }
}
