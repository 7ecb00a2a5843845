import { FlowError } from '../../protocol/errors.ts';
import { isUserId, localpartOf, sameIdentity, sameLocalpart, serverOf } from '../../protocol/identity.ts';
import { agentPath } from '../../protocol/paths.ts';
import { newAgent } from '../../protocol/records/agent.ts';
import type { AgentRecord } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { isKnown } from '../errands.ts';
import type { Errands } from '../errands.ts';
import { homeServer } from '../task-flow/common.ts';
import type { Facts } from '../types.ts';

/** The server name of identities that were given without one, where there is no homeserver. */
const NO_SERVER = 'local';

/** Somebody of the team, named as the homeserver names them (protocol.md §1.3). */
export interface Member {
  /** Verbatim: nothing is stripped, added or put into another case. */
  readonly localpart: string;
  readonly userId: string;
}

/** A bare localpart is of the node's own homeserver. Throws `invalid-argument`. */
export function memberOf(facts: Facts, name: string): Member {
  const given = name.trim();
  const userId =
    given.startsWith('@') && given.includes(':') ? given : `@${given.replace(/^@/, '')}:${homeServer(facts)}`;
  const localpart = userId.slice(1, userId.indexOf(':'));
  // What the rules for names would cut away could never be named again.
  if (isUserId(userId) && localpartOf(userId) === localpart) return { localpart, userId };
  throw new FlowError('invalid-argument', `not a Matrix id: ${given.replaceAll(/\p{Cc}/gu, '\u{FFFD}')}`, {
    remedy: 'pass a localpart such as ana, or a full Matrix id such as @ana:domain',
  });
}

/** The record of a member. Throws `already-exists` when that name is somebody else's, `broken-file` when it is unreadable. */
export function recordOf(view: WorkspaceView, { localpart, userId }: Member): AgentRecord | undefined {
  const found = view.agents().find(({ agent_id: id }) => sameLocalpart(id, localpart));
  const file = agentPath(localpart);
  if (found === undefined) {
    if (!view.exists(file)) return undefined;
    throw new FlowError('broken-file', `${file} cannot be read`, {
      remedy: `mend ${file} by hand (\`baton doctor\` shows where), commit it and call again`,
    });
  }
  if (found.agent_id !== localpart) {
    throw new FlowError('already-exists', `${localpart} differs from the agent ${found.agent_id} only by letter case`, {
      remedy: 'Matrix takes them for one: use the spelling of the homeserver, and remove the other record',
    });
  }
  if (isElsewhere(found.matrix_user_id, userId)) {
    throw new FlowError('already-exists', `the agent ${localpart} is ${found.matrix_user_id}, not ${userId}`, {
      remedy: `agents are named by localpart; correct matrix_user_id in ${file} if it is the same one`,
    });
  }
  return found;
}

function isElsewhere(recorded: string | undefined, userId: string): boolean {
  return recorded !== undefined && serverOf(recorded) !== NO_SERVER && !sameIdentity(recorded, userId);
}

/** The record that a member has or gets, with the full id where a homeserver stands behind it. */
export function memberRecord(
  existing: AgentRecord | undefined,
  { localpart, userId }: Member,
  role: AgentRecord['role'],
): AgentRecord {
  const full = serverOf(userId) === NO_SERVER ? {} : { matrix_user_id: userId };
  return { ...(existing ?? newAgent({ id: localpart, role })), ...full };
}

/**
 * Whether the homeserver has the account: yes, or why it did not tell. Throws `not-found` when it says that it has not.
 */
export function* checkAccount(facts: Facts, { userId }: Member): Errands<{ readonly warning?: string }> {
  if (facts.chat.kind === 'local') return {};
  let known: boolean;
  try {
    known = yield* isKnown(userId);
  } catch (thrown) {
    if (!(thrown instanceof FlowError) || thrown.code !== 'notify-failed') throw thrown;
    return { warning: thrown.message };
  }
  if (known) return {};
  throw new FlowError('not-found', `the homeserver knows no account ${userId}`, {
    remedy: 'pass the id exactly as the homeserver has it, or make the account first',
  });
}
