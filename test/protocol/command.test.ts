import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES, parseCommand } from '../../src/protocol/command.ts';
import { COMMAND_FORMS, commandTextsFor, helpText } from '../../src/protocol/command-texts.ts';

const reader = { addressees: ['@lead:dom', 'lead', 'Lead Bot'], isKnown: (word: string) => word === 'collect' };
const read = (text: string) => parseCommand(text, reader);

describe('a command', () => {
  test.each([
    ['status', { name: 'status', said: '', target: undefined, rest: '' }],
    ['STATUS!', { name: 'status', said: '', target: undefined, rest: '' }],
    ['  !status  figures-1. ', { name: 'status', said: 'figures-1.', target: 'figures-1', rest: '' }],
    ['/report Figures', { name: 'report', said: 'Figures', target: 'Figures', rest: '' }],
    ['／help', { name: 'help', said: '', target: undefined, rest: '' }],
    ['@lead:dom: status please', { name: 'status', said: '', target: undefined, rest: '' }],
    ['@lead status', { name: 'status', said: '', target: undefined, rest: '' }],
    ['Lead Bot, status', { name: 'status', said: '', target: undefined, rest: '' }],
    ['[lead](https://matrix.to/#/%40lead%3Adom): status', { name: 'status', said: '', target: undefined, rest: '' }],
    ['`accept t-1`', { name: 'accept', said: 't-1', target: 't-1', rest: '' }],
    ['accept collect: well done', { name: 'accept', said: 'collect: well done', target: 'collect', rest: 'well done' }],
    ['accept t-1 - well done', { name: 'accept', said: 't-1 - well done', target: 't-1', rest: 'well done' }],
    ['accept t-1 — well done', { name: 'accept', said: 't-1 — well done', target: 't-1', rest: 'well done' }],
    ['accept t-1\nwell done', { name: 'accept', said: 't-1\nwell done', target: 't-1', rest: 'well done' }],
    ['accept t-1 please', { name: 'accept', said: 't-1', target: 't-1', rest: '' }],
    ['!accept t-1 no wait', { name: 'accept', said: 't-1 no wait', target: undefined, rest: '' }],
    ['status?', { name: 'status', said: '', target: undefined, rest: '' }],
    ['report figures?', { name: 'report', said: 'figures?', target: 'figures', rest: '' }],
    [
      'answer t-1 which one do you mean?',
      { name: 'answer', said: 't-1 which one do you mean?', target: 't-1', rest: 'which one do you mean?' },
    ],
    [
      'Reject `t-1`: the sums\nare wrong',
      { name: 'reject', said: '`t-1`: the sums\nare wrong', target: 't-1', rest: 'the sums\nare wrong' },
    ],
    ['reject t-1 - no', { name: 'reject', said: 't-1 - no', target: 't-1', rest: 'no' }],
    ['pause: until Monday', { name: 'pause', said: 'until Monday', target: 'until', rest: 'Monday' }],
    [
      'answer t-1 Decision: the second',
      { name: 'answer', said: 't-1 Decision: the second', target: 't-1', rest: 'the second', attention: 'decision' },
    ],
    [
      'answer t-1 note: the second',
      { name: 'answer', said: 't-1 note: the second', target: 't-1', rest: 'note: the second' },
    ],
    ['> <@lead:dom> status\n> pause p\n\nresume p', { name: 'resume', said: 'p', target: 'p', rest: '' }],
    ['accept', { name: 'accept', said: '', target: undefined, rest: '' }],
    ['accept everything', { name: 'accept', said: 'everything', target: 'everything', rest: '' }],
  ])('is read from %j', (text, command) => {
    expect(read(text)).toEqual(command);
  });

  test.each([
    '',
    ' ',
    'How is it going?',
    'accept the offer of the printers',
    'accept t-1?',
    'accept collect?',
    'accept t-1, or not?',
    'accept t-1, or not',
    'accept t-1 no wait',
    'accept collect no wait',
    'accept t-1. No, wait',
    'accept: t-1 ？',
    '!accept t-1?',
    '`accept t-1?`',
    '"accept t-1?" he asked?',
    'reject t-1: are the sums wrong?',
    'approve t-1?!',
    'deny t-1？',
    'pause?',
    'pause? please',
    'pause p-1, until Monday?',
    'resume?',
    'report to me when it is done',
    'status of the figures looks fine',
    'help me with this',
    'status-report',
    "answer's in the file",
    'lead',
    '@ana:dom accept t-1',
    'leader status',
    '* accept t-1',
    '> accept t-1',
    '> <@lead:dom> accept t-1\n\nwhat is this?',
    'Please accept t-1',
    'аccept t-1',
    'acceptt-1',
    'hello',
    'status@home',
  ])('is not what %j is', (text) => {
    expect(read(text)).toBeUndefined();
  });

  test.each([
    '!stauts',
    '/foo bar',
    'stauts',
    'statu',
    'reportt',
    'rejcet',
    'hlep',
    'pause waiting for the boss',
    'pause for a moment and think about it',
    'resume second now',
  ])('is meant by %j, and unknown', (text) => {
    expect(read(text)).toMatchObject({ name: 'unknown' });
  });

  test('is never read without one of its words, and reading never throws', () => {
    const words = fc.constantFrom(
      ...COMMAND_NAMES,
      '@lead:dom',
      '!',
      '/',
      '>',
      '\n',
      '`',
      't-1',
      ':',
      ' ',
      'x',
      '，',
      '‮',
      '\0',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(words).map((parts) => parts.join('')),
        ),
        (text) => {
          const command = read(text);
          if (command === undefined || command.name === 'unknown') return;
          expect(text.toLowerCase()).toContain(command.name);
        },
      ),
    );
  });

  test('of any length is read in one go', () => {
    const long = 'x'.repeat(200_000);
    expect(read(`answer t-1 ${long}`)).toMatchObject({ name: 'answer', rest: long });
    for (const text of [
      '>\n'.repeat(100_000),
      '`'.repeat(200_000),
      `status${' '.repeat(200_000)}x y`,
      '!'.repeat(200_000),
    ])
      expect(read(text)).toBeUndefined();
  });
});

describe('the replies', () => {
  test.each(['en', 'zh', 'ko'])('in %s name every command, and are no command themselves', (language) => {
    const texts = commandTextsFor(language);
    const help = helpText(texts);
    for (const name of COMMAND_NAMES) expect(help).toContain(COMMAND_FORMS[name]);
    const said = Object.values(texts).flatMap((text: unknown) =>
      typeof text === 'function'
        ? [(text as (...words: string[]) => string)('`x-1`', '`x-2`', '3')]
        : typeof text === 'string'
          ? [text]
          : [],
    );
    for (const text of [help, ...said]) expect([text, read(text)]).toEqual([text, undefined]);
  });

  test('are those of the language of a regional tag, and English for any other', () => {
    expect(commandTextsFor('zh-CN')).toBe(commandTextsFor(' ZH '));
    expect(commandTextsFor('ko_KR')).toBe(commandTextsFor('ko'));
    expect(commandTextsFor('tlh')).toBe(commandTextsFor('en'));
    expect(commandTextsFor('zh')).not.toBe(commandTextsFor('en'));
  });
});
