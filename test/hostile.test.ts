import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../src/protocol/diagnostic.ts';
import { parsePlan } from '../src/protocol/plan/parse.ts';
import { parseAgent } from '../src/protocol/records/agent.ts';
import { parseEventLines } from '../src/protocol/records/event.ts';
import { parseProjectMeta } from '../src/protocol/records/project.ts';
import { parseTaskMeta } from '../src/protocol/records/task.ts';
import { parseTeam } from '../src/protocol/records/team.ts';
import { parseResult } from '../src/protocol/result/parse.ts';

/**
 * Files that nobody meant to write: `fixtures/hostile/<parser>/<name>`. Whatever stands in a file, every parser lives
 * on; the one whose file it is says what is wrong, and where.
 */
const root = fileURLToPath(new URL('../fixtures/hostile/', import.meta.url));

const PARSERS: Readonly<Record<string, (text: string, id: string) => readonly Diagnostic[]>> = {
  project: (text, id) => parseProjectMeta(text, id).diagnostics,
  task: (text, id) => parseTaskMeta(text, id).diagnostics,
  agent: (text, id) => parseAgent(text, id).diagnostics,
  team: (text) => parseTeam(text).diagnostics,
  events: (text, id) => parseEventLines(text, `shared/events/2026-01/${id}.jsonl`).diagnostics,
  plan: (text) => parsePlan(text).diagnostics,
  result: (text) => parseResult(text).diagnostics,
};

const files = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name: kind }) => readdirSync(`${root}${kind}`).map((name) => ({ kind, name })));

/** What a diagnostic must have so that somebody can mend the file. */
function wellFormed(text: string, diagnostics: readonly Diagnostic[]): boolean {
  const lines = text.split('\n');
  return diagnostics.every(
    ({ rule, message, line, column }) =>
      /^[a-z]+(?:-[a-z]+)*$/.test(rule) &&
      message !== '' &&
      line >= 1 &&
      line <= lines.length &&
      column >= 1 &&
      column <= (lines[line - 1]?.length ?? 0) + 1,
  );
}

describe('hostile files', () => {
  test('are at least a hundred and fifty, no two of a kind the same', () => {
    const texts = files.map(({ kind, name }) => `${kind} ${readFileSync(`${root}${kind}/${name}`).toString('base64')}`);
    expect(new Set(texts).size).toBe(files.length);
    expect(files.length).toBeGreaterThanOrEqual(150);
  });

  test.each(files)('$kind/$name stops no parser', ({ kind, name }) => {
    const text = readFileSync(`${root}${kind}/${name}`, 'utf8');
    const id = name.replace(/\.\w+$/, '');
    const found = Object.entries(PARSERS).map(([parser, parse]) => ({ parser, ok: wellFormed(text, parse(text, id)) }));
    expect(found).toEqual(Object.keys(PARSERS).map((parser) => ({ parser, ok: true })));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test.each(files.filter(({ kind }) => kind !== 'bytes'))(
    '$kind/$name is reported by its own parser',
    ({ kind, name }) => {
      const diagnostics = PARSERS[kind]?.(readFileSync(`${root}${kind}/${name}`, 'utf8'), name.replace(/\.\w+$/, ''));
      expect(diagnostics?.length).toBeGreaterThan(0);
    },
  );
});

describe('hostile sizes', () => {
  const RECORDS = ['project', 'task', 'agent', 'team', 'events'];
  const megabyte = 1024 * 1024;

  test.each([
    ['a line of 50 MB', () => `{"title":"${'x'.repeat(50 * megabyte)}`],
    ['50 MB without a quote', () => 'x'.repeat(50 * megabyte)],
    ['a million open braces', () => '{"a":'.repeat(megabyte)],
    ['a million open brackets', () => `{"a":${'['.repeat(megabyte)}`],
    ['a million brackets, closed', () => `{"a":${'['.repeat(megabyte)}${']'.repeat(megabyte)}}`],
    ['a million digits', () => `{"a":${'9'.repeat(megabyte)}x}`],
    ['half a million escapes', () => `{"a":"${'\\u0000'.repeat(megabyte / 2)}`],
  ])('%s: the record parsers say so', (_, make) => {
    const text = make();
    const silent = RECORDS.filter((name) => (PARSERS[name]?.(text, 'x').length ?? 0) === 0);
    expect(silent).toEqual([]);
  });

  test.each([
    ['a line of 2 MB', () => `- [ ] a — ${'x'.repeat(2 * megabyte)}`],
    ['a hundred thousand parentheses', () => `- [ ] a — ${'('.repeat(100_000)}${')'.repeat(100_000)}`],
    ['ten thousand quotes in quotes', () => '>'.repeat(10_000)],
    ['a hundred thousand stars', () => '*'.repeat(100_000)],
    ['a hundred thousand open links', () => '['.repeat(100_000)],
    ['ten thousand equal ids', () => '- [ ] a — One (assigned: w)\n'.repeat(10_000)],
  ])('%s: the document parsers come back, with places that are there', (_, make) => {
    const body = make();
    const [plan, result] = [`## DAG Task Plan\n\n${body}\n`, `STATUS: SUCCESS\nSUMMARY: ${body}\n`];
    expect(wellFormed(plan, parsePlan(plan).diagnostics)).toBe(true);
    expect(wellFormed(result, parseResult(result).diagnostics)).toBe(true);
  });
});
