import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TOOLS } from '../../src/dialects/taskflow-table.ts';
import { VERBS } from '../../src/doors/cli/verbs.ts';
import { ROOT, documentPaths, readDocument } from './documents.ts';

const pages = documentPaths().map(readDocument);
const verbs = new Set(VERBS.map(({ name }) => name));

/** Words behind `baton` in code: `project` of `baton project show`. */
function verbsIn(code: string): readonly string[] {
  const commands = [...code.matchAll(/(?:^|[\s`(&|])baton ((?:--?[a-z]+ )*)([a-z][a-z-]*)/gm)];
  return commands.map(([, , verb = '']) => verb);
}

describe.each(pages.map((page) => [page.path, page] as const))('%s', (path, page) => {
  test('links only to files that are there', () => {
    const targets = page.links.filter((url) => !/^[a-z]+:|^#/.test(url)).map((url) => url.replace(/#.*$/, ''));
    expect(targets.filter((url) => !existsSync(join(ROOT, dirname(path), url)))).toEqual([]);
  });

  test('names only paths of the checkout that are there', () => {
    const paths = page.spans.filter((span) => /^(?:src|test|docs|fixtures|\.ci)\/[\w./-]*$/.test(span));
    expect(paths.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  test('names only verbs that the command line has', () => {
    const code = [...page.spans, ...page.blocks.filter(({ lang }) => lang === 'sh').map(({ text }) => text)];
    expect(code.flatMap(verbsIn).filter((verb) => !verbs.has(verb))).toEqual([]);
  });

  test('names only actions that exist', () => {
    const actions = new Set(Object.values(TOOLS).flatMap((tool) => Object.keys(tool)));
    const named = page.spans.flatMap(
      (span) => /^baton (?:taskflow|projectflow|filesync|message) (\w+)/.exec(span)?.[1] ?? [],
    );
    expect(named.filter((action) => !actions.has(action))).toEqual([]);
  });
});

test('verbs are found wherever they stand', () => {
  expect(verbsIn('baton init lead\ncd lead && baton --quiet board; x=$(baton task list)')).toEqual([
    'init',
    'board',
    'task',
  ]);
});
