import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { formatDiagnostic } from '../../../src/protocol/diagnostic.ts';
import type { Diagnostic } from '../../../src/protocol/diagnostic.ts';
import { parseAgent, renderAgent } from '../../../src/protocol/records/agent.ts';
import { parseEventLines, renderEventLine } from '../../../src/protocol/records/event.ts';
import { parseProjectMeta, renderProjectMeta } from '../../../src/protocol/records/project.ts';
import { parseTaskMeta, renderTaskMeta } from '../../../src/protocol/records/task.ts';
import { parseTeam } from '../../../src/protocol/records/team.ts';

/**
 * Every document under `fixtures/records` has `<name>.expected.json` beside it: the value that it reads as, what is
 * said about it, and how it is written the next time.
 */
const root = fileURLToPath(new URL('../../../fixtures/records/', import.meta.url));

interface Reading {
  readonly value?: unknown;
  readonly diagnostics: readonly string[];
  readonly written?: string;
}

function reading<Value>(
  value: Value | undefined,
  diagnostics: readonly Diagnostic[],
  write?: (value: Value) => string,
): Reading {
  return {
    ...(value === undefined ? {} : { value }),
    diagnostics: diagnostics.map(formatDiagnostic),
    ...(value === undefined || write === undefined ? {} : { written: write(value) }),
  };
}

const READERS: Readonly<Record<string, (text: string, id: string) => Reading>> = {
  project(text, id) {
    const { meta, diagnostics } = parseProjectMeta(text, id);
    return reading(meta, diagnostics, renderProjectMeta);
  },
  task(text, id) {
    const { meta, diagnostics } = parseTaskMeta(text, id);
    return reading(meta, diagnostics, renderTaskMeta);
  },
  agent(text, id) {
    const { agent, diagnostics } = parseAgent(text, id);
    return reading(agent, diagnostics, renderAgent);
  },
  team(text) {
    const { team, diagnostics } = parseTeam(text);
    return reading(team, diagnostics);
  },
  events(text, id) {
    const { events, diagnostics } = parseEventLines(text, `${id}.jsonl`);
    return reading(events, diagnostics, (all) => all.map(renderEventLine).join(''));
  },
};

const cases = Object.entries(READERS).flatMap(([kind, read]) =>
  readdirSync(`${root}${kind}`)
    .filter((name) => !name.endsWith('.expected.json'))
    .map((name) => ({ kind, name, read })),
);

describe('records read as their fixtures say', () => {
  test.each(cases)('$kind/$name', ({ kind, name, read }) => {
    const id = name.replace(/\.jsonl?$/, '');
    const actual = read(readFileSync(`${root}${kind}/${name}`, 'utf8'), id);
    const expected: unknown = JSON.parse(readFileSync(`${root}${kind}/${id}.expected.json`, 'utf8'));
    expect(JSON.parse(JSON.stringify(actual))).toEqual(expected);
  });

  test.each(cases.filter(({ kind }) => kind !== 'team'))(
    '$kind/$name is stable once written',
    ({ kind, name, read }) => {
      const id = name.replace(/\.jsonl?$/, '');
      const { value, written } = read(readFileSync(`${root}${kind}/${name}`, 'utf8'), id);
      const again = written === undefined ? undefined : read(written, id);
      expect(again?.written).toEqual(written);
      expect(kind === 'events' ? again?.value : undefined).toEqual(kind === 'events' ? value : undefined);
    },
  );
});
