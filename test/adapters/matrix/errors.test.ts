import { MatrixError } from 'matrix-js-sdk';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { patiently } from '../../../src/adapters/matrix/errors.ts';

const tooMany = (ms: number): MatrixError =>
  new MatrixError({ errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: ms }, 429);

/** Refuses twice in this way, and does it then. */
function reluctant(refusal: Error): () => Promise<string> {
  let asked = 0;
  return () => (asked++ < 2 ? Promise.reject(refusal) : Promise.resolve('done'));
}

const patience = { clock: systemClock, patience: 5_000 };

test('joining and inviting are done again when the homeserver says that it takes them', async () => {
  expect(await patiently(patience, reluctant(tooMany(5)))).toBe('done');
});

test.each([
  ['for too long', tooMany(60_000)],
  ['for another reason', new MatrixError({ errcode: 'M_FORBIDDEN', error: 'no' }, 403)],
])('what is refused %s is told at once', async (_, refusal) => {
  await expect(patiently(patience, reluctant(refusal))).rejects.toBe(refusal);
});

test('nobody waits once the node stops', async () => {
  const closing = new AbortController();
  const waiting = patiently({ ...patience, signal: closing.signal }, reluctant(tooMany(4_000)));
  closing.abort();
  await expect(waiting).rejects.toThrow('aborted');
});
