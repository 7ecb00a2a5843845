import { expect, test } from 'vitest';
import { terminal } from './harness.ts';

test.each([
  ['agent', 'the tools for single agents are not there yet: --tools agent'],
  ['all', 'the tools for single agents are not there yet: --tools all'],
  ['tema', 'unknown tools: tema'],
])('a set of tools that cannot be served is refused: %s', async (name, message) => {
  const { run } = terminal();
  expect(await run('mcp', '--tools', name)).toEqual({
    code: 2,
    stdout: '',
    stderr: `error[usage]: ${message}\nuse --tools team, or leave it out\n`,
  });
});
