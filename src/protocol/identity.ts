import type { AgentRecord } from './records/types.ts';

const SERVER = /^[A-Za-z0-9.-]+(?::\d+)?$/;

const USER_ID = /^@[A-Za-z0-9._=+/-]+:[A-Za-z0-9.-]+(?::\d+)?$/;

/** The first word of a mention, without quotes and the leading `@` (protocol.md §1.3, steps 1 to 4). */
function bareToken(text: string): string {
  const [token = ''] = text.trim().split(/\s+/);
  return token.replace(/^[`'"]+|[`'"]+$/g, '').replace(/^@/, '');
}

/** The canonical localpart of however somebody was named (protocol.md §1.3); `''` for nobody. */
export function localpartOf(text: string): string {
  const [name = ''] = bareToken(text).split(':', 1);
  return name.replace(/^[:,;]+|[:,;]+$/g, '');
}

/** The server name of a Matrix id, with its port if it has one; `undefined` for a bare name. */
export function serverOf(text: string): string | undefined {
  const token = bareToken(text);
  const colon = token.indexOf(':');
  if (colon === -1) return undefined;
  const server = token.slice(colon + 1).replace(/[:,;`'"]+$/, '');
  return SERVER.test(server) ? server : undefined;
}

/** Homeservers fold ASCII letters only; folding more would let look-alikes pass. */
function fold(localpart: string): string {
  return localpart.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Equal for names that `sameLocalpart` takes for one; `''` for nobody. */
export function localpartKey(name: string): string {
  return fold(localpartOf(name));
}

/** Localparts are compared without case (protocol.md §1.3). Nobody is the same as nobody. */
export function sameLocalpart(a: string, b: string): boolean {
  const [first, second] = [localpartKey(a), localpartKey(b)];
  return first !== '' && first === second;
}

/** Same localpart and, where both carry one, exactly the same server name (protocol.md §1.3). */
export function sameIdentity(a: string, b: string): boolean {
  return sameLocalpart(a, b) && sameServer(a, b);
}

function sameServer(a: string, b: string): boolean {
  const [first, second] = [serverOf(a), serverOf(b)];
  return first === undefined || second === undefined || first === second;
}

/** protocol.md §1.4. */
export function isUserId(text: string): boolean {
  return text.length <= 255 && USER_ID.test(text);
}

/**
 * The full Matrix id behind a name (protocol.md §1.3). With a roster, whoever is not in it resolves to `undefined`;
 * without one, a bare name belongs to `homeServer`.
 */
export function resolveUserId(name: string, agents: readonly AgentRecord[], homeServer: string): string | undefined {
  const localpart = localpartOf(name);
  if (localpart === '') return undefined;
  if (agents.length > 0) {
    const agent = findAgent(name, agents, homeServer);
    return agent === undefined ? undefined : idOf(agent, homeServer);
  }
  const id = `@${localpart}:${serverOf(name) ?? homeServer}`;
  return isUserId(id) ? id : undefined;
}

function idOf({ agent_id: id, matrix_user_id: full }: AgentRecord, homeServer: string): string {
  return full ?? `@${id}:${homeServer}`;
}

/** By id first, then by display name; a display name that two agents share names neither. */
function findAgent(name: string, agents: readonly AgentRecord[], homeServer: string): AgentRecord | undefined {
  const byId = agents.find((agent) => {
    const full = idOf(agent, homeServer);
    return sameServer(name, full) && (sameLocalpart(name, agent.agent_id) || sameLocalpart(name, full));
  });
  if (byId !== undefined || serverOf(name) !== undefined) return byId;
  const whole = agents.filter((agent) => fold(agent.name.trim()) === fold(name.trim()));
  const named = whole.length > 0 ? whole : agents.filter((agent) => sameLocalpart(name, agent.name));
  return named.length === 1 ? named[0] : undefined;
}
