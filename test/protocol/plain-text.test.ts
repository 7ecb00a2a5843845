import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mentionsIn } from '../../src/protocol/mention.ts';
import { clip, plainText, withoutNoReply } from '../../src/protocol/plain-text.ts';

describe('plainText', () => {
  test.each([
    ['  a\r\n\tb\u2028c\0d  ', 'a b c d'],
    ['ask @bob:hs.local or @room', 'ask ＠bob:hs.local or ＠room'],
    ['https://matrix.to/#/%40bob%3Ahs', 'https://matrix.to/#/＠bob%3Ahs'],
    ['nothing NO_REPLY here', 'nothing here'],
    ['a\u202Eb\u2066c', 'abc'],
    ['cut in half \uD83D', 'cut in half \uFFFD'],
    ['cut in half \uD83D', 'cut in half \uFFFD'],
  ])('makes %j harmless', (text, expected) => {
    expect(plainText(text)).toBe(expected);
  });

  test('cuts by characters, not by code units', () => {
    expect(plainText('👍👍👍', 2)).toBe('👍👍…');
    expect(clip('👍👍👍', 3)).toBe('👍👍👍');
  });

  test('never holds a mention, a line break or NO_REPLY', () => {
    const piece = fc.constantFrom(
      '@',
      'NO_REPLY',
      'NO_',
      'REPLY',
      '@a:b',
      ':',
      'hs.local',
      '\n',
      '%40',
      'matrix.to/#/',
      ' ',
      'x',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (parts) => {
        const text = plainText(parts.join(''));
        expect({
          mentions: mentionsIn(text),
          hasToken: text.includes('NO_REPLY'),
          lines: text.split(/[\r\n]/).length,
        }).toEqual({
          mentions: [],
          hasToken: false,
          lines: 1,
        });
      }),
    );
  });
});

test('withoutNoReply also removes what only forms once another is gone, in linear time', () => {
  expect(withoutNoReply('NO_NO_REPLYREPLYx')).toBe('x');
  expect(withoutNoReply(`${'NO_'.repeat(50_000)}${'REPLY'.repeat(50_000)}`)).toBe('');
});
