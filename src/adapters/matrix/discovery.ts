import { isRecord } from '../../protocol/json.ts';

/** Milliseconds for a file that is small or not there. */
const WAIT = 5_000;

/**
 * Where the homeserver of a domain is. Many are named by their domain and run elsewhere, which a file of the domain
 * tells (`/.well-known/matrix/client`); without one, or with one that makes no sense, the given address is the
 * homeserver's own. Throws when nobody answers there at all.
 */
export async function baseUrlOf(given: string, ask: typeof fetch = fetch): Promise<string> {
  const homeserver = given.replace(/\/+$/, '');
  if (isLoopback(new URL(homeserver).hostname)) return homeserver;
  const answer = await ask(new URL('/.well-known/matrix/client', homeserver), { signal: AbortSignal.timeout(WAIT) });
  if (!answer.ok) return homeserver;
  const told: unknown = await answer.json().catch(() => undefined);
  const entry = isRecord(told) ? told['m.homeserver'] : undefined;
  const url = isRecord(entry) ? entry['base_url'] : undefined;
  return typeof url === 'string' && isAsSafe(url, homeserver) ? url.replace(/\/+$/, '') : homeserver;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** A secure address is never given up for one over which tokens could be read. */
function isAsSafe(url: string, homeserver: string): boolean {
  const { protocol } = URL.parse(url) ?? {};
  return protocol === 'https:' || (protocol === 'http:' && homeserver.startsWith('http:'));
}
