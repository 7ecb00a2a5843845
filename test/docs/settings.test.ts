import { expect, test } from 'vitest';
import { DEFAULT_TEAM } from '../../src/protocol/records/team.ts';
import { settingsOf } from '../../src/protocol/records/team-shown.ts';
import { sampleFiles } from '../../src/workspace/samples.ts';
import { readDocument } from './documents.ts';

/** The rows of the table that maps the settings of the task engine: their name, ours, the default. */
function rows(): readonly (readonly string[])[] {
  const [, section = ''] = readDocument('docs/task-engine.md').text.split('\n## Settings\n');
  const [, table = ''] = section.split('| task engine | here | default |\n|---|---|---|\n');
  return (table.split('\n\n')[0] ?? '').split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

test('docs/task-engine.md maps the settings of S002-34 to keys that exist, with their defaults', () => {
  const defaults = new Map(settingsOf(DEFAULT_TEAM).map(({ key, value }) => [key, value]));
  const ofTeam = rows().filter(([, key = '']) => /^(?:policies|discord)\./.test(key));
  expect(ofTeam.length).toBeGreaterThan(15);
  for (const [, key = '', value = ''] of ofTeam) {
    expect(defaults.has(key), key).toBe(true);
    expect(JSON.stringify(defaults.get(key)), key).toBe(value);
  }
});

test('docs/task-engine.md names what the sample agents say', () => {
  const files = new Map(sampleFiles('2026-09-01T00:00:00Z'));
  const ofAgents = rows().filter(([, place = '']) => place.includes(' of shared/agents/'));
  expect(ofAgents).toHaveLength(2);
  for (const [, place = '', value = ''] of ofAgents) {
    const [field = '', path = ''] = place.split(' of ');
    const agent = JSON.parse(files.get(path) ?? '{}') as Readonly<Record<string, unknown>>;
    expect(JSON.stringify(agent[field]), place).toBe(value);
  }
});
