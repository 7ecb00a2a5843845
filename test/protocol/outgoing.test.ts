import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterOutgoing } from '../../src/protocol/outgoing.ts';

const MENTION_ONLY = 'message blocked: mention-only messages can create ping-pong loops';
const LOW_INFORMATION = 'message blocked: low-information mention acknowledgements can create ping-pong loops';
const SYMBOL = 'message blocked: mention plus status symbol can create ping-pong loops';
const SUPPRESSED = 'message suppressed: NO_REPLY';

describe('filterOutgoing', () => {
  test.each([
    ['@a:b ok', LOW_INFORMATION],
    ['@a:b OK!', LOW_INFORMATION],
    ['@a:b 收到。', LOW_INFORMATION],
    ['@a:b 好的 ✅', LOW_INFORMATION],
    ['@a:b 完成', LOW_INFORMATION],
    ['@a:b:8080 ack', LOW_INFORMATION],
    ['@a:b ＯＫ', LOW_INFORMATION],
    ['@alice ok', LOW_INFORMATION],
    ['[alice](https://matrix.to/#/%40alice%3Ab) done', LOW_INFORMATION],
    ['@a:b', MENTION_ONLY],
    ['@a:b @c:d', MENTION_ONLY],
    ['@a:b NO_REPLY', MENTION_ONLY],
    ['@a:b 🟢', SYMBOL],
    ['@a:b ... ', SYMBOL],
    ['@a:b 👍👍', SYMBOL],
    ['NO_REPLY', SUPPRESSED],
    [' NO_REPLY \n', SUPPRESSED],
    ['NO_REPLY NO_REPLY', SUPPRESSED],
    [' \n', 'message is required'],
  ])('holds %j back', (text, reason) => {
    expect(filterOutgoing(text)).toEqual({ send: false, reason });
  });

  test.each([
    'ok',
    '👍',
    '@a:b thanks',
    '@a:b done: see x',
    '@a:b ——————————',
    'mail bob@example.org',
    ' spaced  text\n',
  ])('lets %j pass as it is', (text) => {
    expect(filterOutgoing(text)).toEqual({ send: true, text });
  });

  test.each([
    ['@leadNO_REPLY@alice:m.local Please', '@alice:m.local Please'],
    ['text\nNO_REPLY', 'text'],
    ['NO_REPLY\ntext', 'text'],
  ])('takes the token out of %j', (text, expected) => {
    expect(filterOutgoing(text)).toEqual({ send: true, text: expected });
  });

  test('holds a whole channel reply back when its last line is the token, and keeps the token elsewhere', () => {
    expect(filterOutgoing('text\nNO_REPLY\n \n', { origin: 'reply' })).toEqual({ send: false, reason: SUPPRESSED });
    expect(filterOutgoing('say NO_REPLY to be silent', { origin: 'reply' })).toEqual({
      send: true,
      text: 'say NO_REPLY to be silent',
    });
  });

  test('knows the words that the team adds', () => {
    const extraWords = ['thanks', 'Got it', '谢谢', '👍'];

    expect(filterOutgoing('@a:b got it!', { extraWords })).toEqual({ send: false, reason: LOW_INFORMATION });
    expect(filterOutgoing('@a:b 谢谢', { extraWords })).toEqual({ send: false, reason: LOW_INFORMATION });
    expect(filterOutgoing('@a:b ——————————', { extraWords })).toEqual({ send: true, text: '@a:b ——————————' });
  });

  test('what it sends holds no token, says something, and passes again unchanged', () => {
    const piece = fc.constantFrom('NO_REPLY', '@a:b', '@lead', 'ok', ' ', '\n', 'NO_', 'REPLY', '👍', 'text');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (parts) => {
        const verdict = filterOutgoing(parts.join(''));
        if (!verdict.send) return;
        expect(verdict.text).not.toContain('NO_REPLY');
        expect(verdict.text.trim()).not.toBe('');
        expect(filterOutgoing(verdict.text)).toEqual(verdict);
      }),
    );
  });

  test.each(['@'.repeat(200_000), '['.repeat(200_000), '@NO_REPL'.repeat(50_000), `@a:b ${'—'.repeat(200_000)}`])(
    'survives hostile text',
    (text) => {
      expect(filterOutgoing(text).send).toBe(true);
    },
  );
});
