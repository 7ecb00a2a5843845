import type { Git, ObjectId } from '../ports-git.ts';
import { localpartKey } from '../protocol/identity.ts';
import { agentPath, classifyPath } from '../protocol/paths.ts';
import { parseAgent } from '../protocol/records/agent.ts';
import { decode } from './resolve.ts';

const AGENTS = 'shared/agents';

interface Claim {
  /** Whose lane it is by its name. */
  readonly localpart: string;
  /** Whose node integrates. */
  readonly self: string;
  /** Of all lanes that there are. */
  readonly names: readonly string[];
  /** As `agentsOn` tells them. */
  readonly agents: ReadonlyMap<string, readonly string[]>;
}

/** Whose records a commit holds: ids by what is equal for two spellings of one name (`localpartKey`). */
export async function agentsOn(git: Git, commit: ObjectId): Promise<ReadonlyMap<string, readonly string[]>> {
  const [records = []] = await git.list([`${commit}:${AGENTS}`]);
  const ids = records.flatMap(({ name }) => {
    const place = classifyPath(`${AGENTS}/${name}`);
    return place.kind === 'agent' ? [place.agentId] : [];
  });
  return Map.groupBy(ids, localpartKey);
}

/**
 * Why a lane is not that of the Worker whose name it has, in words; `undefined` when nothing speaks against it. Names
 * are compared without case, and what a name may write is judged by it: so a second spelling of a name, or the name of
 * somebody who leads, would open to whoever made the lane what is not theirs (quality.md S1).
 */
export async function ownerProblem(git: Git, main: ObjectId, claim: Claim): Promise<string | undefined> {
  const { localpart, self, names, agents } = claim;
  const key = localpartKey(localpart);
  const isSame = (name: string): boolean => key !== '' && localpartKey(name) === key;
  if (isSame(self)) return 'this name is that of the node which integrates, and that writes main';
  const known = (agents.get(key) ?? []).filter(isSame);
  if (known.length > 0 && !known.includes(localpart)) return `the agent of this name is spelled ${known[0] ?? ''}`;
  if (known.length === 0) {
    const twins = names.some((name) => name !== localpart && isSame(name));
    return twins && localpart !== localpart.toLowerCase() ? 'another lane has this name in small letters' : undefined;
  }
  const [record] = await git.read([`${main}:${agentPath(localpart)}`]);
  const role = record === undefined ? undefined : parseAgent(decode(record) ?? '', localpart).agent?.role;
  return role === 'leader' || role === 'manager'
    ? `${localpart} is a ${role}, and whoever leads writes main`
    : undefined;
}
