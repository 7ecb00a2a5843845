import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, onTestFinished, test } from 'vitest';
import { testFolder } from '../support/folders.ts';
import { MATRIX_PAGE, batonOnPath, examplesOf, missingLines, play } from './commands.ts';
import { ROOT, documentPaths, readDocument } from './documents.ts';

const pages = documentPaths().map(readDocument);
const withCommands = pages.filter((page) => page.path !== MATRIX_PAGE && examplesOf(page).length > 0);

describe('the commands in the docs', () => {
  test.each(withCommands.map((page) => [page.path, page] as const))(
    'of %s run in order and print what the page says',
    async (path, page) => {
      const examples = examplesOf(page);
      const folder = testFolder('docs');
      const { code, outputs, errors } = await play(examples, folder, batonOnPath(folder));
      const stopped = examples[outputs.length - 1]?.block.line ?? 0;
      expect({ code, errors }, `${path}, the block at line ${stopped}`).toEqual({ code: 0, errors: '' });
      const missing = examples.flatMap(({ block, expected }, index) =>
        missingLines(expected, outputs[index] ?? '').map((line) => `${path}:${block.line} prints no line: ${line}`),
      );
      expect(missing, outputs.join('\n')).toEqual([]);
    },
    240_000,
  );

  test('are run for the README at least', () => {
    expect(withCommands.map(({ path }) => path)).toContain('README.md');
  });

  test('are left out only where they install or test the checkout itself', () => {
    const left = pages.flatMap(({ blocks }) => blocks.filter(({ meta }) => meta === 'not-run-here'));
    const commands = left.flatMap(({ text }) => text.split('\n').map((line) => line.replace(/\s+#.*$/, '')));
    expect(commands.sort()).toEqual([
      'npm ci && npm start',
      'npm ci && npm test',
      'npm install -g ./batond-*.tgz',
      'npm pack',
    ]);
  });

  test('name npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    const text = pages.flatMap(({ spans, blocks }) => [...spans, ...blocks.map((block) => block.text)]).join('\n');
    const named = [...text.matchAll(/npm (?:run )?([a-z][a-z:]*)/g)].map(([, name = '']) => name);
    const others = new Set(['ci', 'pack', 'install', 'run', ...Object.keys(scripts)]);
    expect(named.filter((name) => !others.has(name))).toEqual([]);
  });
});

test('the MCP snippet of the README starts a server that answers', async () => {
  const folder = testFolder('docs');
  const env = batonOnPath(folder);
  const readme = readDocument('README.md');
  const [snippet] = readme.blocks.filter(({ meta }) => meta === 'mcp client');
  const { mcpServers } = JSON.parse(snippet?.text ?? '{}') as {
    mcpServers: { baton: { command: string; args: string[] } };
  };
  const [init, ...rest] = examplesOf(readme);
  expect(rest.length).toBeGreaterThan(0);
  const { code } = await play(init === undefined ? [] : [init], folder, env);
  expect(code).toBe(0);

  const { command, args } = mcpServers.baton;
  const client = new Client({ name: 'docs', version: '1.0.0' });
  onTestFinished(() => client.close());
  await client.connect(
    new StdioClientTransport({
      command: join(folder, '.bin', command),
      args: args.map((part) => part.replace('/path/to', folder)),
      env: env as Record<string, string>,
    }),
  );
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).sort()).toEqual(['filesync', 'health', 'projectflow', 'taskflow']);
  const { prompts } = await client.listPrompts();
  expect(prompts.map(({ name }) => name).sort()).toEqual(['leader', 'worker']);
});

describe('the comparison of printed lines', () => {
  const output = 'one\ntwo 2  \n  three (3)\n';

  test('finds lines in order, whatever stands between them', () => {
    expect(missingLines(['one', '  three (3)'], output)).toEqual([]);
    expect(missingLines(['two …'], output)).toEqual([]);
  });

  test('misses lines that are not there, not whole, or in another order', () => {
    expect(missingLines(['tw'], output)).toEqual(['tw']);
    expect(missingLines(['  three (3)', 'one'], output)).toEqual(['one']);
    expect(missingLines(['…four'], output)).toEqual(['…four']);
  });
});
