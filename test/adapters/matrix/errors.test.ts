import { MatrixError } from 'matrix-js-sdk';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { patiently, toNotifyError } from '../../../src/adapters/matrix/errors.ts';

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

const told = (thrown: unknown) => {
  const attempt = { what: 'Matrix send failed', self: '@lead:hs', homeserver: 'http://hs' };
  const { message, data, retryable } = toNotifyError(thrown, attempt);
  return { message, data, retryable };
};

test('that the homeserver failed itself is told, so that one message cannot be waited for for ever', () => {
  expect(told(new MatrixError({ errcode: 'M_UNKNOWN', error: 'Internal server error' }, 500))).toEqual({
    message: 'Matrix send failed: http://hs answered 500 M_UNKNOWN: Internal server error',
    data: { errcode: 'M_UNKNOWN', httpStatus: 500 },
    retryable: true,
  });
});

test('only what fetch throws of a homeserver means that it is away; a fault is told as it is', () => {
  const refused = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
  expect(told(refused).message).toBe('Matrix send failed: http://hs cannot be reached');
  expect(told(new TypeError('x is undefined')).message).toBe('Matrix send failed: http://hs: x is undefined');
});
