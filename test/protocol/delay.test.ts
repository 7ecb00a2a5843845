import { expect, test } from 'vitest';
import { withDelay } from '../../src/protocol/delay.ts';
import { markdownHtml } from '../../src/protocol/html.ts';

const MINUTE = 60_000;

test.each([
  [0, 'line'],
  [MINUTE, 'line'],
  [MINUTE + 1, 'line\n- Delayed: 1 min'],
  [4 * MINUTE + 59_000, 'line\n- Delayed: 4 min'],
  [60 * MINUTE, 'line\n- Delayed: 1 h'],
  [47 * 60 * MINUTE, 'line\n- Delayed: 47 h'],
  [48 * 60 * MINUTE, 'line\n- Delayed: 2 d'],
  [-MINUTE, 'line'],
])('a message that is %d ms old says so from a minute on', (age, expected) => {
  expect(withDelay('line', age)).toBe(expected);
});

test.each([
  ['the other facts', '@a:b DONE: t\n- Worker: @w:b', '@a:b DONE: t\n- Worker: @w:b\n- Delayed: 5 min'],
  ['a preview', '@a:b T: t - x\n\n```\ncode', '@a:b T: t - x\n- Delayed: 5 min\n\n```\ncode'],
  ['a report', '---\n\n## Report\n', '- Delayed: 5 min\n\n---\n\n## Report\n'],
  ['a report to somebody', '@m:b\n\n---\n\n## Report\n', '@m:b\n- Delayed: 5 min\n\n---\n\n## Report\n'],
])('the line does not break %s', (_, text, expected) => {
  expect(withDelay(text, 5 * MINUTE)).toBe(expected);
  const [, ...behind] = text.split(/^(?=---|```)/m);
  expect(markdownHtml(expected, []).endsWith(behind.map((rest) => markdownHtml(rest, [])).join(''))).toBe(true);
});

test('what people wrote keeps its shape', () => {
  expect(withDelay('| a |\n|---|\n\nSee.\n', 5 * MINUTE, { own: true })).toBe(
    '| a |\n|---|\n\nSee.\n\n- Delayed: 5 min',
  );
});
