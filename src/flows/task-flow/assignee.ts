import { FlowError } from '../../protocol/errors.ts';
import { localpartOf, resolveUserId } from '../../protocol/identity.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import type { Facts } from '../types.ts';
import { homeServer } from './common.ts';

export interface Assignee {
  readonly localpart: string;
  /** Absent when the roster does not know the name. */
  readonly mxid?: string;
}

/**
 * Who is meant by a name (protocol.md §1.3). With Workers on the roster, a name that is not on it resolves to nobody;
 * a roster that names no Worker at all says nothing about Workers, and who is not written to (`notify` off) need not
 * be known. Without a homeserver nobody vouches for server names, so a full id is also found by its localpart.
 */
export function findAssignee(
  { view, facts }: { readonly view: WorkspaceView; readonly facts: Facts },
  name: string,
  notify: boolean,
): Assignee {
  const localpart = localpartOf(name);
  if (localpart === '') return { localpart };
  const server = homeServer(facts);
  const roster = view.agents();
  const known =
    resolveUserId(name, roster, server) ??
    (facts.chat.kind === 'local' ? resolveUserId(localpart, roster, server) : undefined);
  const isOpen = !notify || !roster.some(({ role }) => role === 'worker');
  const mxid = known ?? (isOpen ? resolveUserId(name, [], server) : undefined);
  return mxid === undefined ? { localpart } : { localpart: localpartOf(mxid), mxid };
}

/** Whether somebody is written to in a room: who has an account there, and anybody where the room is on this machine. */
export function isTold(
  { view, facts }: { readonly view: WorkspaceView; readonly facts: Facts },
  name: string,
  room: string,
): boolean {
  if (room === '') return false;
  if (facts.chat.kind === 'local') return true;
  const { mxid = '' } = findAssignee({ view, facts }, name, true);
  return view.agents().some((record) => record.matrix_user_id === mxid);
}

/** What a task line cannot hold is nobody's name. Throws `invalid-argument`. */
export function checkPlannedName(name: string): void {
  if (!/[(),;]/.test(name)) return;
  throw new FlowError('invalid-argument', `assignedTo must be a worker name or a Matrix id: ${name}`, {
    remedy: 'see `baton agent list` for the names',
  });
}

/** protocol.md §10.1 item 8. Throws `invalid-argument`. */
export function requireAssigneeId(taskId: string, { localpart, mxid }: Assignee): string {
  if (mxid !== undefined) return mxid;
  const data = { taskId };
  if (localpart === '') {
    throw new FlowError('invalid-argument', `task ${taskId} has no assignee`, {
      remedy: 'name one with plan_dag, in plan.md, or as assignedTo',
      data,
    });
  }
  throw new FlowError('invalid-argument', `cannot resolve Matrix ID for worker '${localpart}'`, {
    remedy: `add shared/agents/${localpart}.json, or name a Worker of the roster`,
    data,
  });
}
