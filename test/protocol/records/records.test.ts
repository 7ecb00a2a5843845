import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentJsonSchema, newAgent, parseAgent, renderAgent } from '../../../src/protocol/records/agent.ts';
import { parseEventLines, renderEventLine } from '../../../src/protocol/records/event.ts';
import { parseProjectMeta, renderProjectMeta } from '../../../src/protocol/records/project.ts';
import { appendHistory, parseTaskMeta, renderTaskMeta } from '../../../src/protocol/records/task.ts';
import { DEFAULT_TEAM, parseTeam, renderTeam, teamJsonSchema } from '../../../src/protocol/records/team.ts';
import { TASK_STATUSES } from '../../../src/protocol/records/types.ts';
import type { EventRecord, HistoryEntry, TaskMeta } from '../../../src/protocol/records/types.ts';

const task: TaskMeta = {
  task_id: 't',
  project_id: 'p',
  task_title: 'Title',
  assigned_to: 'ana',
  status: 'assigned',
};

const step = (note: string): HistoryEntry => ({
  ts: '2026-06-06T00:00:00Z',
  from: 'in_progress',
  to: 'in_progress',
  action: 'progress',
  actor: 'worker:ana',
  note,
});

/** Keys that no record knows, in an order of their own; integers are left out, which no JSON object keeps in order. */
const unknown = fc.dictionary(
  fc.string({ minLength: 1 }).map((name) => `x-${name}`),
  fc.jsonValue({ maxDepth: 2 }).filter((value) => value !== null),
  { minKeys: 1 },
);

describe('task records', () => {
  test('keep the newest fifty steps', () => {
    const notes = Array.from({ length: 60 }, (_, index) => String(index));
    const grown = notes.reduce((meta, note) => appendHistory(meta, step(note)), task);
    expect(grown.history?.map(({ note }) => note)).toEqual(notes.slice(10));
    expect(task.history).toBeUndefined();
  });

  test('are read back as they were written, unknown keys behind in their order', () => {
    const meta = fc.record({
      status: fc.constantFrom(...TASK_STATUSES),
      task_title: fc.stringMatching(/^[^\s\p{C}][^\p{C}\u2028\u2029]*[^\s\p{C}]$/u),
      summary: fc.string({ unit: 'grapheme' }),
      depends_on: fc.array(fc.string()),
      unknown,
    });
    fc.assert(
      fc.property(meta, (part) => {
        const written: TaskMeta = { ...task, ...part, unknown: JSON.parse(JSON.stringify(part.unknown)) };
        const text = renderTaskMeta(written);
        const read = parseTaskMeta(text, 't');
        expect(read).toEqual({ meta: written, diagnostics: [] });
        expect(Object.keys(JSON.parse(text)).slice(-Object.keys(part.unknown).length)).toEqual(
          Object.keys(part.unknown),
        );
        expect(renderTaskMeta(read.meta ?? task)).toBe(text);
      }),
    );
  });

  test('a field that is set takes the place of the bad value that the file held', () => {
    const { meta = task } = parseTaskMeta('{"task_id":"t","project_id":"p","assigned_to":"a","summary":7}', 't');
    expect(meta.unknown).toEqual({ summary: 7 });
    expect(JSON.parse(renderTaskMeta({ ...meta, summary: 'good' }))).toEqual({
      task_id: 't',
      project_id: 'p',
      task_title: 't',
      assigned_to: 'a',
      status: 'assigned',
      summary: 'good',
    });
  });
});

describe('project records', () => {
  test('take no key from a prototype', () => {
    const { meta } = parseProjectMeta(
      '{"project_id":"p","title":"T","__proto__":{"status":"completed","source":"x"}}',
      'p',
    );
    expect(meta?.status).toBe('active');
    expect(meta?.source).toBeUndefined();
    expect(Object.getPrototypeOf(meta?.unknown)).toBe(Object.prototype);
    expect(Object.hasOwn(Object.prototype, 'source')).toBe(false);
  });

  test('are written in one order, whatever the order in memory', () => {
    expect(renderProjectMeta({ status: 'active', title: 'T', project_id: 'p', unknown: { z: 1, a: 2 } })).toBe(
      '{\n  "project_id": "p",\n  "title": "T",\n  "status": "active",\n  "z": 1,\n  "a": 2\n}\n',
    );
  });
});

describe('agent records', () => {
  test('of somebody new are read back', () => {
    const agent = newAgent({ id: 'w/1', name: 'Worker One', role: 'worker', matrixUserId: '@w/1:hs' });
    expect(parseAgent(renderAgent(agent), 'w%2F1')).toEqual({ agent, diagnostics: [] });
    expect(parseAgent(renderAgent(agent), 'w/1')).toEqual({ agent, diagnostics: [] });
  });

  test('keep what they do not know', () => {
    fc.assert(
      fc.property(unknown, (extra) => {
        const kept: Record<string, unknown> = JSON.parse(JSON.stringify(extra));
        const agent = { ...newAgent({ id: 'a', role: 'human' }), unknown: kept };
        expect(parseAgent(renderAgent(agent), 'a')).toEqual({ agent, diagnostics: [] });
      }),
    );
  });
});

describe('team settings', () => {
  test('have defaults without a file, and as little as possible in one', () => {
    expect(parseTeam(undefined)).toEqual({ team: DEFAULT_TEAM, diagnostics: [] });
    expect(renderTeam({ name: 'demo' })).toBe('{\n  "schema": 1,\n  "name": "demo"\n}\n');
    expect(parseTeam(renderTeam({ name: 'demo' }))).toEqual({
      team: { ...DEFAULT_TEAM, name: 'demo' },
      diagnostics: [],
    });
  });

  test('survive any file, and name the defaults that stand in', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const wild = { policies: value, admin: value, drift: value, name: value };
        const { team, diagnostics } = parseTeam(JSON.stringify(wild));
        expect(team.teamRoomId).toBe(DEFAULT_TEAM.teamRoomId);
        expect(diagnostics.some(({ message }) => message === 'drift: unknown key')).toBe(true);
      }),
    );
  });

  test.each([
    ['{"policies": {"requireApproval": "yes"}}', 'policies.requireApproval: '],
    ['{"policies": {"requireApproval": null, "maxActive": 3}}', 'policies.requireApproval: '],
    ['{"policies": "strict"}', 'policies: '],
    ['[]', ''],
    ['{"policies": ', ''],
    ['<<<<<<< ours\n{}\n', ''],
  ])('keep projects waiting for approval where nobody can read whether they should: %j', (text, said) => {
    const { team, diagnostics } = parseTeam(text);
    expect(team.policies.requireApproval).toBe(true);
    expect(diagnostics[0]).toMatchObject({
      severity: 'error',
      message: expect.stringMatching(/; until it is mended, new projects wait for approval$/) as string,
    });
    expect(diagnostics[0]?.message).toContain(said);
  });

  test.each(['{}', '{"policies": {"maxActive": "x"}}', '{"policies": {"requireApproval": false, "idPrefix": 1}}'])(
    'open what is not said to wait, whatever else is wrong: %j',
    (text) => {
      const { team, diagnostics } = parseTeam(text);
      expect(team.policies.requireApproval).toBe(false);
      expect(diagnostics.filter(({ message }) => message.includes('approval'))).toEqual([]);
    },
  );

  test('a rule that a default breaks once its neighbour is gone is found as well', () => {
    const { diagnostics } = parseTeam('{"policies":{"drift":{"threshold":"high","warningThreshold":0.97}}}');
    expect(diagnostics.map(({ message }) => message)).toEqual([
      'policies.drift.threshold: Invalid input: expected number, received string',
      'policies.drift.warningThreshold: expected less than threshold',
    ]);
  });
});

describe('schemas for editors', () => {
  test('name every key of a team and of an agent, and a team has no others', () => {
    const team = teamJsonSchema() as { properties: object; additionalProperties: unknown };
    expect(Object.keys(team.properties)).toEqual([
      'schema',
      'name',
      'admin',
      'teamRoomId',
      'leaderDmRoomId',
      'leaderRoomId',
      'policies',
      'discord',
    ]);
    expect(team.additionalProperties).toBe(false);
    const agent = agentJsonSchema() as { properties: object; required: unknown };
    expect(Object.keys(agent.properties)).toEqual([
      'schema',
      'agent_id',
      'name',
      'matrix_user_id',
      'role',
      'status',
      'capabilities',
      'preferred_types',
      'agent_types',
      'max_concurrent',
      'reliability',
      'model',
      'fallback',
      'enabled',
      'raised',
    ]);
    expect(agent.required).toEqual(['agent_id']);
  });
});

describe('event lines', () => {
  const text = fc.string({ unit: 'grapheme' });
  const event: fc.Arbitrary<EventRecord> = fc.record(
    {
      id: fc.string({ minLength: 1 }),
      ts: fc.constant('2026-06-06T00:00:00Z'),
      type: fc.string({ minLength: 1 }),
      actor: fc.record({ id: text, role: text }),
      note: text,
      data: fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        text,
      ),
    },
    { requiredKeys: ['id', 'ts', 'type', 'actor'] },
  );

  test('are read back, one a line', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const lines = events.map(renderEventLine);
        expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
        expect(parseEventLines(lines.join(''), 'x.jsonl')).toEqual({ events, diagnostics: [] });
      }),
    );
  });
});
