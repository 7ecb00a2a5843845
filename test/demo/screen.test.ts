import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app-types.ts';
import { createScreen } from '../../src/demo/screen.ts';
import type { ScreenOptions } from '../../src/demo/screen.ts';

interface Node {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly assignee: string;
}

/** A screen on a board that the test sets, and what has been written to it. */
function stage(options: Partial<ScreenOptions> = {}) {
  let nodes: readonly Node[] = [];
  let written = '';
  const answer = (): unknown => ({ ok: true, projects: [{ project_id: 'p', nodes, edges: [] }] });
  const app = { call: () => Promise.resolve(answer()), identity: { localpart: 'lead' } } as unknown as App;
  const screen = createScreen(app, {
    live: false,
    color: false,
    columns: 100,
    rows: 40,
    write: (text) => (written += text),
    ...options,
  });
  return {
    screen,
    show: async (...statuses: readonly string[]): Promise<string> => {
      nodes = statuses.map((status, at) => ({ id: `p-0${at + 1}`, name: `Step ${at + 1}`, status, assignee: 'ana' }));
      written = '';
      await screen.show('p');
      return written;
    },
    say: (sentence: string): string => {
      written = '';
      screen.say(sentence);
      return written;
    },
  };
}

const row = (marker: string, at: number): string =>
  `${marker} 0${at}       Step ${at}                                 ana\n`;

/** Back to the first of so many lines, and everything below it gone. */
const over = (lines: number): string => `\u001b[${lines}A\u001b[0J`;

describe('the demo’s screen', () => {
  test('prints a line for each node that changed, in a pipe', async () => {
    const { show, say } = stage();

    expect(await show('pending', 'pending')).toBe(row('[ ]', 1) + row('[ ]', 2));
    expect(await show('completed', 'pending')).toBe(row('[x]', 1));
    expect(await show('completed', 'pending')).toBe('');
    expect(say('Something happened.')).toBe('Something happened.\n');
    expect(await show('completed', 'revision')).toBe(row('[→]', 2));
  });

  test('draws over its last picture on a terminal, and keeps it below what is said', async () => {
    const { screen, show, say } = stage({ live: true });

    expect(await show('pending', 'pending')).toBe(row('[ ]', 1) + row('[ ]', 2));
    expect(await show('completed', 'pending')).toBe(over(2) + row('[x]', 1) + row('[ ]', 2));
    expect(say('Something happened.')).toBe(`${over(2)}Something happened.\n${row('[x]', 1)}${row('[ ]', 2)}`);
    screen.settle();
    expect(say('The end.')).toBe('The end.\n');
  });

  test('cuts lines to the width of the terminal, so that each takes one', async () => {
    const { show } = stage({ live: true, columns: 20 });

    expect(await show('pending')).toBe('[ ] 01       Step …\n');
  });

  test('does not draw over a picture that the terminal cannot hold', async () => {
    const { show } = stage({ live: true, rows: 2 });

    expect(await show('pending', 'pending')).toBe(row('[ ]', 1) + row('[ ]', 2));
    expect(await show('completed', 'pending')).toBe(row('[x]', 1));
  });

  test('colours a line by its status, where colour is wanted', async () => {
    const { show } = stage({ color: true });

    expect(await show('completed', 'pending')).toBe(`\u001b[32m${row('[x]', 1).trimEnd()}\u001b[0m\n${row('[ ]', 2)}`);
  });

  test('lets nobody’s words steer the terminal', () => {
    expect(stage().say('a\u001b[2Jb\r\u0007c')).toBe('ab c\n');
  });
});
