import { expect, test } from 'vitest';
import { baseUrlOf } from '../../../src/adapters/matrix/discovery.ts';

/** A web server that gives out this file, and notes what it was asked for. */
function domain(body: string, status = 200) {
  const asked: string[] = [];
  const ask: typeof fetch = (input) => {
    asked.push(input instanceof Request ? input.url : String(input));
    return Promise.resolve(new Response(body, { status }));
  };
  return { asked, ask };
}

const told = (url: unknown): string => JSON.stringify({ 'm.homeserver': { base_url: url } });

test.each([
  ['a domain whose homeserver runs elsewhere', 'https://b.org', told('https://matrix.b.org/'), 'https://matrix.b.org'],
  ['a domain that says nothing of it', 'https://b.org/', 'not found', 'https://b.org'],
  ['a file that makes no sense', 'https://b.org', '["m.homeserver"]', 'https://b.org'],
  ['an address that is none', 'https://b.org', told('matrix.b.org'), 'https://b.org'],
  ['an address that is less safe', 'https://b.org', told('http://matrix.b.org'), 'https://b.org'],
  ['another scheme', 'http://b.org', told('file:///etc/passwd'), 'http://b.org'],
])('%s is found at its own address or at the one that it tells', async (_, given, body, wanted) => {
  const { asked, ask } = domain(body, body === 'not found' ? 404 : 200);
  expect(await baseUrlOf(given, ask)).toBe(wanted);
  expect(asked).toEqual([`${given.replace(/\/$/, '')}/.well-known/matrix/client`]);
});

test.each(['http://127.0.0.1:8008/', 'http://localhost:8008', 'http://[::1]:8008'])(
  '%s is on this machine and asked nothing',
  async (given) => {
    const { asked, ask } = domain(told('https://elsewhere'));
    expect(await baseUrlOf(given, ask)).toBe(given.replace(/\/$/, ''));
    expect(asked).toEqual([]);
  },
);
