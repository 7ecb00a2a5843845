import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clip, count, displayWidth, pad, printable, printableLines, table } from '../../../src/doors/cli/text.ts';

describe('the width of a text on a terminal', () => {
  test.each([
    ['plan', 4],
    ['計画', 4],
    ['完成 ✅', 7],
    ['👩‍💻', 2],
    ['é', 1],
    ['\u001b[31mred\u001b[39m', 3],
    ['', 0],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test('is never exceeded by a clipped text, and clipping what fits changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.integer({ min: 1, max: 30 }), (text, width) => {
        const clean = printable(text);
        const clipped = clip(clean, width);
        expect(displayWidth(clipped)).toBeLessThanOrEqual(width);
        if (displayWidth(clean) <= width) expect(clipped).toBe(clean);
      }),
    );
  });

  test('is what padding fills up to', () => {
    expect(pad('計', 4)).toBe('計  ');
    expect(pad('long enough', 4)).toBe('long enough');
  });
});

describe('texts that others wrote', () => {
  test('cannot steer the terminal', () => {
    expect(printable('a\u001b[2J\u0007b\u202ec\r\nd')).toBe('abc d');
  });

  test('keep their lines where lines are wanted', () => {
    expect(printableLines('# Title\r\n\n\t- item \u001b[1mbold\u001b[0m\n\n')).toBe('# Title\n\n  - item bold');
  });
});

describe('a table', () => {
  test('aligns its columns and ends no line with blanks', () => {
    expect(
      table([
        ['a', 'long', ''],
        ['計画', 'b', 'c'],
      ]),
    ).toBe('a     long\n計画  b     c');
  });
});

test('amounts and their nouns agree', () => {
  expect([count(0, 'node'), count(1, 'node'), count(2, 'node')]).toEqual(['0 nodes', '1 node', '2 nodes']);
});
